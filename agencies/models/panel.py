"""The panel: what one institution decided about one agency belongs to the pair."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class PanelMembership(models.Model):
    """One agency on one institution's panel, from application to suspension."""

    class State(models.TextChoices):
        APPLIED = "applied", _("Applied")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        SUSPENDED = "suspended", _("Suspended")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=State, default=State.APPLIED)
    licence_number = models.CharField(_("licence number"), max_length=60)
    jurisdictions = ArrayField(models.CharField(max_length=10), verbose_name=_("jurisdictions"))
    capacity_loans = models.PositiveIntegerField(_("how many loans it can take"))
    applied_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        "agencies.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "agency"], name="one_membership_per_pair"
            ),
            models.CheckConstraint(
                name="membership_state_known",
                condition=models.Q(state__in=["applied", "approved", "rejected", "suspended"]),
            ),
            models.CheckConstraint(
                name="membership_decision_is_signed",
                condition=models.Q(state="applied")
                | models.Q(decided_at__isnull=False, decided_by__isnull=False)
                & ~models.Q(reason=""),
            ),
        ]


class VettingDocument(models.Model):
    """Evidence that came with an application; kept in the database behind its walls."""

    id = ids.primary_key()
    membership = models.ForeignKey(
        PanelMembership, on_delete=models.PROTECT, related_name="documents"
    )
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=80)
    content = models.BinaryField()
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField()
