"""Loans and the people who owe them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids
from config.encryption import EncryptedField


class Borrower(models.Model):
    """A person who owes. Every personal field is encrypted and shown masked."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    name = EncryptedField(_("name"))
    phone = EncryptedField(_("phone"))
    email = EncryptedField(_("e-mail"))
    address = EncryptedField(_("address"))
    national_id = EncryptedField(_("national identifier"))


class Loan(models.Model):
    """One overdue debt.

    `balance_minor` is what is owed at import, in the portfolio's currency. `placement` and
    `agency` say who holds the loan now and are empty when nobody does; `is_on_hold` says that
    collection is paused. All three are kept by the services of placements and holds.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    portfolio = models.ForeignKey(
        "portfolios.Portfolio", on_delete=models.PROTECT, related_name="loans"
    )
    loan_import = models.ForeignKey(
        "portfolios.LoanImport", on_delete=models.PROTECT, related_name="+"
    )
    borrower = models.ForeignKey(
        "portfolios.Borrower", null=True, on_delete=models.PROTECT, related_name="loans"
    )
    reference = models.CharField(_("reference"), max_length=60)
    currency = models.CharField(_("currency"), max_length=3)
    balance_minor = models.BigIntegerField(_("balance"))
    rate_ppm = models.IntegerField(_("interest rate"))
    opened_on = models.DateField(_("opened on"))
    last_payment_on = models.DateField(_("last payment on"), null=True)
    days_past_due = models.PositiveIntegerField(_("days past due"))
    region = models.CharField(_("region"), max_length=20, blank=True)
    grade = models.CharField(_("grade"), max_length=10, blank=True)
    is_on_hold = models.BooleanField(_("on hold"), default=False)
    placement = models.ForeignKey(
        "portfolios.Placement", null=True, on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey(
        "agencies.Agency", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "reference"],
                name="loan_reference_once_per_institution",
            ),
            models.CheckConstraint(
                name="loan_balance_positive", condition=models.Q(balance_minor__gt=0)
            ),
            models.CheckConstraint(
                name="loan_held_by_both_or_none",
                condition=models.Q(placement__isnull=True, agency__isnull=True)
                | models.Q(placement__isnull=False, agency__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["portfolio", "reference"], name="loan_by_portfolio"),
            models.Index(fields=["agency", "id"], name="loan_by_agency"),
        ]

    def __str__(self):
        return self.reference
