"""What a ranking says, in words: places, intervals, changes, and the finding of a panel."""

import uuid
from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from frontend.charts import funnels
from frontend.charts.wording import times
from frontend.templatetags import fairplace
from marketplace.models import RankingScore

RANKED = RankingScore.Status.RANKED


def place(score: RankingScore) -> str:
    """`1`, or `2=` where several cannot be told apart; nothing where there is no place."""
    if score.position is None:
        return ""
    return f"{fairplace.integer(score.position)}{'=' if score.is_tied else ''}"


def raw_positions(scores: Iterable[RankingScore]) -> dict[uuid.UUID, int]:
    """Agency → where its raw rate would put it, equal rates together."""
    rates = [score.rate_ppm for score in scores]
    return {score.agency_id: 1 + sum(rate > score.rate_ppm for rate in rates) for score in scores}


def interval(score: RankingScore) -> str:
    return _("%(low)s to %(high)s") % {"low": times(score.low), "high": times(score.high)}


def side(factor: float) -> str:
    """On which side of 1 a factor is as it is printed: `above`, `below` or the `same`."""
    printed = round(factor, 2)
    return "same" if printed == 1 else "above" if printed > 1 else "below"


def change(score: RankingScore, earlier: RankingScore | None) -> str:
    """How the index moved, and whether chance would have moved it so far: it would not have out of
    the earlier interval. Nothing can be said where another policy was in force."""
    if earlier is None:
        return _("new")
    before = times(earlier.index)
    if earlier.run.policy_id != score.run.policy_id:
        return _("%(before)s before, by another policy") % {"before": before}
    if earlier.low <= score.index <= earlier.high:
        return _("%(before)s before: no more than noise") % {"before": before}
    if score.index > earlier.high:
        return _("%(before)s before: better, more than noise") % {"before": before}
    return _("%(before)s before: worse, more than noise") % {"before": before}


def finding(scores: list[RankingScore]) -> str:
    """The one sentence that a panel's caterpillar shows."""
    above = sum(score.low > 1 for score in scores)
    below = sum(score.high < 1 for score in scores)
    if not above and not below:
        return _("No agency can be told apart from the average one")
    return _(
        "%(above)s better than the average agency, %(below)s worse; the other %(rest)s cannot be"
        " told apart from it"
    ) % {"above": above, "below": below, "rest": len(scores) - above - below}


def outliers(points: list[dict]) -> str:
    """The one sentence that a panel's funnel shows."""
    outside = sum(funnels.is_outside(point) for point in points)
    if not outside:
        return _("What came in differs from what was expected no more than chance makes it")
    return ngettext(
        "%(count)s agency is further from what was expected than chance explains",
        "%(count)s agencies are further from what was expected than chance explains",
        outside,
    ) % {"count": fairplace.integer(outside)}


def _given(score: RankingScore) -> float:
    """What an agency was given: how long its loans have been out, and how easy they are."""
    return score.exposure_factor * score.mix_factor


def contrast(scores: list[RankingScore]) -> str:
    """A sentence where the raw rate has another leader than the index; nothing where it has not."""
    ranked = [score for score in scores if score.status == RANKED]
    if not ranked:
        return ""
    by_rate = max(ranked, key=lambda score: score.rate_ppm)
    best = ranked[0]
    if by_rate.agency_id == best.agency_id or _given(by_rate) <= _given(best):
        return ""
    return _(
        "%(raw)s has the highest raw rate, because of what it was given and for how long: on the"
        " same loans it recovered %(raw_index)s what an average agency would have, %(best)s"
        " %(best_index)s."
    ) % {
        "raw": by_rate.agency.name,
        "raw_index": times(by_rate.index),
        "best": best.agency.name,
        "best_index": times(best.index),
    }
