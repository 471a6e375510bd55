"""Scores as a table, and what the fit found, for files and for whoever reads them."""

from collections.abc import Sequence

from marketplace.success.scores import Result, Score

SCORE_COLUMNS = (
    "agency loans balance observed expected raw_index exposure_factor mix_factor index low high"
    " expected_rank rank_low rank_high probability_top_quarter tier reliability status group"
).split()


def rows(agencies: Sequence[str], result: Result) -> list[dict[str, object]]:
    """The scores as rows of `SCORE_COLUMNS`, the best first; `agencies` are the names by index, and
    None stands where an agency has no place."""
    return [_row(agencies[score.agency], score) for score in result.scores]


def _row(name: str, score: Score) -> dict[str, object]:
    place = score.place
    return {
        "agency": name,
        "loans": score.loans,
        "balance": round(score.balance, 2),
        "observed": round(score.observed, 2),
        "expected": round(score.expected, 2),
        "raw_index": round(score.raw_index, 4),
        "exposure_factor": round(score.exposure_factor, 4),
        "mix_factor": round(score.mix_factor, 4),
        "index": round(score.index, 4),
        "low": round(score.low, 4),
        "high": round(score.high, 4),
        "expected_rank": place and round(place.expected_rank, 2),
        "rank_low": place and place.low,
        "rank_high": place and place.high,
        "probability_top_quarter": place and round(place.probability_top_quarter, 4),
        "tier": place and place.tier,
        "reliability": round(score.reliability, 4),
        "status": score.status.value,
        "group": score.group + 1,
    }


def diagnostics(result: Result) -> dict[str, object]:
    """What the fit found, for whoever wants to know how far to trust it."""
    return {
        "basis": "adjusted for recorded differences only"
        if result.pull is None
        else "adjusted for recorded differences, and by random lots for others",
        "pull": None if result.pull is None else round(result.pull, 4),
        "groups": result.groups,
        "passes_count": result.factors.counts.passes,
        "passes_money": result.factors.money.passes,
        "small_book": result.factors.is_small,
        "spread_count": round(result.tau_count, 4),
        "spread_tilt": round(result.tau_tilt, 4),
        "spread_size": round(result.tau_size, 4),
        "spread_between_lots": round(result.variances.between_lots**0.5, 4),
        "cash_beyond_cap": round(result.capped, 2),
        "cash_outside_exposure": round(result.outside, 2),
    }
