"""Back-tests: who would stand elsewhere, had a proposed policy been in force."""

from django.db import models

from config import ids


class RankingBacktest(models.Model):
    """The ranking in one currency under a proposed policy and the one in force; never changed.

    `moments` are in order of time: midnights at which past quarters ended, as texts in ISO 8601,
    and last the moment at which it was made. `results` have one entry per agency,
    `{agency, places}`, and of its places one per moment: `{before, after}`, each of them
    `{status, position, is_tied, index}` as in a `RankingScore`, or null where it had no loans.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    policy = models.ForeignKey(
        "marketplace.RankingPolicy", on_delete=models.PROTECT, related_name="backtests"
    )
    in_force = models.ForeignKey(
        "marketplace.RankingPolicy", on_delete=models.PROTECT, related_name="+"
    )
    currency = models.CharField(max_length=3)
    code_version = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")
    moments = models.JSONField(default=list)
    results = models.JSONField(default=list)

    class Meta:
        indexes = [
            models.Index(fields=["policy", "currency", "-made_at"], name="ranking_backtest_newest")
        ]
