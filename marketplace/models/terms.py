"""Terms: what every person accepts before anything of a listing's room is shown to them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class ListingTerms(models.Model):
    """A text of the bank, known by its hash; the listing says which one counts."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    listing = models.ForeignKey("marketplace.Listing", on_delete=models.PROTECT, related_name="+")
    text = models.TextField(_("terms"), max_length=20_000)
    sha256 = models.CharField(max_length=64)
    set_at = models.DateTimeField()
    set_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "sha256"], name="terms_once_per_listing")
        ]


class TermsAcceptance(models.Model):
    """One person's consent to one text; an administrator's counts for the agency's machines.

    To the bank it is sealed as bids are: it would tell who is interested.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    listing = models.ForeignKey("marketplace.Listing", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    covers_machines = models.BooleanField()
    accepted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["listing", "user", "sha256"], name="terms_accepted_once"
            )
        ]
