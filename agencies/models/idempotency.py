"""The first answer to a call that must have one effect however often it is sent."""

from django.db import models

from config import ids


class IdempotentCall(models.Model):
    """One agency's key, the hash of what came with it, and the answer it was given."""

    id = ids.primary_key()
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    operation = models.CharField(max_length=60)
    key = models.CharField(max_length=80)
    body_sha256 = models.CharField(max_length=64)
    answer = models.JSONField()
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agency", "operation", "key"], name="one_answer_per_key"
            )
        ]
