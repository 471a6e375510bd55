"""Loans and the people who owe them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids
from config.encryption import EncryptedField

DAYS_PAST_DUE_EDGES = (30, 60, 90, 180, 365, 730, 1095, 1825, 3650, 5475, 7300)
"""Where one band of age ends and the next begins, as the trade divides overdue loans."""


class Borrower(models.Model):
    """A person who owes; every loan of the same person points here.

    Every personal field is encrypted and shown masked. `reference` is the bank's own number of
    the customer. The indexes are keyed digests (`config.encryption.blind_index`) by which a
    person is found without decrypting anybody.
    """

    id = ids.primary_key()
    # Instead of two constraints there is `portfolios_borrower_loan_import_agrees`, which says more.
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    loan_import = models.ForeignKey(
        "portfolios.LoanImport", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    name = EncryptedField(_("name"))
    phone = EncryptedField(_("phone"))
    email = EncryptedField(_("e-mail"))
    address = EncryptedField(_("address"))
    national_id = EncryptedField(_("national identifier"))
    reference = models.CharField(_("customer reference"), max_length=60, blank=True)
    phone_index = models.BinaryField(max_length=16, null=True, editable=False)
    national_id_index = models.BinaryField(max_length=16, null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "reference"],
                condition=~models.Q(reference=""),
                name="borrower_reference_once_per_institution",
            ),
            models.UniqueConstraint(
                fields=["institution", "national_id_index"],
                condition=models.Q(national_id_index__isnull=False),
                name="borrower_once_per_institution",
            ),
        ]
        indexes = [
            models.Index(
                fields=["institution", "phone_index"],
                condition=models.Q(phone_index__isnull=False),
                name="borrower_by_phone",
            )
        ]


class Loan(models.Model):
    """One overdue debt.

    `balance_minor` is what is owed, in the portfolio's currency, as the bank said it last, at
    `balance_stated_at` or else with the loan's file; `principal_minor`,
    `interest_minor` and `fees_minor` are its parts where the bank gives them. `score` and `grade`
    are the bank's own score and band, `expected_recovery_ppm` what it expects to come in of the
    balance. `limitation_on` is the first day on which the claim is past limitation.
    `attributes` are further columns of the bank, texts by name.

    `placement` and `agency` say who holds the loan now and are empty when nobody does;
    `is_on_hold` says that collection is paused. All three are kept by the services of placements
    and holds. Until `held_out_until` the loan is placed with nobody, so that there is something to
    compare the agencies' work with; awards set it.
    """

    id = ids.primary_key()
    # Three keys have no index of their own: one of those below begins with each of them. Five have
    # no constraint of their own: `portfolios_loan_loan_import_agrees` and
    # `portfolios_loan_placement_agrees` say more than theirs would.
    institution = models.ForeignKey(
        "agencies.Institution",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    portfolio = models.ForeignKey(
        "portfolios.Portfolio",
        on_delete=models.PROTECT,
        related_name="loans",
        db_index=False,
        db_constraint=False,
    )
    loan_import = models.ForeignKey(
        "portfolios.LoanImport", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    borrower = models.ForeignKey(
        "portfolios.Borrower", null=True, on_delete=models.PROTECT, related_name="loans"
    )
    reference = models.CharField(_("reference"), max_length=60)
    currency = models.CharField(_("currency"), max_length=3)
    balance_minor = models.BigIntegerField(_("balance"))
    balance_stated_at = models.DateTimeField(null=True)
    principal_minor = models.BigIntegerField(_("principal"), null=True)
    interest_minor = models.BigIntegerField(_("interest"), null=True)
    fees_minor = models.BigIntegerField(_("fees"), null=True)
    rate_ppm = models.IntegerField(_("interest rate"))
    product = models.CharField(_("product"), max_length=60, blank=True)
    is_secured = models.BooleanField(_("secured"), default=False)
    collateral = models.CharField(_("collateral"), max_length=60, blank=True)
    opened_on = models.DateField(_("opened on"))
    defaulted_on = models.DateField(_("defaulted on"), null=True)
    last_payment_on = models.DateField(_("last payment on"), null=True)
    days_past_due = models.PositiveIntegerField(_("days past due"))
    region = models.CharField(_("region"), max_length=20, blank=True)
    jurisdiction = models.CharField(_("jurisdiction"), max_length=10, blank=True)
    grade = models.CharField(_("grade"), max_length=10, blank=True)
    score = models.IntegerField(_("score"), null=True)
    expected_recovery_ppm = models.IntegerField(_("expected recovery"), null=True)
    earlier_placements = models.PositiveIntegerField(_("earlier placements"), default=0)
    limitation_on = models.DateField(_("past limitation on"), null=True)
    attributes = models.JSONField(_("further attributes"), default=dict, blank=True)
    is_on_hold = models.BooleanField(_("on hold"), default=False)
    held_out_until = models.DateTimeField(_("held out until"), null=True)
    placement = models.ForeignKey(
        "portfolios.Placement",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
    )
    agency = models.ForeignKey(
        "agencies.Agency",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "reference"],
                name="loan_reference_once_per_institution",
            ),
            models.CheckConstraint(
                name="loan_balance_not_negative", condition=models.Q(balance_minor__gte=0)
            ),
            models.CheckConstraint(
                name="loan_expected_recovery_possible",
                condition=models.Q(
                    expected_recovery_ppm__gte=0, expected_recovery_ppm__lte=1_000_000
                ),
            ),
            models.CheckConstraint(
                name="loan_held_by_both_or_none",
                condition=models.Q(placement__isnull=True, agency__isnull=True)
                | models.Q(placement__isnull=False, agency__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["portfolio", "reference"], name="loan_by_portfolio"),
            # With what both walls ask about a loan, so that an agency's are counted in the index.
            models.Index(
                fields=["agency", "id"],
                include=["placement", "institution"],
                name="loan_by_agency",
            ),
        ]

    def __str__(self):
        return self.reference
