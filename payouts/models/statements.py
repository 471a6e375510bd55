"""Statements: what one institution owes one agency for one month, in one currency."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Statement(models.Model):
    """One month of one panel membership in one currency.

    `starts_on` is the first day of the month in the institution's time zone. The preparer makes
    and submits it, another person approves or sends it back.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Waiting for approval")
        APPROVED = "approved", _("Approved")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    membership = models.ForeignKey(
        "agencies.PanelMembership", on_delete=models.PROTECT, related_name="+"
    )
    currency = models.CharField(_("currency"), max_length=3)
    starts_on = models.DateField(_("month"))
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    total_minor = models.BigIntegerField(_("total"))
    line_count = models.PositiveIntegerField(_("lines"))
    content_sha256 = models.CharField(max_length=64)
    prepared_at = models.DateTimeField()
    prepared_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    submitted_by = models.ForeignKey(
        "agencies.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        "agencies.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    return_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "currency", "starts_on"],
                name="one_statement_per_month",
            ),
            models.CheckConstraint(
                name="statement_total_positive", condition=models.Q(total_minor__gt=0)
            ),
            models.CheckConstraint(
                name="statement_approved_by_another",
                condition=models.Q(approved_by__isnull=True)
                | ~models.Q(approved_by=models.F("prepared_by"))
                & ~models.Q(approved_by=models.F("submitted_by")),
            ),
            models.CheckConstraint(
                name="statement_states_are_signed",
                condition=models.Q(
                    state="draft", submitted_by__isnull=True, approved_by__isnull=True
                )
                | models.Q(
                    state="submitted",
                    submitted_by__isnull=False,
                    approved_by__isnull=True,
                )
                | models.Q(
                    state="approved",
                    submitted_by__isnull=False,
                    approved_by__isnull=False,
                ),
            ),
        ]
        indexes = [models.Index(fields=["institution", "state"], name="statement_by_state")]


class StatementLine(models.Model):
    """One commission entry on one statement, with what an agency needs to recompute it."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    entry = models.OneToOneField(
        "payouts.CommissionEntry", on_delete=models.PROTECT, related_name="line"
    )
    kind = models.CharField(
        max_length=8, choices=[("accrual", "accrual"), ("clawback", "clawback")]
    )
    reference = models.CharField(_("payment reference"), max_length=60)
    value_on = models.DateField(_("value date"))
    base_minor = models.BigIntegerField(_("base"))
    rate_ppm = models.IntegerField(_("rate"))
    amount_minor = models.BigIntegerField(_("commission"))
