"""Exports: loans that left the portal as a file, and the proof that they are gone again."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Export(models.Model):
    """A link to the loans of one placement for one person or machine, `actor_id`.

    It may be followed once, until `expires_at`. Nothing of it is changed afterwards: how many
    rows left is the sum of its parts, and it was finished where one of them is the last.
    `title` is the placement's, which the agency cannot read any more once it is over.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="exports"
    )
    title = models.CharField(_("placement"), max_length=160)
    fields = models.JSONField(_("columns"))
    actor_id = models.UUIDField()
    actor_label = models.CharField(_("by"), max_length=160)
    requested_at = models.DateTimeField(_("asked for"))
    expires_at = models.DateTimeField()


class ExportPart(models.Model):
    """At most 500 rows of an export, written before they are sent.

    `digests` are the keyed digests of their loans, 32 bytes each, one after the other.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="+"
    )
    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="parts")
    number = models.PositiveIntegerField()
    row_count = models.PositiveIntegerField(_("rows"))
    digests = models.BinaryField()
    is_last = models.BooleanField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["export", "number"], name="one_export_part_per_number")
        ]


class Certificate(models.Model):
    """An agency's word that what it took out of one placement is destroyed, signed by the portal.

    `document` is the text that was signed, `signature` Ed25519 over it in base64, `key_id` the
    beginning of the public key's digest.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    placement = models.OneToOneField(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="certificate"
    )
    title = models.CharField(_("placement"), max_length=160)
    document = models.TextField()
    signature = models.CharField(max_length=88)
    key_id = models.CharField(max_length=16)
    row_count = models.PositiveIntegerField(_("rows"))
    attested_at = models.DateTimeField(_("given"))
    attested_by = models.CharField(_("by"), max_length=160)
