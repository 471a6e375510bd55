"""Placements: one agency's spell with one lot, and the loans in it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Placement(models.Model):
    """One agency's spell with one lot under one set of terms, frozen at the award.

    Live while `state` is live and `opened_at` ≤ now < `ends_at`. `tail_days` are the days after
    the end in which a payment on a promise made before still counts for the agency;
    `untouched_days` is after how many days without a contact a loan is on its worklist.
    """

    class State(models.TextChoices):
        LIVE = "live", _("Live")
        RECALLED = "recalled", _("Recalled")
        RETURNED = "returned", _("Returned")
        EXPIRED = "expired", _("Expired")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    portfolio = models.ForeignKey(
        "portfolios.Portfolio", on_delete=models.PROTECT, related_name="placements"
    )
    title = models.CharField(_("title"), max_length=160)
    currency = models.CharField(_("currency"), max_length=3)
    jurisdiction = models.CharField(_("jurisdiction"), max_length=10)
    rate_ppm = models.IntegerField(_("commission rate"))
    loan_count = models.PositiveIntegerField(_("loans"))
    balance_minor = models.BigIntegerField(_("placed balance"))
    state = models.CharField(max_length=8, choices=State, default=State.LIVE)
    opened_at = models.DateTimeField(_("opened"))
    ends_at = models.DateTimeField(_("ends"))
    tail_days = models.PositiveIntegerField(_("tail in days"), default=0)
    untouched_days = models.PositiveIntegerField(_("days between contacts"), default=14)
    closed_at = models.DateTimeField(null=True)
    close_reason = models.TextField(_("reason of the end"), blank=True)

    class Meta:
        permissions = [("work_placement", "May work on the loans of this placement")]
        constraints = [
            models.CheckConstraint(
                name="placement_rate_possible",
                condition=models.Q(rate_ppm__gte=0, rate_ppm__lte=1_000_000),
            ),
            models.CheckConstraint(
                name="placement_ends_after_it_opens",
                condition=models.Q(ends_at__gt=models.F("opened_at")),
            ),
            models.CheckConstraint(
                name="placement_ended_with_a_reason",
                condition=models.Q(state="live", closed_at__isnull=True, close_reason="")
                | models.Q(state__in=["recalled", "returned", "expired"], closed_at__isnull=False)
                & ~models.Q(close_reason=""),
            ),
        ]
        indexes = [models.Index(fields=["agency", "state"], name="placement_by_agency")]

    def __str__(self):
        return self.title


class PlacedLoan(models.Model):
    """One loan's spell in a placement: never deleted, closed with a kind and a reason.

    What the loan was like on the first day is frozen here: its balance and the strata by which
    agencies are compared. `is_comparison` marks loans that every winner got an equal random lot
    of, to be compared by.
    """

    class CloseKind(models.TextChoices):
        RECALLED = "recalled", _("Recalled")
        RETURNED = "returned", _("Returned by the agency")
        EXPIRED = "expired", _("Expired")
        SETTLED = "settled", _("Settled")

    id = ids.primary_key()
    # Three keys have no constraint of their own: `portfolios_placedloan_placement_agrees` says
    # more.
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    agency = models.ForeignKey(
        "agencies.Agency", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    placement = models.ForeignKey(
        Placement, on_delete=models.PROTECT, related_name="spells", db_constraint=False
    )
    loan = models.ForeignKey("portfolios.Loan", on_delete=models.PROTECT, related_name="spells")
    balance_minor = models.BigIntegerField(_("balance at placement"))
    days_past_due = models.PositiveIntegerField(_("days past due at placement"))
    product = models.CharField(_("product at placement"), max_length=60, blank=True)
    region = models.CharField(_("region at placement"), max_length=20, blank=True)
    grade = models.CharField(_("grade at placement"), max_length=10, blank=True)
    score = models.IntegerField(_("score at placement"), null=True)
    earlier_placements = models.PositiveIntegerField(_("earlier placements"), default=0)
    is_comparison = models.BooleanField(_("for comparison"), default=False)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    close_kind = models.CharField(max_length=8, choices=CloseKind, blank=True)
    close_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["loan"],
                condition=models.Q(closed_at__isnull=True),
                name="one_open_spell_per_loan",
            ),
            models.UniqueConstraint(
                fields=["placement", "loan"], name="one_spell_per_loan_and_placement"
            ),
            models.CheckConstraint(
                name="spell_closed_with_kind_and_reason",
                condition=models.Q(closed_at__isnull=True, close_reason="", close_kind="")
                | models.Q(
                    closed_at__isnull=False,
                    close_kind__in=["recalled", "returned", "expired", "settled"],
                )
                & ~models.Q(close_reason=""),
            ),
        ]
