"""Commission earned and taken back. Append-only; every entry can be recomputed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class CommissionEntry(models.Model):
    """One step of one recovery's commission.

    A recovery's commission is `round(base × rate)` of the base that counts now; an entry is the
    difference between that before and after (`payouts.commission`), so parts add up to the whole.
    `base_minor` and `amount_minor` are magnitudes, `kind` says which way they go.
    """

    class Kind(models.TextChoices):
        ACCRUAL = "accrual", _("Commission")
        CLAWBACK = "clawback", _("Taken back")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="+"
    )
    spell = models.ForeignKey("portfolios.PlacedLoan", on_delete=models.PROTECT, related_name="+")
    recovery = models.ForeignKey("portfolios.Recovery", on_delete=models.PROTECT, related_name="+")
    reversal = models.OneToOneField(
        "portfolios.Reversal", null=True, on_delete=models.PROTECT, related_name="+"
    )
    excess = models.OneToOneField(
        "payouts.Excess", null=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    currency = models.CharField(max_length=3)
    base_minor = models.BigIntegerField(_("base"))
    rate_ppm = models.IntegerField(_("rate"))
    amount_minor = models.BigIntegerField(_("amount"))
    accrued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recovery"],
                condition=models.Q(reversal__isnull=True, excess__isnull=True),
                name="recovery_accrues_once",
            ),
            models.CheckConstraint(
                name="commission_magnitudes",
                condition=models.Q(base_minor__gte=0, amount_minor__gte=0),
            ),
            models.CheckConstraint(
                name="commission_taken_back_by_a_reversal",
                condition=models.Q(kind="accrual", reversal__isnull=True)
                | models.Q(kind="clawback", reversal__isnull=False, excess__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                fields=["institution", "agency", "accrued_at"],
                name="commission_by_agency",
            )
        ]


class Excess(models.Model):
    """The part of a confirmed recovery above the balance; it accrues only if a person says so."""

    class State(models.TextChoices):
        OPEN = "open", _("To be decided")
        ACCEPTED = "accepted", _("Counts")
        DECLINED = "declined", _("Does not count")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    recovery = models.OneToOneField(
        "portfolios.Recovery", on_delete=models.PROTECT, related_name="+"
    )
    amount_minor = models.BigIntegerField(_("above the balance"))
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    found_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "excesses"
        constraints = [
            models.CheckConstraint(name="excess_positive", condition=models.Q(amount_minor__gt=0))
        ]
