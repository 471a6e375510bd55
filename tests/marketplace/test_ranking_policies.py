"""Policies of the ranking: one person proposes, another one adopts."""

import pytest
from django.db import DatabaseError, transaction

from agencies.scope import scope
from config import errors
from marketplace.models import (
    RankingBacktest,
    RankingPolicy,
)
from marketplace.selectors import visible_backtests, visible_ranking_policies
from marketplace.services import ranking_backtests, ranking_policies, ranking_proposals
from marketplace.services.ranking_policy_values import FIELDS
from tests import world
from tests.marketplace import ranked
from tests.marketplace.ranked import LENIENT
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db


@pytest.fixture
def panel(clock):
    return ranked.after_days(clock)


@pytest.fixture
def empty(clock):
    return ranked.on_its_first_day(clock)


def test_a_proposal_is_the_policy_in_force_with_what_differs(empty):
    made = empty.propose(window_months=6, strata=[["grade", None], ["balance", [1_000, 5_000]]])
    with scope(empty.bank.actor("auditor")):
        first = RankingPolicy.objects.get(version=1)
        kept = RankingPolicy.objects.get(version=2)
    differing = [name for name in FIELDS if getattr(first, name) != getattr(kept, name)]
    assert differing == ["strata", "window_months"]
    assert (kept.strata, kept.window_months) == (
        [["grade", None], ["balance", [1_000, 5_000]]],
        6,
    )
    assert (kept.state, kept.reason, kept.proposed_at, kept.decided_at) == (
        "proposed",
        "Others do",
        ranked.NOON,
        None,
    )
    assert kept.proposed_by_id == empty.bank.users["vendor_manager"].pk
    assert made.pk == kept.pk
    assert empty.in_force() == 1
    changes = {"version": 2, "window_months": 6, "strata": ["grade", "balance 1000 5000"]}
    assert empty.entries() == [
        ("begin", "", {"version": 1}),
        ("propose", "Others do", changes),
    ]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({}, "NOTHING_CHANGED", None),
        ({"window_months": 12}, "NOTHING_CHANGED", None),
        ({"strata": ranking_policies.USUAL_STRATA}, "NOTHING_CHANGED", None),
        ({"window_months": 2}, "OUT_OF_RANGE", "window_months"),
        ({"window_months": 61}, "OUT_OF_RANGE", "window_months"),
        ({"lead_days": True}, "OUT_OF_RANGE", "lead_days"),
        ({"lead_days": 91}, "OUT_OF_RANGE", "lead_days"),
        ({"tie_probability_ppm": 500_000}, "OUT_OF_RANGE", "tie_probability_ppm"),
        ({"smallest_field": 4}, "OUT_OF_RANGE", "smallest_field"),
        ({"largest_share_ppm": 500_001}, "OUT_OF_RANGE", "largest_share_ppm"),
        ({"ranked_from_ppm": 400_000}, "PROVISIONAL_ABOVE_RANKED", "provisional_from_ppm"),
        ({"amber_ratio_ppm": 1_600_000}, "AMBER_ABOVE_RED", "amber_ratio_ppm"),
        ({"window_months": 3, "least_months": 4}, "MONTHS_BEYOND_WINDOW", "least_months"),
        ({"strata": []}, "NO_STRATA", "strata"),
        ({"strata": [["grade", None]] * 7}, "TOO_MANY_STRATA", "strata"),
        ({"strata": [["colour", None]]}, "UNKNOWN_STRATUM", "strata.0.name"),
        ({"strata": [["grade", None], ["grade", None]]}, "STRATUM_TWICE", "strata.1.name"),
        ({"strata": [["grade", [1]]]}, "EDGES_WITHOUT_BANDS", "strata.0.edges"),
        ({"strata": [["balance", None]]}, "NO_EDGES", "strata.0.edges"),
        ({"strata": [["balance", []]]}, "NO_EDGES", "strata.0.edges"),
        ({"strata": [["balance", list(range(1, 14))]]}, "TOO_MANY_EDGES", "strata.0.edges"),
        ({"strata": [["balance", [1.5]]]}, "OUT_OF_RANGE", "strata.0.edges"),
        ({"strata": [["balance", [0, 5]]]}, "OUT_OF_RANGE", "strata.0.edges"),
        ({"strata": [["balance", [5, 5]]]}, "EDGES_NOT_INCREASING", "strata.0.edges"),
    ],
)
def test_what_cannot_hold_is_not_proposed(empty, changes, code, field):
    with pytest.raises(errors.InvalidInput) as refusal:
        empty.propose(**changes)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert empty.counts()["RankingPolicy"] == 0


