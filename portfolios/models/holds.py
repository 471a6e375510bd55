"""Holds: pauses in the collection of one loan."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Hold(models.Model):
    """A pause in the collection of one loan, from `opened_at` until it is released.

    It is to be looked at again on `review_on`, and ends by itself when `expires_on` begins in the
    institution's time zone. `is_automatic` marks what the eligibility test opened; the same test
    releases it once its cause is gone.
    """

    class Reason(models.TextChoices):
        DISPUTE = "dispute", _("Dispute")
        COMPLAINT = "complaint", _("Complaint")
        DECEASED = "deceased", _("Borrower deceased")
        INSOLVENT = "insolvent", _("Insolvency")
        MORATORIUM = "moratorium", _("Moratorium")
        PLAN = "plan", _("Repayment plan in force")
        LITIGATION = "litigation", _("Litigation")
        SETTLED = "settled", _("Paid or settled")
        TIME_BARRED = "time_barred", _("Past limitation")
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
    kind = models.CharField(max_length=12, choices=Reason)
    reason = models.TextField(_("reason"))
    is_automatic = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    review_on = models.DateField(_("to be reviewed on"), null=True)
    expires_on = models.DateField(_("ends by itself on"), null=True)
    released_at = models.DateTimeField(null=True)
    release_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["complaint"], name="one_hold_per_complaint"),
            models.UniqueConstraint(
                fields=["loan", "kind"],
                condition=models.Q(is_automatic=True, released_at__isnull=True),
                name="one_automatic_hold_per_kind",
            ),
        ]
        indexes = [
            models.Index(
                fields=["loan"],
                condition=models.Q(released_at__isnull=True),
                name="hold_open_by_loan",
            ),
            models.Index(
                fields=["institution", "review_on"],
                condition=models.Q(released_at__isnull=True),
                name="hold_open_by_review",
            ),
        ]
