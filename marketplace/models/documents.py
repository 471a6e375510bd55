"""Documents of a listing: what the bank adds to the tape."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class ListingDocument(models.Model):
    """A file for all bidders, kept in the database behind its walls. It is never changed."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    listing = models.ForeignKey("marketplace.Listing", on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(_("file"), max_length=120)
    content_type = models.CharField(max_length=80)
    content = models.BinaryField()
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField(_("added"))
    uploaded_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "sha256"], name="document_once_per_listing")
        ]

    def __str__(self):
        return self.file_name
