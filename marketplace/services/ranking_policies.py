"""Ranking policies: what is decided about a ranking, in versions."""

from typing import Any

from django.db import transaction

from agencies import audit, policies
from agencies.actors import Actor
from config import clock, money
from marketplace.models import RankingPolicy
from marketplace.selectors import visible_ranking_policies
from marketplace.success import book, gate
from portfolios.services import idempotency

State = RankingPolicy.State
USUAL_STRATA = [
    ["product", None],
    ["days_past_due", [91, 181, 366, 731]],
    ["grade", None],
    ["balance", [500, 1_000, 2_500, 5_000, 10_000, 25_000]],
    ["earlier_placements", [1, 2]],
]
MAY_USE = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS | policies.SWEEPS
MAY_READ = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS | policies.AUDITORS


def current(*, actor: Actor) -> RankingPolicy:
    """The newest adopted version of the actor's institution; the portal's own, not saved, where
    there is none yet."""
    policies.demand(actor, MAY_READ)
    own: Any = actor.institution_id
    adopted = visible_ranking_policies(actor).filter(state=State.ADOPTED)
    return adopted.order_by("-version").first() or RankingPolicy(
        institution_id=own, version=1, strata=USUAL_STRATA, state=State.ADOPTED
    )


def in_force(*, actor: Actor) -> RankingPolicy:
    """The newest adopted version, locked until the transaction ends: one run at a time.

    Where there is none yet, the portal's own becomes version 1. Raises `InvalidState` `BUSY` where
    another run takes too long.
    """
    policies.demand(actor, MAY_USE)
    idempotency.lock("ranking policy", actor.institution_id)
    adopted = visible_ranking_policies(actor).filter(state=State.ADOPTED).order_by("-version")
    found = adopted.first()
    if found is not None:
        return found
    moment = clock.now()
    owner: dict[str, Any] = {"institution_id": actor.institution_id}
    with transaction.atomic():
        made, is_new = RankingPolicy.objects.get_or_create(
            **owner,
            version=1,
            defaults={
                "strata": USUAL_STRATA,
                "state": State.ADOPTED,
                "reason": "The portal's own",
                "proposed_at": moment,
                "decided_at": moment,
            },
        )
        if is_new:
            audit.record(actor, "ranking_policy.begin", made, changes={"version": 1})
    return made


def engine_policy(policy: RankingPolicy, currency: str) -> book.Policy:
    """The engine's parameters, in minor units of the currency."""
    return book.Policy(
        least_payment=policy.least_payment * 10 ** money.exponent(currency),
        least_share_ppm=policy.least_share_ppm,
        cap_quantile=policy.cap_quantile_ppm / money.PPM,
        tie_probability=policy.tie_probability_ppm / money.PPM,
        ranked_from=policy.ranked_from_ppm / money.PPM,
        provisional_from=policy.provisional_from_ppm / money.PPM,
        least_months=policy.least_months,
    )


def gate_limits(policy: RankingPolicy) -> gate.Limits:
    """When the gate of conduct turns amber, and when red."""
    return gate.Limits(
        red_ratio=policy.red_ratio_ppm / money.PPM, amber_ratio=policy.amber_ratio_ppm / money.PPM
    )
