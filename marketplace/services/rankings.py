"""Rankings: success rates computed over every spell, kept with the seed of their intervals."""

import datetime
import hashlib
from zoneinfo import ZoneInfo

import numpy as np
from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from agencies.models import Institution
from agencies.selectors import visible_institutions
from config import clock, errors
from marketplace import scoring
from marketplace.models import Ranking, RankingRow
from marketplace.selectors import visible_rankings
from portfolios.models import Complaint
from portfolios.selectors import (
    recovered_by_spell,
    visible_complaints,
    visible_placements,
    visible_spells,
)

MAY_COMPUTE = policies.VENDOR_MANAGERS | policies.SWEEPS

SMALLEST_FIELD = 5
"""In a smaller field an agency could tell who is who."""

SEED_BYTES = 7


def compute(*, actor: Actor, currency: str) -> Ranking:
    """Rank the agencies of the actor's institution in one currency as of now, and keep it.

    Every spell counts, those that are over too: confirmed recoveries less reversals ÷ balance at
    placement. Raises `InvalidState` where nothing was ever placed in that currency.
    """
    policies.demand(actor, MAY_COMPUTE)
    institution = selectors.find(visible_institutions(actor), pk=actor.institution_id)
    with transaction.atomic():
        computed_at = clock.now()
        agencies, index, placed, recovered = _spells(actor, currency)
        if not agencies:
            raise errors.InvalidState(
                "NOTHING_PLACED", _("Nothing was ever placed in this currency.")
            )
        seed = _seed(institution, currency)
        scores = scoring.success_rates(index, placed, recovered, agencies=len(agencies), seed=seed)
        ranking = Ranking.objects.create(
            institution=institution,
            currency=currency,
            computed_at=computed_at,
            seed=seed,
            pooled_rate_ppm=scoring.pooled_rate_ppm(placed, recovered) or 0,
            field=_field(scores),
        )
        complaints = _complaints(actor, currency)
        RankingRow.objects.bulk_create(
            _row(ranking, agencies[score.agency], score, complaints) for score in scores
        )
        audit.record(
            actor,
            "ranking.compute",
            ranking,
            changes={"currency": currency, "agencies": len(agencies), "loans": len(index)},
        )
    return ranking


def compute_due(*, actor: Actor) -> int:
    """Compute what was not computed yet on this day of the institution; answers how many."""
    policies.demand(actor, policies.SWEEPS)
    institution = selectors.find(visible_institutions(actor), pk=actor.institution_id)
    today = clock.business_date(institution.time_zone)
    midnight = datetime.datetime.combine(today, datetime.time.min, ZoneInfo(institution.time_zone))
    placed = visible_placements(actor).order_by().values_list("currency", flat=True).distinct()
    fresh = visible_rankings(actor).filter(computed_at__gte=midnight)
    due = set(placed) - set(fresh.values_list("currency", flat=True))
    for currency in sorted(due):
        compute(actor=actor, currency=currency)
    return len(due)


def _spells(actor: Actor, currency: str) -> tuple[list, np.ndarray, np.ndarray, np.ndarray]:
    """The agencies in order of their key; and per spell its agency's place in that list, its
    balance at placement and its confirmed net recovery, in minor units."""
    spells = visible_spells(actor).filter(placement__currency=currency)
    rows = list(recovered_by_spell(spells))
    agencies = sorted({agency for agency, _placed, _recovered in rows})
    places = {agency: place for place, agency in enumerate(agencies)}
    index = np.array([places[agency] for agency, _placed, _recovered in rows], dtype=np.int64)
    placed = np.array([balance for _agency, balance, _recovered in rows], dtype=np.int64)
    recovered = np.array([amount for _agency, _balance, amount in rows], dtype=np.int64)
    return agencies, index, placed, recovered


def _seed(institution: Institution, currency: str) -> int:
    """The same one each time: equal data gives equal intervals, and nobody can pick a lucky one."""
    digest = hashlib.sha256(f"{institution.slug}/{currency}".encode()).digest()
    return int.from_bytes(digest[:SEED_BYTES])


def _field(scores: list[scoring.Score]) -> list[dict]:
    if len(scores) < SMALLEST_FIELD:
        return []
    return [
        {
            "rate_ppm": score.rate_ppm,
            "low_ppm": score.low_ppm,
            "high_ppm": score.high_ppm,
            "loans": score.loans,
        }
        for score in scores
    ]


def _complaints(actor: Actor, currency: str) -> dict:
    """Agency → (complaints received, those upheld and its doing) over placements in a currency."""
    counted = (
        visible_complaints(actor)
        .filter(placement__currency=currency)
        .order_by()
        .values("agency")
        .annotate(
            received=Count("pk"),
            upheld=Count("pk", filter=Q(outcome=Complaint.Outcome.UPHELD, is_agency_at_fault=True)),
        )
    )
    return {row["agency"]: (row["received"], row["upheld"]) for row in counted}


def _row(ranking: Ranking, agency_id, score: scoring.Score, complaints: dict) -> RankingRow:
    """Everybody here has a loan, and so a rate and a position."""
    received, upheld = complaints.get(agency_id, (0, 0))
    return RankingRow(
        institution_id=ranking.institution_id,
        agency_id=agency_id,
        ranking=ranking,
        position=score.position or 0,
        loans=score.loans,
        placed_minor=score.placed_minor,
        recovered_minor=score.recovered_minor,
        rate_ppm=score.rate_ppm or 0,
        low_ppm=score.low_ppm,
        high_ppm=score.high_ppm,
        complaints_received=received,
        complaints_upheld=upheld,
    )