def test_every_fact_there_is_can_be_a_stratum(panel):
    strata = [
        ["region", None],
        ["score", [-5, 0, 600]],
        ["grade", None],
        ["days_past_due", [91]],
        ["earlier_placements", [1]],
        ["balance", list(range(100, 1300, 100))],
    ]
    policy = panel.propose(strata=strata)
    panel.backtest(policy)
    panel.adopt(policy)
    run = panel.compute()
    with scope(panel.bank.actor("auditor")):
        (segment,) = run.scores.first().segments
    assert segment["stratum"] == "NY||C|1|0|10"


def test_one_proposal_at_a_time_and_versions_are_never_used_again(empty):
    first = empty.propose(window_months=6)
    with pytest.raises(errors.InvalidState) as refusal:
        empty.propose(window_months=9)
    assert refusal.value.code == "ALREADY_PROPOSED"
    empty.refuse(first)
    assert empty.propose(window_months=9).version == 3


def test_only_a_vendor_manager_proposes(empty):
    for role in ("compliance_officer", "auditor", "administrator", "finance_preparer"):
        with pytest.raises(errors.NotAllowed):
            empty.propose(role, window_months=6)
    assert empty.counts()["RankingPolicy"] == 0


def test_two_people_adopt_a_policy_that_was_tried(panel):
    ranked.colleague(panel.bank, "vendor_manager")
    policy = panel.propose(**LENIENT)
    for role, refusal, code in (
        ("vendor_manager", errors.NotAllowed, "OWN_PROPOSAL"),
        ("compliance_officer", errors.InvalidState, "NOT_BACKTESTED"),
        ("second_vendor_manager", errors.InvalidState, "NOT_BACKTESTED"),
        ("auditor", errors.NotAllowed, "NOT_ALLOWED"),
        ("administrator", errors.NotAllowed, "NOT_ALLOWED"),
    ):
        with pytest.raises(refusal) as found:
            panel.adopt(policy, role)
        assert found.value.code == code
    assert panel.in_force() == 1
    panel.backtest(policy, role="compliance_officer")
    with pytest.raises(errors.NotAllowed):
        panel.adopt(policy, "vendor_manager")
    with scope(world.make_bank().actor("compliance_officer")) as actor:
        for decide in (ranking_proposals.adopt, ranking_proposals.refuse):
            with pytest.raises(errors.NotFound):
                decide(actor=actor, policy_id=policy.pk, reason="Agreed")
        with pytest.raises(errors.NotFound):
            ranking_backtests.backtest(actor=actor, policy_id=policy.pk, currency="USD")
    adopted = panel.adopt(policy, "second_vendor_manager")
    assert (adopted.state, adopted.decision_reason) == ("adopted", "Agreed")
    assert adopted.decided_by_id == panel.bank.users["second_vendor_manager"].pk
    for again in (panel.adopt, panel.refuse, panel.backtest):
        with pytest.raises(errors.InvalidState) as found:
            again(policy, role="compliance_officer")
        assert found.value.code == "NOT_PROPOSED"
    assert panel.in_force() == 2


def test_refusing_ones_own_is_withdrawing_it(empty):
    own, others = empty.propose(window_months=6), None
    assert empty.refuse(own, "vendor_manager").state == "refused"
    others = empty.propose(window_months=6)
    assert empty.refuse(others).decided_by_id == empty.bank.users["compliance_officer"].pk
    with pytest.raises(errors.InvalidState):
        empty.adopt(others)
    assert empty.in_force() == 1
    assert [(action, reason) for action, reason, _changes in empty.entries()] == [
        ("begin", ""),
        ("propose", "Others do"),
        ("withdraw", "Too strict"),
        ("propose", "Others do"),
        ("refuse", "Too strict"),
    ]


