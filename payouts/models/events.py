"""Stripe's webhooks, stored before they are understood."""

from django.db import models

from config import ids


class ProviderEvent(models.Model):
    """One event as it arrived, signature checked; `remote_id` makes a second delivery harmless.

    It belongs to no institution until it is processed: the payload is a hint to fetch the object.
    """

    id = ids.primary_key()
    remote_id = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=80)
    transfer_group = models.CharField(max_length=80, blank=True)
    object_id = models.CharField(max_length=80, blank=True)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["received_at"],
                condition=models.Q(processed_at__isnull=True),
                name="event_unprocessed",
            )
        ]
