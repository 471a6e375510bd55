"""Awards: who got which share, why, and what the draw dealt from."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Award(models.Model):
    """The decision on one listing. With the listing's seed the same lots can be drawn again.

    Of the portfolio `comparison_ppm` went to all winners in equal lots, and `hold_out_ppm` to
    nobody until `hold_out_until`, the first day on which these loans may be placed. The balance of
    the held-out lot is as in `AwardShare`; `largest_difference_ppm` is of all lots.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    listing = models.OneToOneField(
        "marketplace.Listing", on_delete=models.PROTECT, related_name="award"
    )
    reason = models.TextField(_("reason"))
    comparison_ppm = models.IntegerField(_("part for comparison"), default=0)
    hold_out_ppm = models.IntegerField(_("part held out"), default=0)
    hold_out_until = models.DateField(_("held out until"), null=True)
    hold_out_reason = models.TextField(_("reason of the hold-out"), blank=True)
    hold_out_balance = models.JSONField(null=True)
    largest_difference_ppm = models.IntegerField(_("largest difference"), default=0)
    spread_ppm = models.IntegerField(_("spread of average balances"), default=0)
    imbalance_reason = models.TextField(_("why the lots were accepted"), blank=True)
    awarded_at = models.DateTimeField()
    awarded_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="award_parts_possible",
                condition=models.Q(
                    comparison_ppm__gte=0,
                    comparison_ppm__lte=1_000_000,
                    hold_out_ppm__gte=0,
                    hold_out_ppm__lt=1_000_000,
                ),
            ),
            models.CheckConstraint(
                name="hold_out_has_an_end_and_a_reason",
                condition=models.Q(hold_out_ppm=0, hold_out_until=None, hold_out_reason="")
                | models.Q(hold_out_ppm__gt=0, hold_out_until__isnull=False)
                & ~models.Q(hold_out_reason=""),
            ),
        ]

    @property
    def seed(self) -> str:
        return self.listing.seed


class AwardShare(models.Model):
    """One winner's part of an award, in parts per million of the portfolio's loans.

    `lot` numbers the winners by their bids' ids. `balance` is a `lot_balance.LotBalance`: this lot
    against the rest of the loans, nothing of any other lot; `comparison_balance` is that of the
    part in it that every winner got an equal one of.
    """

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
    balance = models.JSONField(default=dict)
    comparison_balance = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["award", "lot"], name="one_share_per_lot"),
            models.CheckConstraint(
                name="award_share_possible",
                condition=models.Q(share_ppm__gt=0, share_ppm__lte=1_000_000),
            ),
        ]


class DrawnLoan(models.Model):
    """One loan of a draw as it was then, and where chance put it: what drawing again needs.

    `borrower_number` is the same for loans of one borrower. `lot` is that of the `AwardShare`.
    """

    class Part(models.TextChoices):
        SHARE = "share", _("Share")
        COMPARISON = "comparison", _("Comparison")
        HOLD_OUT = "hold_out", _("Held out")
        LEFT_OVER = "left_over", _("Left over")

    pk = models.CompositePrimaryKey("award_id", "loan_id")
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="drawn_loans")
    loan = models.ForeignKey("portfolios.Loan", on_delete=models.PROTECT, related_name="+")
    borrower_number = models.IntegerField()
    balance_minor = models.BigIntegerField()
    days_past_due = models.PositiveIntegerField()
    score = models.IntegerField(null=True)
    expected_recovery_ppm = models.IntegerField(null=True)
    earlier_placements = models.PositiveIntegerField()
    product = models.CharField(max_length=60, blank=True)
    region = models.CharField(max_length=20, blank=True)
    part = models.CharField(max_length=10, choices=Part)
    lot = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="drawn_into_a_lot_or_none",
                condition=models.Q(part__in=["share", "comparison"], lot__isnull=False)
                | models.Q(part__in=["hold_out", "left_over"], lot=None),
            )
        ]
