"""The ranking's policy: what is in force, what is proposed and who would move, what was before."""

import django_tables2
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies
from agencies.actors import Actor
from agencies.selectors import time_zone_of
from frontend import policy_moves, policy_words, tables
from frontend.access import page
from frontend.templatetags import fairplace
from marketplace.models import RankingPolicy
from marketplace.selectors import visible_backtests, visible_ranking_policies
from marketplace.services import ranking_backtests, ranking_policies, ranking_proposals
from portfolios.selectors import visible_placements

BANK = ranking_policies.MAY_READ
State = RankingPolicy.State


class VersionTable(tables.Table):
    caption = gettext_lazy("Versions of the policy, the newest first")

    version = tables.IntegerColumn(verbose_name=gettext_lazy("Version"), orderable=False)
    state = tables.StateColumn(verbose_name=gettext_lazy("State"), orderable=False)
    changes = django_tables2.Column(
        verbose_name=gettext_lazy("What changed"), orderable=False, empty_values=()
    )
    proposed_at = tables.MomentColumn(verbose_name=gettext_lazy("Proposed"), orderable=False)
    decided_at = tables.MomentColumn(verbose_name=gettext_lazy("Decided"), orderable=False)

    def render_changes(self, record):
        told = '{}<span class="cell-note">{} → {}</span>'
        said = format_html_join("", told, record["changes"]) or fairplace.NO_VALUE
        return format_html("<div>{}</div>", said)

    def render_proposed_at(self, value, record):
        said = fairplace.zoned(value, self.time_zone)
        return tables.noted(said, f"{record['proposed_by']}: {record['reason']}")

    def render_decided_at(self, value, record):
        said = fairplace.zoned(value, self.time_zone)
        return tables.noted(said, record["decision"])


@page(allow=BANK | policies.AGENCY_ADMINISTRATORS)
def policy(request: HttpRequest) -> HttpResponse:
    """What is in force; for the bank also the proposal, its back-tests and all versions."""
    context = {
        "title": _("Ranking policy"),
        "lead": _("The rule by which agencies are compared. Those who are ranked can read it."),
        "breadcrumbs": [(_("Ranking"), reverse("ranking"))],
        "time_zone": time_zone_of(request.actor),
    }
    context |= _for_agency(request) if request.actor.kind == "agency" else _for_bank(request)
    if context["policy"]:
        context["strata"] = policy_words.strata(context["policy"])
        context["groups"] = policy_words.groups(context["policy"])
    return render(request, "frontend/rankings/policy.html", context)


def proposal_of(actor: Actor) -> RankingPolicy | None:
    """The version of the bank's that waits for a decision."""
    found = visible_ranking_policies(actor).filter(state=State.PROPOSED)
    return found.select_related("proposed_by").first()


def _for_agency(request: HttpRequest) -> dict:
    """The version in force of the bank that the address names, else of the first."""
    adopted = visible_ranking_policies(request.actor).select_related("institution")
    newest = {one.institution_id: one for one in adopted.order_by("version")}
    found = sorted(newest.values(), key=lambda one: one.institution.name)
    asked = request.GET.get("institution")
    chosen = next((one for one in found if str(one.institution_id) == asked), None)
    chosen = chosen or next(iter(found), None)
    tabs = [
        {
            "label": one.institution.name,
            "url": f"?institution={one.institution_id}",
            "current": one is chosen,
            "count": None,
        }
        for one in found
    ]
    return {"policy": chosen, "tabs": tabs if tabs[1:] else []}


def _for_bank(request: HttpRequest) -> dict:
    actor = request.actor
    current = ranking_policies.current(actor=actor)
    versions = list(
        visible_ranking_policies(actor)
        .select_related("proposed_by", "decided_by")
        .order_by("-version")
    )
    proposal = proposal_of(actor)
    context = {
        "policy": next((one for one in versions if one.pk == current.pk), current),
        "is_bank": True,
        "may_propose": proposal is None and policies.allows(actor, ranking_proposals.MAY_PROPOSE),
    }
    if versions:
        context["versions"] = VersionTable(
            _records(versions), request=request, time_zone=time_zone_of(actor)
        )
    return context | (_proposed(request, current, proposal) if proposal else {})


def _proposed(request: HttpRequest, current: RankingPolicy, proposal: RankingPolicy) -> dict:
    """The proposal, what differs, who would move, and what may be done about it."""
    actor = request.actor
    zone = time_zone_of(actor)
    newest = {
        one.currency: one
        for one in visible_backtests(actor).filter(policy=proposal).order_by("made_at")
    }
    placed = visible_placements(actor).order_by().values_list("currency", flat=True).distinct()
    return {
        "proposal": proposal,
        "differences": policy_words.differences(current, proposal),
        "backtests": [
            policy_moves.shown(actor, newest[currency], zone) for currency in sorted(newest)
        ],
        "currencies": sorted(placed),
        "may_backtest": policies.allows(actor, ranking_backtests.MAY_BACKTEST),
        "may_decide": policies.allows(actor, ranking_proposals.MAY_DECIDE),
        "is_own": proposal.proposed_by_id == actor.user_id,
    }


def _records(versions: list[RankingPolicy]) -> list[dict]:
    return [
        {
            "version": one.version,
            "state": one.state,
            "changes": _changes(one, versions),
            "proposed_at": one.proposed_at,
            "proposed_by": one.proposed_by.name if one.proposed_by else "Fairplace",
            "reason": one.reason if one.proposed_by else _("The portal's own"),
            "decided_at": one.decided_at,
            "decision": f"{one.decided_by.name}: {one.decision_reason}" if one.decided_by else "",
        }
        for one in versions
    ]


def _changes(one: RankingPolicy, versions: list[RankingPolicy]) -> list[tuple]:
    """What differs from the version that was in force when it was proposed."""
    base = next(
        (
            before
            for before in versions
            if before.version < one.version and before.state == State.ADOPTED
        ),
        None,
    )
    return policy_words.differences(base, one) if base else []
