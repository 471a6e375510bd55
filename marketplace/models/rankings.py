"""Rankings: success rates with their uncertainty, kept as they were computed."""

from django.db import models

from config import ids


class Ranking(models.Model):
    """One computation over one institution's panel and one currency.

    `field` is the panel without names, best first, for the agencies to see: a list of
    `{rate_ppm, low_ppm, high_ppm, loans}`; empty when fewer than five agencies are in it.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    currency = models.CharField(max_length=3)
    computed_at = models.DateTimeField()
    seed = models.BigIntegerField()
    pooled_rate_ppm = models.IntegerField()
    field = models.JSONField(default=list)

    class Meta:
        indexes = [
            models.Index(
                fields=["institution", "currency", "-computed_at"],
                name="ranking_newest",
            )
        ]


class RankingRow(models.Model):
    """One agency in one ranking. Interval bounds are empty where there are too few loans."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    ranking = models.ForeignKey(Ranking, on_delete=models.PROTECT, related_name="rows")
    position = models.PositiveIntegerField()
    loans = models.PositiveIntegerField()
    placed_minor = models.BigIntegerField()
    recovered_minor = models.BigIntegerField()
    rate_ppm = models.IntegerField()
    low_ppm = models.IntegerField(null=True)
    high_ppm = models.IntegerField(null=True)
    complaints_received = models.PositiveIntegerField()
    complaints_upheld = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ranking", "agency"], name="ranked_once"),
        ]
