"""Bids: sealed until the listing closes, immutable after."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Bid(models.Model):
    """One agency's offer on one listing.

    `closes_at` is the listing's, copied so that row-level security can keep the bank from reading
    the row before then without asking another table.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    listing = models.ForeignKey("marketplace.Listing", on_delete=models.PROTECT, related_name="+")
    closes_at = models.DateTimeField()
    rate_ppm = models.IntegerField(_("commission rate"))
    capacity_loans = models.PositiveIntegerField(_("loans it can take"))
    note = models.TextField(_("note"), blank=True, max_length=2000)
    submitted_at = models.DateTimeField(_("submitted"))
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "agency"], name="one_bid_per_agency"),
            models.CheckConstraint(
                name="bid_rate_possible",
                condition=models.Q(rate_ppm__gt=0, rate_ppm__lte=1_000_000),
            ),
            models.CheckConstraint(
                name="bid_takes_some_loans", condition=models.Q(capacity_loans__gt=0)
            ),
        ]
