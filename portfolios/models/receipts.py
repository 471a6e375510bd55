"""The bank's receipts: what it says came in, and which reports that confirms."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class ReceiptFile(models.Model):
    """One file of receipts; the same file (by SHA-256) is read once.

    `problems` are its rows that could not be taken: {row, column, value, code, message}.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    file_name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(max_length=64)
    rows_read = models.PositiveIntegerField(_("rows read"))
    problems = models.JSONField(default=list)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "sha256"],
                name="receipt_file_once_per_institution",
            )
        ]


class ReceiptLine(models.Model):
    """One receipt. `state` says whether a report was found for it; a person settles the rest."""

    class State(models.TextChoices):
        MATCHED = "matched", _("Matched")
        UNMATCHED = "unmatched", _("No report")
        AMBIGUOUS = "ambiguous", _("Several reports")
        DISMISSED = "dismissed", _("Dismissed")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    receipt_file = models.ForeignKey(ReceiptFile, on_delete=models.PROTECT, related_name="lines")
    row = models.PositiveIntegerField(_("row"))
    receipt_reference = models.CharField(_("receipt"), max_length=60)
    loan_reference = models.CharField(_("loan"), max_length=60)
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    value_on = models.DateField(_("value date"))
    state = models.CharField(max_length=10, choices=State, default=State.UNMATCHED)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "receipt_reference"],
                name="receipt_once_per_institution",
            ),
            models.CheckConstraint(
                name="receipt_amount_positive", condition=models.Q(amount_minor__gt=0)
            ),
        ]
        indexes = [models.Index(fields=["institution", "state"], name="receipt_by_state")]


class Confirmation(models.Model):
    """One report that one receipt proves. Only confirmed money counts."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="+"
    )
    spell = models.ForeignKey("portfolios.PlacedLoan", on_delete=models.PROTECT, related_name="+")
    recovery = models.OneToOneField(
        "portfolios.Recovery", on_delete=models.PROTECT, related_name="confirmation"
    )
    receipt_line = models.OneToOneField(
        ReceiptLine, on_delete=models.PROTECT, related_name="confirmation"
    )
    confirmed_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=160)

    class Meta:
        indexes = [
            models.Index(fields=["institution", "confirmed_at"], name="confirmation_by_time")
        ]


class LateReceipt(models.Model):
    """Money that reached an agency after a recall; it names the loan without reading it."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", _("Waiting for the bank")
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    loan_reference = models.CharField(_("loan reference"), max_length=60)
    reference = models.CharField(_("payment reference"), max_length=60)
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    value_on = models.DateField(_("value date"))
    note = models.TextField(_("note"), blank=True, max_length=2000)
    state = models.CharField(max_length=10, choices=State, default=State.SUBMITTED)
    submitted_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(_("reason"), blank=True)
    recovery = models.OneToOneField(
        "portfolios.Recovery", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agency", "reference"],
                name="late_receipt_reference_once_per_agency",
            ),
            models.CheckConstraint(
                name="late_receipt_amount_positive",
                condition=models.Q(amount_minor__gt=0),
            ),
        ]
