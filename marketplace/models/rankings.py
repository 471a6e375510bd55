"""Rankings: what each agency achieved against an average one, kept as it was computed."""

import dataclasses
import datetime
import uuid
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


@dataclasses.dataclass(frozen=True, slots=True)
class RankingCut:
    """Which loans and days a ranking is of: those of one portfolio, of one product, of the days
    from `starts_on` to `ends_on` (both or neither); without any of these of everything within the
    policy's window."""

    portfolio_id: uuid.UUID | None = None
    product: str = ""
    starts_on: datetime.date | None = None
    ends_on: datetime.date | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The cut as columns of a run and of the pointer to it."""
        return dataclasses.asdict(self)


WHOLE = RankingCut()


class RankingRun(models.Model):
    """One computation over one institution's panel; never changed.

    It saw what was recorded before `watermark`, under one `policy` and by one `code_version`, in
    one currency, of the loans and days of a `RankingCut`. `inputs_sha256` and
    `results_sha256` are what the same computation gives again. `fit` is what it found besides the
    scores: `{basis, pull, groups, …}` as in `marketplace.success.table.diagnostics`. `field` is the
    panel without names, best first, for the agencies to see: `{index, low, high, status}`; empty
    where it has too few agencies.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    policy = models.ForeignKey(
        "marketplace.RankingPolicy", on_delete=models.PROTECT, related_name="+"
    )
    currency = models.CharField(max_length=3)
    portfolio = models.ForeignKey(
        "portfolios.Portfolio", null=True, on_delete=models.PROTECT, related_name="+"
    )
    product = models.CharField(max_length=60, blank=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    watermark = models.DateTimeField()
    computed_at = models.DateTimeField()
    code_version = models.CharField(max_length=64)
    inputs_sha256 = models.CharField(max_length=64)
    results_sha256 = models.CharField(max_length=64)
    fit = models.JSONField(default=dict)
    field = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="ranking_run_period_possible",
                condition=models.Q(starts_on__isnull=True, ends_on__isnull=True)
                | models.Q(starts_on__lte=models.F("ends_on")),
            )
        ]
        indexes = [
            models.Index(
                fields=["institution", "currency", "-watermark"], name="ranking_run_newest"
            )
        ]

    @property
    def cut(self) -> RankingCut:
        return RankingCut(self.portfolio_id, self.product, self.starts_on, self.ends_on)


class CurrentRanking(models.Model):
    """Which run is shown for one currency and one cut."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    currency = models.CharField(max_length=3)
    portfolio = models.ForeignKey(
        "portfolios.Portfolio", null=True, on_delete=models.PROTECT, related_name="+"
    )
    product = models.CharField(max_length=60, blank=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    run = models.OneToOneField(RankingRun, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "institution",
                    "currency",
                    "portfolio",
                    "product",
                    "starts_on",
                    "ends_on",
                ],
                nulls_distinct=False,
                name="one_current_ranking",
            )
        ]


class RankingScore(models.Model):
    """One agency in one run. Ratios are to the average agency of its group, which has 1.

    `recovered_minor` is what came in on exposed days, `observed_minor` that without what the cap on
    one loan's cash leaves out, `expected_minor` what an average
    agency would have had on the same loans; `raw_index` = `exposure_factor` × `mix_factor` ×
    observed ÷ expected, and that is `count_factor` × `tilt_factor` × `size_factor`. `index` lies
    from `low` to `high` with 95 %. The place is empty unless `status` is ranked: `position` is one
    more than how many stand in tiers before it, and `is_tied` says that it shares its tier.
    `rate_ppm` is the raw rate, recovered ÷ placed. `is_told` says that the agency itself may learn
    what was expected without learning what a rival did. `segments` are `{stratum, is_told,
    loan_months, payers, expected_payers, observed_minor, expected_minor}`, `curve` by month on book
    the cumulative rates `{observed_ppm, expected_ppm}`.
    """

    class Status(models.TextChoices):
        RANKED = "ranked", _("Ranked")
        PROVISIONAL = "provisional", _("Provisional")
        TOO_LITTLE = "too_little", _("Too little data")
        BARRED = "barred", _("Suspended")

    class Light(models.TextChoices):
        GREEN = "green", _("Green")
        AMBER = "amber", _("Amber")
        RED = "red", _("Red")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(RankingRun, on_delete=models.PROTECT, related_name="scores")
    order = models.PositiveIntegerField()
    loans = models.PositiveIntegerField()
    placed_minor = models.BigIntegerField()
    recovered_minor = models.BigIntegerField()
    observed_minor = models.BigIntegerField()
    expected_minor = models.BigIntegerField()
    rate_ppm = models.IntegerField()
    raw_index = models.FloatField()
    exposure_factor = models.FloatField()
    mix_factor = models.FloatField()
    count_factor = models.FloatField()
    tilt_factor = models.FloatField()
    size_factor = models.FloatField()
    index = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    probability_above_one = models.FloatField()
    reliability = models.FloatField()
    effective_payments = models.FloatField()
    comparison_group = models.PositiveIntegerField()
    status = models.CharField(max_length=11, choices=Status)
    position = models.PositiveIntegerField(null=True)
    is_tied = models.BooleanField(default=False)
    expected_rank = models.FloatField(null=True)
    rank_low = models.PositiveIntegerField(null=True)
    rank_high = models.PositiveIntegerField(null=True)
    probability_top_quarter = models.FloatField(null=True)
    tier = models.PositiveIntegerField(null=True)
    light = models.CharField(max_length=5, choices=Light)
    complaint_ratio = models.FloatField()
    complaints_received = models.PositiveIntegerField()
    complaints_upheld = models.PositiveIntegerField()
    has_critical = models.BooleanField()
    is_told = models.BooleanField()
    segments = models.JSONField(default=list)
    curve = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "agency"], name="scored_once"),
            models.CheckConstraint(
                name="score_has_a_place_if_ranked",
                condition=models.Q(
                    status="ranked",
                    position__isnull=False,
                    expected_rank__isnull=False,
                    rank_low__isnull=False,
                    rank_high__isnull=False,
                    probability_top_quarter__isnull=False,
                    tier__isnull=False,
                )
                | models.Q(
                    status__in=["provisional", "too_little", "barred"], position__isnull=True
                ),
            ),
        ]


class RankingPack(models.Model):
    """One agency's own cells in one run, as a gzipped CSV with what was expected of each."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(RankingRun, on_delete=models.PROTECT, related_name="packs")
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "agency"], name="packed_once")]