def test_the_database_keeps_policies_and_back_tests_as_they_were(panel):
    policy = panel.propose(**LENIENT)
    panel.backtest(policy)
    with scope(panel.bank.actor("vendor_manager")):
        for change in (
            lambda: RankingPolicy.objects.filter(pk=policy.pk).update(window_months=3),
            lambda: RankingPolicy.objects.filter(pk=policy.pk).update(strata=[]),
            lambda: RankingBacktest.objects.update(results=[]),
            lambda: RankingBacktest.objects.all().delete(),
            # The proposer alone, around the service.
            lambda: RankingPolicy.objects.filter(pk=policy.pk).update(
                state="adopted", decided_at=ranked.NOON, decided_by=policy.proposed_by_id
            ),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()


def test_an_agency_sees_a_policy_once_it_is_adopted(panel):
    policy = panel.propose(**LENIENT)
    panel.backtest(policy)
    house = panel.houses["Elm"]
    with scope(house.actor()) as actor:
        assert [one.version for one in visible_ranking_policies(actor)] == [1]
        # The database hides the proposal as well.
        assert RankingPolicy.objects.count() == 1
        assert not visible_backtests(actor).exists()
        assert RankingBacktest.objects.count() == 0
        with pytest.raises(errors.NotAllowed):
            ranking_backtests.backtest(actor=actor, policy_id=policy.pk, currency="USD")
    panel.adopt(policy)
    with scope(house.actor()) as actor:
        assert {one.version for one in visible_ranking_policies(actor)} == {1, 2}
    with scope(world.make_agency().actor()) as actor:
        assert not visible_ranking_policies(actor).exists()


POLICIES = """query($institution: ID) { rankingPolicies(first: 5, institutionId: $institution) {
    edges { node { version state windowMonths redRatioPpm strata { name edges } } } } }"""
WHOLE = """query { rankingPolicies(first: 2) { edges { node { version reason proposedBy { name }
    decidedBy { name } decisionReason backtests(first: 1) { edges { node { currency moments
    results { agencyId places { before { position index } after { position index } } } } } } } } } }
"""


def test_a_policy_over_graphql(panel):
    manager = over_http.person(panel.bank, "vendor_manager")
    refused = over_http.do(
        manager,
        "rankingPolicyPropose",
        "rankingPolicy { version }",
        strata=[{"name": "grade"}, {"name": "balance", "edges": [5, 4]}],
        reason="Others do",
    )
    assert refused["rankingPolicy"] is None
    assert [(one["code"], one["field"]) for one in refused["errors"]] == [
        ("EDGES_NOT_INCREASING", "strata.1.edges")
    ]
    made = over_http.do(
        manager,
        "rankingPolicyPropose",
        "rankingPolicy { id version state strata { name edges } redRatioPpm reason }",
        strata=[{"name": "grade"}, {"name": "balance", "edges": [500]}],
        redRatioPpm=2_000_000,
        reason="Others do",
    )["rankingPolicy"]
    pk = made.pop("id")
    assert made == {
        "version": 2,
        "state": "PROPOSED",
        "strata": [{"name": "grade", "edges": None}, {"name": "balance", "edges": [500]}],
        "redRatioPpm": 2_000_000,
        "reason": "Others do",
    }
    decided = {"policyId": pk, "reason": "Agreed"}
    own = over_http.do(manager, "rankingPolicyAdopt", "rankingPolicy { state }", **decided)
    assert [one["code"] for one in own["errors"]] == ["OWN_PROPOSAL"]
    officer = over_http.person(panel.bank, "compliance_officer")
    tried = over_http.do(
        officer,
        "rankingPolicyBacktest",
        "rankingBacktest { currency moments results { agencyId } }",
        policyId=pk,
        currency="USD",
    )["rankingBacktest"]
    assert tried["moments"] == ["2026-04-01T04:00:00+00:00", "2026-06-10T17:00:00+00:00"]
    assert len(tried["results"]) == 5
    done = over_http.do(officer, "rankingPolicyAdopt", "rankingPolicy { state }", **decided)
    assert done == {"rankingPolicy": {"state": "ADOPTED"}, "errors": []}
    again = over_http.do(officer, "rankingPolicyRefuse", "rankingPolicy { state }", **decided)
    assert [one["code"] for one in again["errors"]] == ["NOT_PROPOSED"]
    found = over_http.ask(over_http.person(panel.bank, "auditor"), WHOLE)["rankingPolicies"]
    newest, first = (edge["node"] for edge in found["edges"])
    assert (newest["version"], newest["proposedBy"]["name"]) == (2, "Vendor manager")
    (row,) = newest["backtests"]["edges"]
    assert len(row["node"]["results"][0]["places"]) == 2
    assert (first["version"], first["proposedBy"]) == (1, None)


def test_an_agency_reads_the_rule_over_graphql_and_no_proposal(panel):
    panel.compute()
    policy = panel.propose(window_months=6)
    api = over_http.machine(panel.houses["Elm"])

    def versions(institution=None) -> list[int]:
        found = over_http.ask(api, POLICIES, institution=institution)["rankingPolicies"]
        return [edge["node"]["version"] for edge in found["edges"]]

    assert versions() == [1]
    panel.backtest(policy)
    panel.adopt(policy)
    assert versions(panel.bank.institution.pk) == [2, 1]
    assert versions(world.make_bank().institution.pk) == []
