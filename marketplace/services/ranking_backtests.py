"""Back-tests: a proposed ranking policy tried on what was known at the ends of past quarters."""

import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from agencies.selectors import visible_institutions
from config import clock, errors, money
from marketplace.models import RankingBacktest, RankingPolicy
from marketplace.selectors import visible_ranking_policies
from marketplace.services import ranking_answers, ranking_policies, ranking_results
from marketplace.services.exposures import Question
from portfolios.selectors import visible_placements

MAY_BACKTEST = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS
QUARTERS = 4
QUARTER_MONTHS = 3
DIGITS = 4
"""Decimals of an index that are kept."""


def backtest(*, actor: Actor, policy_id, currency: str) -> RankingBacktest:
    """Rank under the version in force and under a proposed one, now and at the ends of the last
    four quarters, as far as anything was exposed by then; nothing of it is shown as a ranking.

    Every moment reads the loans once for each version. Raises `InvalidInput` `UNKNOWN_CURRENCY`;
    `InvalidState` `NOT_PROPOSED` for a version that was decided, `NOTHING_PLACED` where no loan was
    ever placed in the currency.
    """
    policies.demand(actor, MAY_BACKTEST)
    institution = selectors.find(visible_institutions(actor), pk=actor.institution_id)
    policy = selectors.find(visible_ranking_policies(actor), pk=policy_id)
    _demand_proposed(policy)
    money.exponent(currency)
    placed = visible_placements(actor).filter(currency=currency)
    first = placed.order_by("opened_at").values_list("opened_at", flat=True).first()
    if first is None:
        raise errors.InvalidState("NOTHING_PLACED", _("No loan was ever placed in this currency."))
    in_force = ranking_policies.current(actor=actor)
    now = clock.now()
    zone = institution.time_zone
    made = RankingBacktest(
        institution_id=policy.institution_id,
        policy=policy,
        in_force=in_force,
        currency=currency,
        code_version=ranking_answers.code_version(),
        made_at=now,
        made_by_id=actor.user_id,  # type: ignore[misc]
    )
    found = []
    with transaction.atomic():
        for at in [*(end for end in quarter_ends(now, zone) if end > first), now]:
            before, after = (
                _places(actor, Question(policy=version, time_zone=zone, currency=currency, at=at))
                for version in (in_force, policy)
            )
            if before or after:
                found.append((at, before, after))
        made.moments = [at.isoformat() for at, _before, _after in found]
        made.results = _by_agency([(before, after) for _at, before, after in found])
        _demand_proposed(visible_ranking_policies(actor).select_for_update().get(pk=policy.pk))
        made.save(force_insert=True)
        audit.record(
            actor,
            "ranking_policy.backtest",
            policy,
            changes={
                "currency": currency,
                "version": policy.version,
                "moments": len(made.moments),
                "agencies": len(made.results),
            },
        )
    return made


def quarter_ends(now: datetime.datetime, time_zone: str) -> list[datetime.datetime]:
    """The midnights, in the institution's zone, at which the last four quarters ended; in order."""
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    months = today.year * 12 + (today.month - 1) // QUARTER_MONTHS * QUARTER_MONTHS
    ends = []
    for number in range(QUARTERS):
        year, month = divmod(months - number * QUARTER_MONTHS, 12)
        ends.append(datetime.datetime(year, month + 1, 1, tzinfo=zone))
    return ends[::-1]


def _demand_proposed(policy: RankingPolicy) -> None:
    if policy.state != RankingPolicy.State.PROPOSED:
        raise errors.InvalidState(
            "NOT_PROPOSED", _("This version was decided meanwhile. Look at it again.")
        )


def _places(actor: Actor, question: Question) -> dict[str, dict]:
    """Agency → its place in the answer; nothing where there is none."""
    found = ranking_answers.find(actor=actor, question=question, is_kept=False)
    if found is None:
        return {}
    return {
        str(found.book.agencies[score.agency]): {
            "status": ranking_results.STATUS[score.status].value,
            "position": score.place.position if score.place else None,
            "is_tied": bool(score.place and score.place.is_tied),
            "index": round(score.index, DIGITS),
        }
        for score in found.result.scores
    }


def _by_agency(moments: list[tuple[dict, dict]]) -> list[dict]:
    agencies = sorted({agency for sides in moments for side in sides for agency in side})
    return [
        {
            "agency": agency,
            "places": [
                {"before": before.get(agency), "after": after.get(agency)}
                for before, after in moments
            ],
        }
        for agency in agencies
    ]
