"""Disputes about rankings: raised, answered once, and corrected by events alone."""

import json

import pytest

from agencies.models import AuditEntry
from agencies.scope import scope
from agencies.selectors import visible_memberships
from agencies.services import panel
from marketplace.models import RankingCut, RankingDispute, RankingScore
from marketplace.services import rankings
from tests import world
from tests.marketplace.disputing import (
    LIST,
    NOON,
    answer_to,
    codes,
    compute,
    kept,
    loans_of,
    object_to,
    objection,
    only_dispute,
    pair,
    score_of,
    vars_of,
)
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(clock):
    clock.set(NOON)
    return world.make_bank("Hudson Bank")


@pytest.fixture
def houses(bank, clock):
    return pair(bank, clock, loans=40, paying=4, days=90)


@pytest.fixture
def score(bank, houses):
    return score_of(bank, compute(bank), houses["Elm"])


@pytest.fixture
def api(houses):
    return over_http.machine(houses["Elm"])


def test_an_agency_objects_and_the_bank_answers(bank, houses, score, api):
    before = kept(bank)
    done = object_to(api, **objection(score))
    assert done["errors"] == []
    assert done["dispute"] == {
        "scoreId": str(score.pk),
        "rankingId": str(score.run_id),
        "institutionId": str(bank.institution.pk),
        "agencyId": str(houses["Elm"].agency.pk),
        "subject": "PAYMENT",
        "loanReference": "L-1",
        "paymentReference": "P-1",
        "statement": "P-1 was counted twice:\n100.00 came in once, on 2 March.",
        "state": "OPEN",
        "outcome": None,
        "answer": "",
        "correction": "",
        "raisedBy": done["dispute"]["raisedBy"],
        "answeredBy": "",
    }
    officer = over_http.person(bank, "compliance_officer")
    answered = answer_to(officer, only_dispute(bank))["dispute"]
    assert (answered["state"], answered["outcome"], answered["correction"]) == (
        "ANSWERED",
        "NOT_CORRECTED",
        "",
    )
    (edge,) = over_http.ask(api, LIST)["rankingDisputes"]["edges"]
    assert edge["node"]["answer"] == "It came in twice: receipts 12 and 13."
    assert kept(bank) == before
    for side in (bank.actor("auditor"), houses["Elm"].actor()):
        with scope(side):
            entries = AuditEntry.objects.filter(object_type="rankingdispute").order_by("at", "pk")
            assert [(one.action, one.changes, one.reason) for one in entries] == [
                ("ranking_dispute.raise", {"subject": "payment"}, ""),
                ("ranking_dispute.answer", {"outcome": "not_corrected"}, ""),
            ]


def test_a_payment_counted_twice_is_reversed_and_the_next_ranking_shows_it(
    bank, houses, clock, api
):
    loan = loans_of(bank, houses["Elm"])[0]
    twice = world.recover(bank, houses["Elm"], loan, 100_00)
    clock.advance(days=1)
    run = compute(bank)
    score = score_of(bank, run, houses["Elm"])
    assert score.recovered_minor == 500_00
    before = kept(bank)[1]
    object_to(
        api, **objection(score, loanReference=loan.reference, paymentReference=twice.reference)
    )
    reversal = world.reverse(bank, twice, 100_00)
    correction = f"Reversal {reversal.reference} recorded on 1 June"
    manager = over_http.person(bank, "vendor_manager")
    done = answer_to(
        manager,
        only_dispute(bank),
        outcome="CORRECTED",
        answer="You are right, it was booked twice.",
        correction=correction,
    )
    assert (done["errors"], done["dispute"]["correction"]) == ([], correction)
    clock.advance(days=1)
    later = compute(bank)
    assert score_of(bank, later, houses["Elm"]).recovered_minor == 400_00
    assert later.results_sha256 != run.results_sha256
    with scope(bank.actor("auditor")) as actor:
        assert all(rankings.verify(actor=actor, run_id=run.pk).values())
        assert list(RankingScore.objects.filter(run=run).order_by("pk").values()) == before
    # Also a score of a run that is no longer shown can be objected to.
    assert object_to(api, **objection(score, statement="Another thing"))["errors"] == []


def test_the_same_objection_is_one_while_it_is_open(bank, score, api):
    first = object_to(api, **objection(score))
    assert object_to(api, **objection(score)) == first
    dispute = only_dispute(bank)
    object_to(api, **objection(score, subject="OTHER"))
    officer = over_http.person(bank, "compliance_officer")
    assert answer_to(officer, dispute)["errors"] == []
    object_to(api, **objection(score))
    with scope(bank.actor("auditor")):
        assert RankingDispute.objects.count() == 3
        assert AuditEntry.objects.filter(action="ranking_dispute.raise").count() == 3


