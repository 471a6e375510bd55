"""Ranking policies: how one institution compares its agencies, version by version."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class RankingPolicy(models.Model):
    """One version of an institution's rules; what it says never changes, only its state does.

    `strata` are the facts of the first day by which loans are alike, the weightiest first: [name,
    edges of its bands] (the first day, amount, score or number of each band after the lowest), or
    [name, null] where each value is a band. Amounts here and in `least_payment` are in whole units
    of the currency.

    A run looks back `window_months` months of 30 days. A month counts as paying from
    `least_payment` and `least_share_ppm` of the balance on; a payment made at the bank itself
    counts from `lead_days` days after placement on; the cash of loans that were settled for less
    than `settlement_floor_ppm` of their balance does not count.

    Version 1 is the portal's own and has no proposer; every other one was proposed by one person
    and adopted by another.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        ADOPTED = "adopted", _("Adopted")
        REFUSED = "refused", _("Refused")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    version = models.PositiveIntegerField(_("version"))
    strata = models.JSONField(_("loans are alike by"))
    window_months = models.PositiveIntegerField(_("months looked back"), default=12)
    least_payment = models.PositiveIntegerField(_("least payment"), default=5)
    least_share_ppm = models.IntegerField(_("least payment, part of the balance"), default=5_000)
    lead_days = models.PositiveIntegerField(_("days before direct payments count"), default=5)
    settlement_floor_ppm = models.IntegerField(_("settlement floor"), default=0)
    cap_quantile_ppm = models.IntegerField(_("cap of one loan's cash"), default=995_000)
    tie_probability_ppm = models.IntegerField(_("certainty that ends a tier"), default=900_000)
    ranked_from_ppm = models.IntegerField(_("reliability from which ranked"), default=700_000)
    provisional_from_ppm = models.IntegerField(
        _("reliability from which provisional"), default=500_000
    )
    least_months = models.PositiveIntegerField(_("months before ranked"), default=3)
    smallest_field = models.PositiveIntegerField(_("agencies before others are shown"), default=5)
    largest_share_ppm = models.IntegerField(_("largest share of a shown cell"), default=500_000)
    red_ratio_ppm = models.IntegerField(_("red above this ratio of complaints"), default=1_500_000)
    amber_ratio_ppm = models.IntegerField(
        _("amber above this ratio of complaints"), default=1_250_000
    )
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    reason = models.TextField(_("reason"))
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(
        "agencies.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        "agencies.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    decision_reason = models.TextField(_("reason of the decision"), blank=True)

    class Meta:
        verbose_name_plural = "ranking policies"
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "version"], name="ranking_policy_version_once"
            ),
            models.UniqueConstraint(
                fields=["institution"],
                condition=models.Q(state="proposed"),
                name="one_proposed_ranking_policy",
            ),
            models.CheckConstraint(
                name="ranking_policy_decided",
                condition=models.Q(state="proposed", decided_at__isnull=True)
                | models.Q(state__in=["adopted", "refused"], decided_at__isnull=False),
            ),
            models.CheckConstraint(
                name="ranking_policy_by_two_people",
                condition=models.Q(version=1)
                | ~models.Q(state="adopted")
                | models.Q(proposed_by__isnull=False, decided_by__isnull=False)
                & ~models.Q(proposed_by=models.F("decided_by")),
            ),
            models.CheckConstraint(
                name="ranking_policy_possible",
                condition=models.Q(window_months__gte=3, window_months__lte=60)
                & models.Q(least_share_ppm__gte=0, least_share_ppm__lte=1_000_000)
                & models.Q(settlement_floor_ppm__gte=0, settlement_floor_ppm__lte=1_000_000)
                & models.Q(cap_quantile_ppm__gt=0, cap_quantile_ppm__lte=1_000_000)
                & models.Q(tie_probability_ppm__gt=500_000, tie_probability_ppm__lt=1_000_000)
                & models.Q(provisional_from_ppm__gte=0, ranked_from_ppm__lte=1_000_000)
                & models.Q(provisional_from_ppm__lte=models.F("ranked_from_ppm"))
                & models.Q(lead_days__lte=90, smallest_field__gte=5)
                & models.Q(largest_share_ppm__gt=0, largest_share_ppm__lte=500_000)
                & models.Q(amber_ratio_ppm__gt=1_000_000)
                & models.Q(red_ratio_ppm__gte=models.F("amber_ratio_ppm")),
            ),
        ]
