"""Placements: one agency's spell with one lot, the loans in it, and pauses."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Placement(models.Model):
    """One agency's spell with one lot under one set of terms, frozen at the award.

    Live while `state` is live and `opened_at` ≤ now < `ends_at`.
    """

    class State(models.TextChoices):
        LIVE = "live", _("Live")
        RECALLED = "recalled", _("Recalled")

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
    recalled_at = models.DateTimeField(null=True)
    recall_reason = models.TextField(_("reason of the recall"), blank=True)

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
                name="placement_recall_has_a_reason",
                condition=models.Q(state="live", recalled_at__isnull=True)
                | models.Q(state="recalled", recalled_at__isnull=False)
                & ~models.Q(recall_reason=""),
            ),
        ]
        indexes = [models.Index(fields=["agency", "state"], name="placement_by_agency")]

    def __str__(self):
        return self.title


class PlacedLoan(models.Model):
    """One loan's spell in a placement: opened with the balance of that day, never deleted.

    `is_comparison` marks loans that every winner got an equal random lot of, to be compared by.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    placement = models.ForeignKey(Placement, on_delete=models.PROTECT, related_name="spells")
    loan = models.ForeignKey("portfolios.Loan", on_delete=models.PROTECT, related_name="spells")
    balance_minor = models.BigIntegerField(_("balance at placement"))
    days_past_due = models.PositiveIntegerField(_("days past due at placement"))
    is_comparison = models.BooleanField(_("for comparison"), default=False)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
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
                name="spell_closed_with_a_reason",
                condition=models.Q(closed_at__isnull=True, close_reason="")
                | models.Q(closed_at__isnull=False) & ~models.Q(close_reason=""),
            ),
        ]


class Hold(models.Model):
    """A pause in the collection of one loan, from `opened_at` until it is released."""

    class Reason(models.TextChoices):
        COMPLAINT = "complaint", _("Complaint")
        DISPUTE = "dispute", _("Dispute")
        OTHER = "other", _("Other")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    loan = models.ForeignKey("portfolios.Loan", on_delete=models.PROTECT, related_name="holds")
    complaint = models.ForeignKey(
        "portfolios.Complaint",
        null=True,
        on_delete=models.PROTECT,
        related_name="holds",
    )
    kind = models.CharField(max_length=10, choices=Reason)
    reason = models.TextField(_("reason"))
    opened_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    release_reason = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["complaint"], name="one_hold_per_complaint")]
        indexes = [
            models.Index(
                fields=["loan"],
                condition=models.Q(released_at__isnull=True),
                name="hold_open_by_loan",
            )
        ]
