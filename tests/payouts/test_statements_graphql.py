"""Statements over GraphQL: two people for the bank, and the agency that reads what was signed."""

import json
import threading

import pytest
from django.db import connections
from django.test import Client

from agencies.models import Denial, User
from agencies.scope import scope
from payouts.models import CommissionEntry, Excess, Payout, Statement, StatementLine
from portfolios.services import placements
from tests.payouts import ledger
from tests.portfolios.over_http import ask, do, machine, person

pytestmark = pytest.mark.django_db

STATEMENTS = """{ statements(first: 10) { totalCount edges { node {
    id currency startsOn state totalMinor lineCount returnReason
    agency { name } preparedBy { name } submittedBy { name } approvedBy { name }
    lines(first: 10) { edges { node { reference valueOn kind baseMinor ratePpm amountMinor } } }
} } } }"""
OF_THE_AGENCY = """{ statements(first: 10) { edges { node { id state totalMinor
    lines(first: 10) { edges { node { reference amountMinor kind } } } } } }
    payouts(first: 10) { edges { node { amountMinor currency state statement { id } } } } }"""


@pytest.fixture
def march(clock):
    return ledger.march(clock)


def raw(client: Client, query: str) -> dict:
    return client.post(
        "/graphql", json.dumps({"query": query}), content_type="application/json"
    ).json()


def counts(bank) -> tuple[int, int, int]:
    with scope(bank.actor("auditor")):
        return Statement.objects.count(), StatementLine.objects.count(), Payout.objects.count()


def state_of(bank) -> tuple[str, int]:
    with scope(bank.actor("auditor")):
        return Statement.objects.get().state, Payout.objects.count()


def codes(payload: dict) -> list[str]:
    return [error["code"] for error in payload["errors"]]


def test_two_people_make_and_sign_a_statement(march):
    preparer = person(march.bank, "finance_preparer")
    approver = person(march.bank, "finance_approver")
    made = do(preparer, "statementsPrepare", "statements { id totalMinor }", startsOn="2026-03-01")
    (drafted,) = made["statements"]
    assert drafted["totalMinor"] == ledger.TOTAL
    sent = do(preparer, "statementSubmit", "statement { state }", statementId=drafted["id"])
    assert sent["statement"] == {"state": "SUBMITTED"}
    signed = do(
        approver,
        "statementApprove",
        "statement { state } payout { amountMinor currency state }",
        statementId=drafted["id"],
    )
    assert signed == {
        "statement": {"state": "APPROVED"},
        "payout": {"amountMinor": ledger.TOTAL, "currency": "USD", "state": "APPROVED"},
        "errors": [],
    }
    (edge,) = ask(person(march.bank, "auditor"), STATEMENTS)["statements"]["edges"]
    lines = [line["node"] for line in edge["node"].pop("lines")["edges"]]
    assert edge["node"] == {
        "id": drafted["id"],
        "currency": "USD",
        "startsOn": "2026-03-01",
        "state": "APPROVED",
        "totalMinor": 8000,
        "lineCount": 4,
        "returnReason": "",
        "agency": {"name": march.house.agency.name},
        "preparedBy": {"name": march.bank.users["finance_preparer"].name},
        "submittedBy": {"name": march.bank.users["finance_preparer"].name},
        "approvedBy": {"name": march.bank.users["finance_approver"].name},
    }
    figures = {(one["reference"], one["kind"]): one["amountMinor"] for one in lines}
    reversal = next(one["reference"] for one in lines if one["kind"] == "CLAWBACK")
    assert figures == {
        ("A-1", "ACCRUAL"): 80_00,
        ("A-2", "ACCRUAL"): 20_00,
        ("A-3", "ACCRUAL"): 0,
        (reversal, "CLAWBACK"): 20_00,
    }


