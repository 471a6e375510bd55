"""What the engine found, as rows that are kept."""

import hashlib
import struct
import uuid

import numpy as np

from config import money
from marketplace.models import RankingPack, RankingRun, RankingScore
from marketplace.services.conduct_gates import Conduct
from marketplace.services.ranking_packs import is_whole_told, pack, told
from marketplace.services.success_books import SuccessBook
from marketplace.success.scores import Result, Score
from marketplace.success.standing import Status

STATUS = {
    Status.RANKED: RankingScore.Status.RANKED,
    Status.PROVISIONAL: RankingScore.Status.PROVISIONAL,
    Status.TOO_LITTLE: RankingScore.Status.TOO_LITTLE,
    Status.BARRED: RankingScore.Status.BARRED,
}
LARGEST_RATE_PPM = 1_000_000_000
"""A thousand times what was placed, which comes of a loan placed at next to nothing."""
DECIMALS = 2
"""Of what agencies are shown of others: enough to compare with, too little to know somebody by."""


def scores(
    run: RankingRun, book: SuccessBook, result: Result, conduct: list[Conduct]
) -> list[RankingScore]:
    """A row for each agency, the best first."""
    return [
        _score(run, book, result, order, score, conduct[score.agency])
        for order, score in enumerate(result.scores, 1)
    ]


def packs(run: RankingRun, book: SuccessBook, result: Result) -> list[RankingPack]:
    """A pack for each agency."""
    return [
        RankingPack(
            institution_id=run.institution_id,
            agency_id=agency_id,
            run=run,
            content=pack(run.policy, book, result, number),
        )
        for number, agency_id in enumerate(book.agencies)
    ]


def field(run: RankingRun, result: Result, conduct: list[Conduct]) -> list[dict]:
    """The panel without names, best first; nothing where somebody could be known in it."""
    exposed = result.cells.balance_months.sum(axis=(1, 2))
    too_few = len(result.scores) < run.policy.smallest_field
    if too_few or exposed.max() * money.PPM > run.policy.largest_share_ppm * exposed.sum():
        return []
    return [
        {
            "index": round(score.index, DECIMALS),
            "low": round(score.low, DECIMALS),
            "high": round(score.high, DECIMALS),
            "status": STATUS[score.status].value,
        }
        for score in result.scores
    ]


def digest(agencies: list[uuid.UUID], result: Result) -> str:
    """SHA-256 of all figures to the last bit, in the order of the agencies' ids."""
    found = hashlib.sha256()
    for score in sorted(result.scores, key=lambda score: score.agency):
        place = score.place
        figures = [
            score.observed,
            score.expected,
            score.raw_index,
            score.exposure_factor,
            score.mix_factor,
            score.count,
            score.tilt,
            score.size,
            score.index,
            score.low,
            score.high,
            score.reliability,
            score.effective_payments,
            place.expected_rank if place else 0.0,
            place.probability_top_quarter if place else 0.0,
        ]
        found.update(agencies[score.agency].bytes)
        found.update(score.status.value.encode())
        found.update(struct.pack(f"<{len(figures)}d", *figures))
    return found.hexdigest()


def _score(
    run: RankingRun,
    book: SuccessBook,
    result: Result,
    order: int,
    score: Score,
    conduct: Conduct,
) -> RankingScore:
    place = score.place
    placed_minor = round(score.balance)
    recovered_minor = round(float(book.cells.in_pairs().cash[score.agency].sum()))
    return RankingScore(
        institution_id=run.institution_id,
        agency_id=book.agencies[score.agency],
        run=run,
        order=order,
        loans=score.loans,
        placed_minor=placed_minor,
        recovered_minor=recovered_minor,
        observed_minor=round(score.observed),
        expected_minor=round(score.expected),
        rate_ppm=min(
            money.round_half_away(recovered_minor * money.PPM, placed_minor), LARGEST_RATE_PPM
        ),
        raw_index=score.raw_index,
        exposure_factor=score.exposure_factor,
        mix_factor=score.mix_factor,
        count_factor=score.count,
        tilt_factor=score.tilt,
        size_factor=score.size,
        index=score.index,
        low=score.low,
        high=score.high,
        probability_above_one=score.probability_above_one,
        reliability=score.reliability,
        effective_payments=score.effective_payments,
        comparison_group=score.group + 1,
        status=STATUS[score.status],
        position=place.position if place else None,
        is_tied=bool(place and place.is_tied),
        expected_rank=place.expected_rank if place else None,
        rank_low=place.low if place else None,
        rank_high=place.high if place else None,
        probability_top_quarter=place.probability_top_quarter if place else None,
        tier=place.tier if place else None,
        light=conduct.gate.light.value,
        complaint_ratio=conduct.gate.rate_ratio,
        complaints_received=conduct.received,
        complaints_upheld=conduct.upheld,
        has_critical=conduct.has_critical,
        is_told=is_whole_told(run.policy, result.cells, score.agency),
        segments=_segments(run, book, result, score.agency),
        curve=_curve(result, score.agency),
    )


def _segments(run: RankingRun, book: SuccessBook, result: Result, agency: int) -> list[dict]:
    """By stratum; `is_told` where the agency itself is told what was expected."""
    cells = result.cells
    is_told = (told(run.policy, cells, agency) | (cells.loan_months[agency] == 0)).all(axis=1)
    expected = (cells.balance_months[agency] * result.factors.money.rate).sum(axis=1)
    loan_months = cells.loan_months[agency].sum(axis=1)
    payers = cells.payers[agency].sum(axis=1)
    expected_payers = (cells.loan_months[agency] * result.factors.counts.rate).sum(axis=1)
    cash = cells.cash[agency].sum(axis=1)
    return [
        {
            "stratum": book.strata[number],
            "is_told": bool(is_told[number]),
            "loan_months": round(float(loan_months[number]), 2),
            "payers": round(payers[number]),
            "expected_payers": round(float(expected_payers[number]), 2),
            "observed_minor": round(cash[number]),
            "expected_minor": round(expected[number]),
        }
        for number in np.flatnonzero(loan_months)
    ]


def _curve(result: Result, agency: int) -> list[dict]:
    """Σ over the months until each of cash ÷ balance exposed: what a loan kept for so long brings.

    The increments by balance at risk are of the kind of Nelson and Aalen's, so loans of different
    ages count as long as they are there.
    """
    cells = result.cells
    balance = cells.balance_months[agency].sum(axis=0)
    cash = cells.cash[agency].sum(axis=0)
    expected = (cells.balance_months[agency] * result.factors.money.rate).sum(axis=0)
    last = int(np.flatnonzero(balance)[-1]) + 1 if balance.any() else 0
    steps = np.maximum(balance[:last], 1)
    return [
        {"observed_ppm": round(observed), "expected_ppm": round(typical)}
        for observed, typical in zip(
            np.cumsum(cash[:last] / steps) * money.PPM,
            np.cumsum(expected[:last] / steps) * money.PPM,
            strict=True,
        )
    ]
