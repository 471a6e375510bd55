"""Payments that reached the bank without an agency. Append-only."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class DirectPayment(models.Model):
    """Money that a borrower paid to the bank itself; `reference` is the bank's own.

    `recovery` is what it counts as, where the loan is with an agency or within the tail of one.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    loan = models.ForeignKey("portfolios.Loan", on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(_("payment reference"), max_length=60)
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    value_on = models.DateField(_("value date"))
    recovery = models.OneToOneField(
        "portfolios.Recovery", null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "reference"], name="direct_payment_once_per_institution"
            ),
            models.CheckConstraint(
                name="direct_payment_positive", condition=models.Q(amount_minor__gt=0)
            ),
        ]
