"""The feed in which agencies read what changed about their placements. Append-only."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class PlacementChange(models.Model):
    """One thing that changed about a placement, or about one loan in it where `spell` says which.

    `reference` is the loan's reference, or the placement's title; `detail` the kind of the hold
    or of the objection. Of what has ended the agency keeps the entry that says so and no other,
    so those have neither reason nor amount.
    """

    class Kind(models.TextChoices):
        PLACED = "placed", _("Placed")
        HELD = "held", _("Put on hold")
        RELEASED = "released", _("Released")
        RECALL_ANNOUNCED = "recall_announced", _("Recall announced")
        RECALL_WITHDRAWN = "recall_withdrawn", _("Recall withdrawn")
        OBJECTION_ACCEPTED = "objection_accepted", _("Objection accepted")
        OBJECTION_REFUSED = "objection_refused", _("Objection refused")
        DIRECT_PAYMENT = "direct_payment", _("Payment received by the bank")
        BALANCE_CORRECTED = "balance_corrected", _("Balance corrected")
        CONTACT_CORRECTED = "contact_corrected", _("Contact data corrected")
        RECALLED = "recalled", _("Recalled")
        RETURNED = "returned", _("Returned")
        EXPIRED = "expired", _("Expired")

    ENDS = (Kind.RECALLED, Kind.RETURNED, Kind.EXPIRED)

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="+"
    )
    spell = models.ForeignKey(
        "portfolios.PlacedLoan", null=True, on_delete=models.PROTECT, related_name="+"
    )
    loan = models.ForeignKey(
        "portfolios.Loan", null=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=18, choices=Kind)
    detail = models.CharField(max_length=16, blank=True)
    reference = models.CharField(_("reference"), max_length=160)
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"), null=True)
    due_on = models.DateField(_("due on"), null=True)
    note = models.TextField(_("note"), blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="change_of_a_loan_names_both",
                condition=models.Q(spell__isnull=True, loan__isnull=True)
                | models.Q(spell__isnull=False, loan__isnull=False),
            ),
            models.CheckConstraint(
                name="change_that_ends_tells_no_more",
                condition=~models.Q(kind__in=["recalled", "returned", "expired"])
                | models.Q(detail="", note="", amount_minor__isnull=True, due_on__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["agency", "at", "id"], name="change_by_agency"),
            models.Index(fields=["loan", "-at"], name="change_by_loan"),
        ]
