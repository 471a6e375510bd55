"""Visits: who of an agency saw what of a room, and when."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class RoomVisit(models.Model):
    """One look at a part of a room. It is never changed.

    The agency sees its own people's. To the bank the log is sealed while the portfolio is open
    for bids: whoever looks may bid.
    """

    class Part(models.TextChoices):
        TERMS = "terms", _("Accepted the terms")
        ROOM = "room", _("Looked at the room")
        TAPE = "tape", _("Took the tape")
        DOCUMENT = "document", _("Took a document")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    listing = models.ForeignKey("marketplace.Listing", on_delete=models.PROTECT, related_name="+")
    visitor_id = models.UUIDField()
    visitor = models.CharField(_("who"), max_length=160)
    part = models.CharField(_("what"), max_length=10, choices=Part)
    document = models.ForeignKey(
        "marketplace.ListingDocument", null=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(_("when"))

    class Meta:
        indexes = [models.Index(fields=["listing", "id"], name="visit_by_listing")]
