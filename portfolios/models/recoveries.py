"""Money that came in, and money that was taken back. Append-only: neither is ever edited."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids

from .contacts import Event


class Recovery(Event):
    """One payment as an agency reported it; it counts once a `Confirmation` points at it.

    `reference` is the agency's own and unique per agency. `is_above_balance` flags a payment
    that exceeded what was left when it was reported.
    """

    class Channel(models.TextChoices):
        BANK_TRANSFER = "bank_transfer", _("Bank transfer")
        CARD = "card", _("Card")
        CASH = "cash", _("Cash")
        CHEQUE = "cheque", _("Cheque")
        DIRECT_DEBIT = "direct_debit", _("Direct debit")
        OTHER = "other", _("Other")

    reference = models.CharField(_("payment reference"), max_length=60)
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    value_on = models.DateField(_("value date"))
    channel = models.CharField(_("channel"), max_length=14, choices=Channel)
    is_above_balance = models.BooleanField(_("above the balance"), default=False)

    class Meta:
        verbose_name_plural = "recoveries"
        constraints = [
            models.UniqueConstraint(
                fields=["agency", "reference"],
                name="recovery_reference_once_per_agency",
            ),
            models.CheckConstraint(
                name="recovery_amount_positive", condition=models.Q(amount_minor__gt=0)
            ),
        ]
        indexes = [
            models.Index(fields=["spell", "value_on"], name="recovery_by_spell"),
            models.Index(fields=["institution", "-logged_at"], name="recovery_by_institution"),
            models.Index(fields=["agency", "-logged_at"], name="recovery_by_agency"),
        ]


class Reversal(models.Model):
    """Part or all of one recovery taken back; the parts never exceed the whole."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="+"
    )
    spell = models.ForeignKey("portfolios.PlacedLoan", on_delete=models.PROTECT, related_name="+")
    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="reversals")
    reference = models.CharField(_("reference of the reversal"), max_length=60)
    amount_minor = models.BigIntegerField(_("amount"))
    reason = models.TextField(_("reason"))
    logged_at = models.DateTimeField()
    logged_by = models.CharField(max_length=160)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agency", "reference"],
                name="reversal_reference_once_per_agency",
            ),
            models.CheckConstraint(
                name="reversal_amount_positive", condition=models.Q(amount_minor__gt=0)
            ),
        ]
