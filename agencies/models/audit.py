"""The audit trail and, apart from it, what was refused. Both are append-only by permission."""

from django.db import models

from config import ids


class AuditEntry(models.Model):
    """Who did what to which object, when and why; written in the transaction of the change.

    `institution` and `agency` say who may read the entry, `placement_id` that the agency may do
    so only while it holds that placement, `sealed_until` that the institution may not before
    then. `changes` never holds personal data.
    """

    id = ids.primary_key()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=160)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField()
    reason = models.TextField(blank=True)
    changes = models.JSONField(default=dict)
    institution = models.ForeignKey(
        "agencies.Institution", null=True, on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey(
        "agencies.Agency", null=True, on_delete=models.PROTECT, related_name="+"
    )
    placement_id = models.UUIDField(null=True)
    sealed_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["object_id", "at"], name="audit_by_object"),
            models.Index(fields=["institution", "-at"], name="audit_by_institution"),
            models.Index(fields=["agency", "-at"], name="audit_by_agency"),
        ]


class Denial(models.Model):
    """A refusal: who tried what. Kept apart so that an attack does not drown the trail."""

    id = ids.primary_key()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=160)
    operation = models.CharField(max_length=120)
    code = models.CharField(max_length=40)
    institution = models.ForeignKey(
        "agencies.Institution", null=True, on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey(
        "agencies.Agency", null=True, on_delete=models.PROTECT, related_name="+"
    )
