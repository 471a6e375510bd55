"""Proposed ranking policies: one person says what should hold, another whether it does.

Whoever proposed a version never adopts it. Refusing one's own is withdrawing it: nothing takes
effect by that, so it needs nobody else.
"""

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, errors
from marketplace.models import RankingPolicy
from marketplace.selectors import visible_backtests, visible_ranking_policies
from marketplace.services import ranking_policies, ranking_policy_values
from portfolios.selectors import visible_placements

State = RankingPolicy.State
MAY_PROPOSE = policies.VENDOR_MANAGERS
MAY_DECIDE = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS


def propose(*, actor: Actor, reason: str, **changes: Any) -> RankingPolicy:
    """A new version: the one in force with `changes`, columns of `RankingPolicy` and their values.

    Raises `InvalidInput` as `ranking_policy_values.checked`, and `InvalidState`
    `ALREADY_PROPOSED` while another one waits for a decision.
    """
    policies.demand(actor, MAY_PROPOSE)
    reason = texts.reason(reason)
    with transaction.atomic():
        base = ranking_policies.in_force(actor=actor)
        changed = ranking_policy_values.checked(base, changes)
        versions = visible_ranking_policies(actor)
        if versions.filter(state=State.PROPOSED).exists():
            raise errors.InvalidState(
                "ALREADY_PROPOSED", _("Another version waits for a decision. Decide it first.")
            )
        said = {name: getattr(base, name) for name in ranking_policy_values.FIELDS}
        made = RankingPolicy.objects.create(
            institution_id=base.institution_id,
            version=versions.aggregate(last=Max("version"))["last"] + 1,
            reason=reason,
            proposed_at=clock.now(),
            proposed_by_id=actor.user_id,
            **said | changed,
        )
        audit.record(
            actor,
            "ranking_policy.propose",
            made,
            reason=reason,
            changes={"version": made.version, **_in_short(changed)},
        )
    return made


def adopt(*, actor: Actor, policy_id, reason: str) -> RankingPolicy:
    """Let a proposed version be in force: the next ranking is computed by it.

    Raises `NotAllowed` `OWN_PROPOSAL` to whoever proposed it; `InvalidState` `NOT_PROPOSED` where
    it was decided already, `NOT_BACKTESTED` where no back-test says who would move, unless nothing
    is placed.
    """
    policies.demand(actor, MAY_DECIDE)
    reason = texts.reason(reason)
    proposal = selectors.find(visible_ranking_policies(actor), pk=policy_id)
    if proposal.proposed_by_id == actor.user_id:
        raise errors.NotAllowed(
            "OWN_PROPOSAL", _("Whoever proposed a version cannot adopt it. Ask somebody else.")
        )
    with transaction.atomic():
        # Until a run that is under way has ended: it is wholly by the version before.
        ranking_policies.in_force(actor=actor)
        made = _decide(actor, proposal, State.ADOPTED, "ranking_policy.adopt", reason)
        if needs_backtest(actor, made):
            raise errors.InvalidState(
                "NOT_BACKTESTED", _("Make a back-test first: it shows who would move.")
            )
    return made


def refuse(*, actor: Actor, policy_id, reason: str) -> RankingPolicy:
    """Let a proposed version be; whoever proposed it withdraws it by this.

    Raises `InvalidState` `NOT_PROPOSED` where it was decided already.
    """
    policies.demand(actor, MAY_DECIDE)
    reason = texts.reason(reason)
    proposal = selectors.find(visible_ranking_policies(actor), pk=policy_id)
    is_own = proposal.proposed_by_id == actor.user_id
    action = "ranking_policy.withdraw" if is_own else "ranking_policy.refuse"
    with transaction.atomic():
        return _decide(actor, proposal, State.REFUSED, action, reason)


def needs_backtest(actor: Actor, policy: RankingPolicy) -> bool:
    """Whether something is placed and no back-test of a currency with placements says who would
    move."""
    placed = visible_placements(actor).order_by()
    tested = visible_backtests(actor).filter(
        policy=policy, currency__in=placed.values("currency").distinct()
    )
    return placed.exists() and not tested.exists()


def _decide(actor: Actor, proposal: RankingPolicy, state, action: str, reason) -> RankingPolicy:
    decided = RankingPolicy.objects.filter(pk=proposal.pk, state=State.PROPOSED).update(
        state=state,
        decided_at=clock.now(),
        decided_by=actor.user_id,
        decision_reason=reason,
    )
    if not decided:
        raise errors.InvalidState(
            "NOT_PROPOSED", _("This version was decided meanwhile. Look at it again.")
        )
    audit.record(
        actor,
        action,
        proposal,
        reason=reason,
        changes={"version": proposal.version, "state": state},
    )
    proposal.refresh_from_db()
    return proposal


def _in_short(changed: dict[str, Any]) -> dict[str, Any]:
    """The changes for the audit trail: a fact with its edges as one text."""
    if "strata" not in changed:
        return changed
    strata = [" ".join(map(str, [name, *(edges or ())])) for name, edges in changed["strata"]]
    return {**changed, "strata": strata}
