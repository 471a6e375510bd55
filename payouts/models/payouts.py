"""Payouts: one transfer per approved statement, however often it has to be tried."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Payout(models.Model):
    """The payment of one approved statement."""

    class State(models.TextChoices):
        APPROVED = "approved", _("To be sent")
        SENDING = "sending", _("Being sent")
        PAID = "paid", _("Paid")
        FAILED = "failed", _("Failed")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    statement = models.OneToOneField(
        "payouts.Statement", on_delete=models.PROTECT, related_name="payout"
    )
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    state = models.CharField(max_length=10, choices=State, default=State.APPROVED)
    remote_id = models.CharField(_("transfer at Stripe"), max_length=80, blank=True)
    approved_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=80, blank=True)
    reversed_minor = models.BigIntegerField(_("sent back"), default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["remote_id"],
                condition=~models.Q(remote_id=""),
                name="remote_transfer_once",
            ),
            models.CheckConstraint(
                name="payout_amount_positive", condition=models.Q(amount_minor__gt=0)
            ),
            models.CheckConstraint(
                name="payout_paid_is_remote",
                condition=~models.Q(state="paid")
                | models.Q(paid_at__isnull=False) & ~models.Q(remote_id=""),
            ),
        ]
        indexes = [models.Index(fields=["institution", "state"], name="payout_by_state")]


class PayoutAttempt(models.Model):
    """One try under one idempotency key, with the parameters frozen before Stripe is called."""

    class State(models.TextChoices):
        PREPARED = "prepared", _("Prepared")
        UNKNOWN = "unknown", _("Outcome unknown")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    idempotency_key = models.CharField(max_length=120, unique=True)
    destination = models.CharField(max_length=80)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.PREPARED)
    prepared_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    outcome_code = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payout", "number"], name="attempts_are_numbered"),
            models.UniqueConstraint(
                fields=["payout"],
                condition=models.Q(state__in=["prepared", "unknown"]),
                name="one_open_attempt_per_payout",
            ),
        ]