def test_an_existing_loan_and_a_made_up_one_are_answered_alike(bank, houses, score, api):
    query = """mutation($input: RankingDisputeRaiseInput!) { rankingDisputeRaise(input: $input) {
        dispute { state subject statement } errors { code message field } } }"""
    rivals = loans_of(bank, houses["Alder"])[0].reference
    for client in (api, over_http.person(houses["Elm"], "agency_administrator")):
        answers = []
        for reference in (rivals, "NO-SUCH"):
            given = objection(score, loanReference=reference)
            body = json.dumps({"query": query, "variables": {"input": given}})
            said = client.post("/graphql", body, content_type="application/json")
            answers.append((said.status_code, said.content))
        assert answers[0] == answers[1]
        assert answers[0][0] == 200
    with scope(bank.actor("auditor")):
        found = RankingDispute.objects.values_list("loan_reference", flat=True)
        assert sorted(found) == sorted([rivals, "NO-SUCH"])


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"statement": " \n"}, "REQUIRED", "statement"),
        ({"statement": "x" * 2001}, "TOO_LONG", "statement"),
        ({"statement": "Paid with 4111 1111 1111 1111"}, "CARD_NUMBER", "statement"),
        ({"loanReference": ""}, "REQUIRED", "loanReference"),
        ({"paymentReference": None}, "REQUIRED", "paymentReference"),
        ({"subject": "EXPOSURE", "loanReference": None}, "REQUIRED", "loanReference"),
        ({"subject": "STRATUM", "loanReference": ""}, "REQUIRED", "loanReference"),
        ({"subject": "OTHER", "loanReference": "x" * 61}, "TOO_LONG", "loanReference"),
        (
            {"subject": "OTHER", "paymentReference": " P"},
            "INVALID_REFERENCE",
            "paymentReference",
        ),
    ],
)
def test_what_says_too_little_is_refused(bank, score, api, change, code, field):
    assert codes(object_to(api, **objection(score, **change))) == [(code, field)]
    with scope(bank.actor("auditor")):
        assert not RankingDispute.objects.exists()
        assert not AuditEntry.objects.filter(action="ranking_dispute.raise").exists()


def test_a_complaint_or_something_else_needs_no_reference(bank, score, api):
    for subject in ("COMPLAINT", "OTHER"):
        given = objection(score, subject=subject, loanReference=None, paymentReference=None)
        assert object_to(api, **given)["errors"] == []


def test_at_most_twenty_wait_for_one_bank(bank, houses, score, api):
    for number in range(20):
        assert object_to(api, **objection(score, statement=f"Point {number}"))["errors"] == []
    assert codes(object_to(api, **objection(score, statement="Point 20"))) == [("TOO_MANY", None)]
    assert object_to(api, **objection(score, statement="Point 3"))["errors"] == []  # it is open
    rival = over_http.machine(houses["Alder"])
    other = score_of(bank, score.run, houses["Alder"])
    assert object_to(rival, **objection(other))["errors"] == []
    with scope(bank.actor("auditor")):
        dispute = RankingDispute.objects.get(statement="Point 0")
    answer_to(over_http.person(bank, "vendor_manager"), dispute)
    assert object_to(api, **objection(score, statement="Point 20"))["errors"] == []


def test_rivals_and_strangers_see_nothing_and_can_do_nothing(bank, houses, score, api):
    object_to(api, **objection(score))
    dispute = only_dispute(bank)
    stranger = world.make_bank()
    rival = over_http.machine(houses["Alder"])
    other = over_http.person(stranger, "vendor_manager")
    assert (
        over_http.ask(rival, LIST)
        == over_http.ask(other, LIST)
        == {"rankingDisputes": {"edges": []}}
    )
    assert codes(object_to(rival, **objection(score))) == [("NOT_FOUND", None)]
    assert codes(answer_to(other, dispute)) == [("NOT_FOUND", None)]
    for client in (rival, api, over_http.person(bank, "auditor")):
        assert codes(answer_to(client, dispute)) == [("NOT_ALLOWED", None)]
    for client in (
        over_http.person(houses["Elm"], "collector"),
        over_http.person(bank, "vendor_manager"),
    ):
        assert codes(object_to(client, **objection(score))) == [("NOT_ALLOWED", None)]
    for actor in (houses["Alder"].actor(), stranger.actor("auditor")):
        with scope(actor):
            assert not RankingDispute.objects.exists()
    assert vars_of(only_dispute(bank)) == vars_of(dispute)


def test_without_standing_or_of_a_part_nothing_is_raised_and_what_was_stays(
    bank, houses, score, api
):
    object_to(api, **objection(score))
    part = compute(bank, cut=RankingCut(product="personal loan"))
    in_part = score_of(bank, part, houses["Elm"])
    assert codes(object_to(api, **objection(in_part))) == [("NOT_FOUND", None)]
    with scope(bank.actor("compliance_officer")) as actor:
        membership = visible_memberships(actor).get(agency=houses["Elm"].agency)
        panel.suspend(actor=actor, membership_id=membership.pk, reason="Licence has lapsed")
    again = object_to(api, **objection(score, statement="Another"))
    assert codes(again) == [("NOT_FOUND", None)]
    assert len(over_http.ask(api, LIST)["rankingDisputes"]["edges"]) == 1


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"answer": " "}, "REQUIRED", "answer"),
        ({"answer": "x" * 2001}, "TOO_LONG", "answer"),
        ({"answer": "Paid with 4111 1111 1111 1111"}, "CARD_NUMBER", "answer"),
        ({"outcome": "CORRECTED"}, "REQUIRED", "correction"),
        ({"outcome": "CORRECTED", "correction": "x" * 301}, "TOO_LONG", "correction"),
        ({"correction": "Reversal R-12"}, "NOT_CORRECTED", "correction"),
    ],
)
def test_an_answer_that_says_too_little_is_refused(bank, score, api, change, code, field):
    object_to(api, **objection(score))
    dispute = only_dispute(bank)
    manager = over_http.person(bank, "vendor_manager")
    assert codes(answer_to(manager, dispute, **change)) == [(code, field)]
    assert only_dispute(bank).state == "open"
    assert answer_to(manager, dispute)["errors"] == []
    assert codes(answer_to(manager, dispute, answer="Second thoughts")) == [("ANSWERED", None)]
    assert only_dispute(bank).answer == "It came in twice: receipts 12 and 13."
