"""Awards: who got which share, why, and the seed that drew the lots."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Award(models.Model):
    """The decision on one listing. Anybody with the seed can draw the same lots again."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    listing = models.OneToOneField(
        "marketplace.Listing", on_delete=models.PROTECT, related_name="award"
    )
    seed = models.BigIntegerField()
    reason = models.TextField(_("reason"))
    awarded_at = models.DateTimeField()
    awarded_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")


class AwardShare(models.Model):
    """One winner's part of an award, in parts per million of the portfolio's loans."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="shares")
    listing = models.ForeignKey("marketplace.Listing", on_delete=models.PROTECT, related_name="+")
    bid = models.OneToOneField("marketplace.Bid", on_delete=models.PROTECT, related_name="+")
    placement = models.OneToOneField(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="+"
    )
    lot = models.PositiveIntegerField()
    share_ppm = models.IntegerField()
    rate_ppm = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["award", "lot"], name="one_share_per_lot"),
            models.CheckConstraint(
                name="award_share_possible",
                condition=models.Q(share_ppm__gt=0, share_ppm__lte=1_000_000),
            ),
        ]