def test_who_prepared_cannot_approve_and_nothing_changes(march):
    statement = ledger.submitted(march.bank)
    preparer = march.bank.users["finance_preparer"]
    given = {"statementId": statement.pk}
    refused = do(
        person(march.bank, "finance_preparer"), "statementApprove", "payout { id }", **given
    )
    assert (codes(refused), refused["payout"]) == (["NOT_ALLOWED"], None)
    with scope(march.bank.actor("administrator")):
        User.objects.filter(pk=preparer.pk).update(role="finance_approver")
    refused = do(
        person(march.bank, "finance_preparer"), "statementApprove", "payout { id }", **given
    )
    assert refused == {
        "payout": None,
        "errors": [
            {
                "code": "SAME_PERSON",
                "message": "Whoever prepared a statement cannot approve it.",
                "field": None,
                "row": None,
            }
        ],
    }
    assert state_of(march.bank) == ("submitted", 0)
    with scope(march.bank.actor("auditor")):
        denied = Denial.objects.filter(operation="Mutation.statementApprove")
        assert sorted(denied.values_list("code", flat=True)) == ["NOT_ALLOWED", "SAME_PERSON"]


def test_approving_twice_pays_once(march):
    statement = ledger.submitted(march.bank)
    approver = person(march.bank, "finance_approver")
    first = do(approver, "statementApprove", "payout { id }", statementId=statement.pk)
    second = do(approver, "statementApprove", "payout { id }", statementId=statement.pk)
    assert (codes(first), codes(second)) == ([], ["NOT_IN_THAT_STATE"])
    assert state_of(march.bank) == ("approved", 1)


