"""Invitations: the only way in. The link sets the password and works once."""

from django.db import models

from config import ids


class Invitation(models.Model):
    """A link sent to a new person; only the SHA-256 of its secret is kept."""

    id = ids.primary_key()
    user = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")
    institution = models.ForeignKey(
        "agencies.Institution", null=True, on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey(
        "agencies.Agency", null=True, on_delete=models.PROTECT, related_name="+"
    )
    secret_sha256 = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