@pytest.mark.django_db(transaction=True)
def test_approving_twice_at_the_same_moment_pays_once(march):
    statement = ledger.submitted(march.bank)
    clients = [person(march.bank, "finance_approver") for _ in range(2)]
    start, answers = threading.Barrier(2), []

    def approve(client):
        start.wait()
        answers.append(do(client, "statementApprove", "payout { id }", statementId=statement.pk))
        connections.close_all()

    threads = [threading.Thread(target=approve, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes(answer) for answer in answers) == [[], ["NOT_IN_THAT_STATE"]]
    assert state_of(march.bank) == ("approved", 1)


def test_sent_back_discarded_and_made_again(march):
    statement = ledger.submitted(march.bank)
    preparer = person(march.bank, "finance_preparer")
    given = {"statementId": statement.pk}
    back = do(
        person(march.bank, "finance_approver"),
        "statementSendBack",
        "statement { state returnReason }",
        reason="A receipt is missing",
        **given,
    )
    assert back["statement"] == {"state": "DRAFT", "returnReason": "A receipt is missing"}
    silent = do(preparer, "statementDiscard", "discardedId", reason=" ", **given)
    assert (silent["errors"][0]["code"], silent["errors"][0]["field"]) == ("REQUIRED", "reason")
    gone = do(preparer, "statementDiscard", "discardedId", reason="Made again", **given)
    assert gone == {"discardedId": str(statement.pk), "errors": []}
    assert counts(march.bank) == (0, 0, 0)
    again = do(preparer, "statementsPrepare", "statements { totalMinor }", startsOn="2026-03-01")
    assert again["statements"] == [{"totalMinor": 8000}]


@pytest.mark.parametrize(
    ("starts_on", "code"), [("2026-03-02", "NOT_A_MONTH"), ("2026-04-01", "MONTH_NOT_OVER")]
)
def test_a_month_that_is_none_or_not_over_is_refused(march, starts_on, code):
    refused = do(
        person(march.bank, "finance_preparer"),
        "statementsPrepare",
        "statements { id }",
        startsOn=starts_on,
    )
    assert refused["statements"] is None
    assert (refused["errors"][0]["code"], refused["errors"][0]["field"]) == (code, "startsOn")
    assert counts(march.bank) == (0, 0, 0)


def test_an_agency_reads_what_was_approved_also_after_a_recall(march):
    for statement in (ledger.submitted(march.bank),):
        for client in (person(march.house, "agency_administrator"), machine(march.house)):
            assert ask(client, OF_THE_AGENCY) == {
                "statements": {"edges": []},
                "payouts": {"edges": []},
            }
            own = f'{{ statement(id: "{statement.pk}") {{ id }} }}'
            assert ask(client, own) == {"statement": None}
    do(
        person(march.bank, "finance_approver"),
        "statementApprove",
        "payout { id }",
        statementId=statement.pk,
    )
    client = machine(march.house)
    before = ask(client, OF_THE_AGENCY)
    with scope(march.bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=march.placement.pk, reason="Portfolio sold")
    after = ask(client, OF_THE_AGENCY)
    assert after == before
    (edge,) = after["statements"]["edges"]
    assert (edge["node"]["state"], edge["node"]["totalMinor"]) == ("APPROVED", 8000)
    assert len(edge["node"]["lines"]["edges"]) == 4
    (payout,) = after["payouts"]["edges"]
    assert payout["node"] == {
        "amountMinor": 8000,
        "currency": "USD",
        "state": "APPROVED",
        "statement": {"id": str(statement.pk)},
    }
    people = raw(client, "{ statements(first: 1) { edges { node { preparedBy { name } } } } }")
    assert people["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"


OPERATIONS = {
    "statementsPrepare": ({"startsOn": "2026-03-01"}, "finance_preparer"),
    "statementSubmit": ({}, "finance_preparer"),
    "statementDiscard": ({"reason": "No longer wanted"}, "finance_preparer"),
    "statementApprove": ({}, "finance_approver"),
    "statementSendBack": ({"reason": "No longer wanted"}, "finance_approver"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nobody_else_can_do_it(march, operation):
    statement = ledger.submitted(march.bank)
    given, allowed = OPERATIONS[operation]
    if operation != "statementsPrepare":
        given = {**given, "statementId": statement.pk}
    before = counts(march.bank), state_of(march.bank)
    for role in march.bank.users:
        if role != allowed:
            assert codes(do(person(march.bank, role), operation, "__typename", **given)) == [
                "NOT_ALLOWED"
            ]
    for house in (march.house, march.rival):
        client = machine(house)
        assert codes(do(client, operation, "__typename", **given)) == ["NOT_ALLOWED"]
    if operation != "statementsPrepare":
        foreign = do(person(march.other_bank, allowed), operation, "__typename", **given)
        missing = do(
            person(march.other_bank, allowed),
            operation,
            "__typename",
            **{**given, "statementId": "019aaaaa-0000-7000-8000-000000000000"},
        )
        assert foreign == missing
        assert codes(foreign) == ["NOT_FOUND"]
    assert (counts(march.bank), state_of(march.bank)) == before


@pytest.mark.parametrize("role", ["collector"])
def test_a_collector_and_other_people_of_the_bank_read_no_statement(march, role):
    ledger.approved(march.bank)
    refused = raw(person(march.house, role), "{ statements(first: 1) { totalCount } }")
    assert refused["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
    for role in ("administrator", "vendor_manager", "compliance_officer"):
        refused = raw(person(march.bank, role), "{ statements(first: 1) { totalCount } }")
        assert refused["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
    for client in (
        machine(march.rival),
        person(march.other_bank, "auditor"),
    ):
        assert ask(client, "{ statements(first: 1) { totalCount } }") == {
            "statements": {"totalCount": 0}
        }


def test_money_above_the_balance_counts_when_the_approver_says_so(march):
    query = """{ excesses(first: 5, state: OPEN) { edges { node { id amountMinor currency state
        recovery { reference } } } } carriedForward { agency { name } totalMinor entries } }"""
    approver = person(march.bank, "finance_approver")
    seen = ask(approver, query)
    (edge,) = seen["excesses"]["edges"]
    excess_id = edge["node"].pop("id")
    assert edge["node"] == {
        "amountMinor": 50_00,
        "currency": "USD",
        "state": "OPEN",
        "recovery": {"reference": "A-3"},
    }
    assert seen["carriedForward"] == [
        {"agency": {"name": march.house.agency.name}, "totalMinor": 80_00, "entries": 4}
    ]
    given = {"excessId": excess_id, "accept": True, "reason": "Interest was owed as well"}
    for client in (person(march.bank, "finance_preparer"), machine(march.house)):
        assert codes(do(client, "excessDecide", "excess { id }", **given)) == ["NOT_ALLOWED"]
    other = person(march.other_bank, "finance_approver")
    assert codes(do(other, "excessDecide", "excess { id }", **given)) == ["NOT_FOUND"]
    with scope(march.bank.actor("auditor")):
        assert (CommissionEntry.objects.count(), Excess.objects.get().state) == (4, "open")
    decided = do(approver, "excessDecide", "excess { state decisionReason }", **given)
    assert decided["excess"] == {"state": "ACCEPTED", "decisionReason": "Interest was owed as well"}
    again = do(approver, "excessDecide", "excess { id }", **given)
    assert codes(again) == ["DECIDED"]
    with scope(march.bank.actor("auditor")):
        entry = CommissionEntry.objects.get(excess__isnull=False)
        assert (entry.base_minor, entry.amount_minor) == (50_00, 10_00)
