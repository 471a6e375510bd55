"""Recoveries: reported in batches with one effect, taken back, and never edited."""

import datetime
import json
import threading

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from agencies.models import AuditEntry, Denial, IdempotentCall
from agencies.scope import scope
from agencies.services import panel
from config import clock as clocks
from portfolios.models import Recovery, Reversal
from portfolios.services import placements, recoveries
from portfolios.services.work import Answer
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

ROWS = """rows { row outcome warnings error { code message field row }
    recovery { loanReference reference currency amountMinor valueOn channel isAboveBalance state
               reversedMinor } }"""


@pytest.fixture
def placement(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00, 200_00, 300_00])
    return world.place(bank, house, portfolio)


def loans_of(bank, placement):
    with scope(bank.actor("auditor")):
        return [spell.loan.reference for spell in _spells(placement)]


def _spells(placement):
    return placement.spells.select_related("loan").order_by("loan__reference")


def today():
    return clocks.business_date("America/New_York").isoformat()


def row(loan, reference, amount_minor, **change):
    return {
        "loanReference": loan,
        "reference": reference,
        "amountMinor": amount_minor,
        "valueOn": today(),
        "channel": "BANK_TRANSFER",
        **change,
    }


def log(client, rows, key="k-1"):
    return over_http.do(client, "recoveriesLog", ROWS, idempotencyKey=key, rows=rows)


def in_the_books(bank):
    """Everything that was recorded, as the bank's auditor sees it."""
    with scope(bank.actor("auditor")):
        return list(Recovery.objects.order_by("reference").values_list("reference", "amount_minor"))


def test_a_machine_reports_a_batch_and_each_row_is_answered(bank, house, placement):
    first, second, third = loans_of(bank, placement)
    api = over_http.machine(house)
    answer = log(
        api,
        [
            row(first, "P-1", 40_00),
            row(first, "P-2", 60_01),
            row("NO-SUCH", "P-3", 1_00),
            row(second, "P-1", 40_00),
            row(first, "P-1", 40_00),
            row(third, "P-4", 0),
            row(third, "P-5", 10**13 + 1),
            row(third, "P-6", 5_00, currency="EUR"),
            row(third, "P-7", 5_00, valueOn="2199-01-01"),
            row(third, "P-8", 5_00, valueOn="2001-01-01"),
            row(third, "", 5_00),
            row(third, "P-9", 300_00, channel="CASH", currency="USD"),
        ],
    )
    assert answer["errors"] == []
    outcomes = [
        (one["row"], one["outcome"], one["warnings"], one["error"] and one["error"]["code"])
        for one in answer["rows"]
    ]
    assert outcomes == [
        (1, "RECORDED", [], None),
        (2, "RECORDED", ["ABOVE_BALANCE"], None),
        (3, "REFUSED", [], "NOT_FOUND"),
        (4, "REFUSED", [], "REFERENCE_TAKEN"),
        (5, "ALREADY_RECORDED", [], None),
        (6, "REFUSED", [], "NOT_POSITIVE"),
        (7, "REFUSED", [], "AMOUNT_TOO_LARGE"),
        (8, "REFUSED", [], "WRONG_CURRENCY"),
        (9, "REFUSED", [], "FUTURE_DATE"),
        (10, "REFUSED", [], "BEFORE_PLACEMENT"),
        (11, "REFUSED", [], "REQUIRED"),
        (12, "RECORDED", [], None),
    ]
    assert answer["rows"][1]["recovery"] == {
        "loanReference": first,
        "reference": "P-2",
        "currency": "USD",
        "amountMinor": 60_01,
        "valueOn": today(),
        "channel": "BANK_TRANSFER",
        "isAboveBalance": True,
        "state": "REPORTED",
        "reversedMinor": 0,
    }
    assert answer["rows"][4]["recovery"] == answer["rows"][0]["recovery"]
    assert answer["rows"][5]["error"] == {
        "code": "NOT_POSITIVE",
        "message": "Give an amount above zero.",
        "field": "amountMinor",
        "row": 6,
    }
    assert in_the_books(bank) == [("P-1", 40_00), ("P-2", 60_01), ("P-9", 300_00)]
    with scope(bank.actor("auditor")):
        entries = AuditEntry.objects.filter(action="recovery.log")
        assert entries.count() == 3
        assert {entry.actor_label for entry in entries} == {"Dialler"}
    with scope(house.actor()):
        assert [(one.operation, one.code) for one in Denial.objects.all()] == [
            ("Mutation.recoveriesLog", "NOT_FOUND")
        ]


def test_the_same_key_gives_the_first_answer_and_another_body_is_refused(bank, house, placement):
    loan = loans_of(bank, placement)[0]
    client = over_http.person(house, "collector")
    first = log(client, [row(loan, "P-1", 40_00), row("NO-SUCH", "P-2", 1)])
    assert log(client, [row(loan, "P-1", 40_00), row("NO-SUCH", "P-2", 1)]) == first
    reused = log(client, [row(loan, "P-1", 40_01)])
    assert reused["rows"] is None
    assert reused["errors"] == [
        {
            "code": "KEY_REUSED",
            "message": "This key was used for another batch. Send a new batch under a new key.",
            "field": "idempotencyKey",
            "row": None,
        }
    ]
    assert in_the_books(bank) == [("P-1", 40_00)]
    # Without the key the row is known by its reference.
    again = log(client, [row(loan, "P-1", 40_00)], key="k-2")["rows"][0]
    assert again["outcome"] == "ALREADY_RECORDED"
    assert again["recovery"] == first["rows"][0]["recovery"]
    other = log(client, [row(loan, "P-1", 40_00, channel="CASH")], key="k-3")["rows"][0]
    assert other["error"]["code"] == "REFERENCE_TAKEN"
    assert in_the_books(bank) == [("P-1", 40_00)]


@pytest.mark.parametrize(
    ("rows", "key", "code", "field"),
    [
        ([], "k", "REQUIRED", "rows"),
        ([{}] * 501, "k", "TOO_MANY_ROWS", "rows"),
        ([{}], " ", "REQUIRED", "idempotencyKey"),
        ([{}], "k" * 81, "TOO_LONG", "idempotencyKey"),
    ],
)
def test_an_impossible_batch_is_refused_whole(bank, house, placement, rows, key, code, field):
    loan = loans_of(bank, placement)[0]
    client = over_http.person(house, "collector")
    answer = log(client, [row(loan, "P", 1) for _ in rows], key=key)
    assert [(error["code"], error["field"]) for error in answer["errors"]] == [(code, field)]
    assert in_the_books(bank) == []
    with scope(house.actor()):
        assert not IdempotentCall.objects.exists()


def test_another_agencys_loan_reads_as_one_that_does_not_exist(bank, house, placement):
    rival = world.make_agency()
    world.join_panel(bank, rival)
    theirs = loans_of(bank, placement)[0]
    client = over_http.person(rival, "agency_administrator")
    foreign = client.post("/graphql", _document(theirs), content_type="application/json")
    absent = client.post("/graphql", _document("X" * 7), content_type="application/json")
    assert foreign.status_code == absent.status_code == 200
    assert foreign.content == absent.content
    assert b"NOT_FOUND" in foreign.content
    assert in_the_books(bank) == []


def _document(loan):
    query = f"mutation($input: RecoveriesLogInput!) {{ recoveriesLog(input: $input) {{ {ROWS} }} }}"
    rows = [row(loan, "P-1", 1_00), row(loan, "P-1", 1_00, currency="EUR")]
    return json.dumps(
        {"query": query, "variables": {"input": {"idempotencyKey": loan, "rows": rows}}}
    )


def test_after_a_recall_a_replay_reveals_nothing(bank, house, placement):
    first, second, _third = loans_of(bank, placement)
    client = over_http.person(house, "collector")
    rows = [row(first, "P-1", 40_00), row(second, "P-2", 50_00), row("NO-SUCH", "P-3", 1)]
    before = log(client, rows)
    with scope(bank.actor("vendor_manager")) as actor:
        spell = _spells(placement).get(loan__reference=first)
        placements.recall_loans(
            actor=actor, placement_id=placement.pk, loan_ids=[spell.loan_id], reason="Paid"
        )
    after = log(client, rows)["rows"]
    unknown = before["rows"][2]
    assert after[0] == unknown | {"row": 1, "error": unknown["error"] | {"row": 1}}
    assert after[1:] == before["rows"][1:]
    # Its reference stays taken, though the agency cannot read the payment any more.
    taken = log(client, [row(second, "P-1", 40_00), row(second, "P-4", 150_00)], key="k-2")
    assert [one["error"] and one["error"]["code"] for one in taken["rows"]] == [
        "REFERENCE_TAKEN",
        None,
    ]
    assert taken["rows"][1]["warnings"] == []
    assert in_the_books(bank) == [("P-1", 40_00), ("P-2", 50_00), ("P-4", 150_00)]


def test_a_suspended_agency_learns_nothing_from_its_keys(bank, house, placement):
    loan = loans_of(bank, placement)[0]
    client = over_http.person(house, "collector")
    first = log(client, [row(loan, "P-1", 40_00)])
    with scope(bank.actor("compliance_officer")) as actor:
        membership = placement.agency.pk
        membership = panel.selectors.visible_memberships(actor).get(agency=membership)
        panel.suspend(actor=actor, membership_id=membership.pk, reason="Complaints")
    assert log(client, [row(loan, "P-1", 40_00)])["rows"][0]["error"]["code"] == "NOT_FOUND"
    with scope(bank.actor("compliance_officer")) as actor:
        panel.reinstate(actor=actor, membership_id=membership.pk, reason="Settled")
    assert log(client, [row(loan, "P-1", 40_00)]) == first
    assert in_the_books(bank) == [("P-1", 40_00)]


def test_a_loan_reference_of_two_banks_needs_the_bank(bank, house, placement):
    other = world.make_bank()
    world.join_panel(other, house)
    portfolio = world.make_portfolio(other, balances_minor=[100_00])
    loan = loans_of(bank, placement)[0]
    with scope(other.actor("vendor_manager")):
        portfolio.loans.update(reference=loan)
    world.place(other, house, portfolio)
    client = over_http.person(house, "collector")
    answer = log(
        client,
        [row(loan, "P-1", 1_00), row(loan, "P-2", 2_00, institution=other.institution.slug)],
    )
    assert answer["rows"][0]["error"]["code"] == "AMBIGUOUS_LOAN"
    assert answer["rows"][1]["outcome"] == "RECORDED"
    assert (in_the_books(bank), in_the_books(other)) == ([], [("P-2", 2_00)])


def test_the_number_of_queries_does_not_grow_with_the_batch(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00] * 60)
    loans = loans_of(bank, world.place(bank, house, portfolio))
    counts = []
    with scope(house.actor()) as actor:
        for size in (2, 60):
            rows = [
                {
                    "loan_reference": loan,
                    "reference": f"{size}-{loan}",
                    "amount_minor": 1_00,
                    "value_on": datetime.date.fromisoformat(today()),
                    "channel": "cash",
                }
                for loan in loans[:size]
            ]
            with CaptureQueriesContext(
                connection,
            ) as captured:
                answers = recoveries.log(actor=actor, idempotency_key=str(size), rows=rows)
            assert {answer.outcome for answer in answers} == {"recorded"}
            counts.append(len(captured))
    assert counts[0] == counts[1]
    assert counts[0] < 25


REVERSAL = "reversal { reference amountMinor reason } recovery { state reversedMinor }"


def test_a_recovery_is_reversed_in_parts_and_never_beyond(bank, house, placement):
    loan = loans_of(bank, placement)[0]
    api = over_http.machine(house)
    log(api, [row(loan, "P-1", 40_00)])

    def reverse(reference, **given):
        return over_http.do(
            api,
            "recoveryReverse",
            REVERSAL,
            reference="P-1",
            reversalReference=reference,
            reason="Returned by the bank of the payer",
            **given,
        )

    part = reverse("R-1", amountMinor=15_00)
    assert part == {
        "reversal": {
            "reference": "R-1",
            "amountMinor": 15_00,
            "reason": "Returned by the bank of the payer",
        },
        "recovery": {"state": "REPORTED", "reversedMinor": 15_00},
        "errors": [],
    }
    assert reverse("R-1", amountMinor=15_00) == part
    assert reverse("R-1", amountMinor=15_01)["errors"][0]["code"] == "REFERENCE_TAKEN"
    above = reverse("R-2", amountMinor=25_01)["errors"][0]
    assert (above["code"], above["field"]) == ("ABOVE_RECOVERY", "amountMinor")
    assert reverse("R-3", amountMinor=0)["errors"][0]["code"] == "NOT_POSITIVE"
    assert reverse("R-4")["recovery"] == {"state": "REPORTED", "reversedMinor": 40_00}
    assert reverse("R-5")["errors"][0]["code"] == "NOTHING_LEFT"
    with scope(bank.actor("auditor")):
        amounts = Reversal.objects.order_by("reference").values_list("reference", "amount_minor")
        assert list(amounts) == [("R-1", 15_00), ("R-4", 25_00)]
        assert AuditEntry.objects.filter(action="recovery.reverse").count() == 2
    assert in_the_books(bank) == [("P-1", 40_00)]
    # What was taken back is owed again.
    owed = log(api, [row(loan, "P-2", 100_00), row(loan, "P-3", 1)], key="k-2")["rows"]
    assert [one["warnings"] for one in owed] == [[], ["ABOVE_BALANCE"]]


def test_the_bank_reverses_after_a_recall_and_the_agency_cannot(bank, house, placement):
    loan = loans_of(bank, placement)[0]
    client = over_http.person(house, "collector")
    log(client, [row(loan, "P-1", 40_00)])
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Over")
        recovery = Recovery.objects.get()
    given = {"reversalReference": "R-1", "reason": "Cheque bounced"}
    refused = over_http.do(client, "recoveryReverse", REVERSAL, reference="P-1", **given)
    absent = over_http.do(client, "recoveryReverse", REVERSAL, reference="P-0", **given)
    assert refused == absent
    assert refused["errors"][0]["code"] == "NOT_FOUND"
    by_id = {"recoveryId": str(recovery.pk)} | given
    assert over_http.do(client, "recoveryReverse", REVERSAL, **by_id) == refused
    for role in ("auditor", "vendor_manager", "finance_approver"):
        other = over_http.do(over_http.person(bank, role), "recoveryReverse", REVERSAL, **by_id)
        assert other["errors"][0]["code"] == "NOT_ALLOWED"
    with scope(bank.actor("auditor")):
        assert not Reversal.objects.exists()
    finance = over_http.person(bank, "finance_preparer")
    done = over_http.do(finance, "recoveryReverse", REVERSAL, **by_id)
    assert done["errors"] == []
    assert done["reversal"]["amountMinor"] == 40_00
    assert over_http.do(finance, "recoveryReverse", REVERSAL, **by_id) == done
    with scope(bank.actor("auditor")):
        reversal = Reversal.objects.get()
        assert reversal.reference == f"{bank.institution.slug}:R-1"
        assert reversal.agency_id == house.agency.pk


def test_a_reason_is_needed_and_holds_no_card_number(bank, house, placement):
    loan = loans_of(bank, placement)[0]
    client = over_http.person(house, "collector")
    log(client, [row(loan, "P-1", 40_00)])
    given = {"reference": "P-1", "reversalReference": "R-1"}
    blank = over_http.do(client, "recoveryReverse", REVERSAL, reason=" ", **given)
    assert [(one["code"], one["field"]) for one in blank["errors"]] == [("REQUIRED", "reason")]
    card = "Paid with 4111 1111 1111 1111"
    kept = over_http.do(client, "recoveryReverse", REVERSAL, reason=card, **given)
    assert [(one["code"], one["field"]) for one in kept["errors"]] == [("CARD_NUMBER", "reason")]
    with scope(bank.actor("auditor")):
        assert not Reversal.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_one_key_have_one_effect():
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    placement = world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00] * 40))
    loans = loans_of(bank, placement)
    rows = [row(loan, f"P-{loan}", 1_00) for loan in loans]
    start = threading.Barrier(2)
    answers = []

    def send(client):
        try:
            start.wait()
            answers.append(log(client, rows))
        finally:
            connections.close_all()

    senders = [
        threading.Thread(target=send, args=[over_http.person(house, "collector")]) for _ in range(2)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(answers) == 2
    assert answers[0] == answers[1]
    assert {one["outcome"] for one in answers[0]["rows"]} == {"RECORDED"}
    assert in_the_books(bank) == sorted((f"P-{loan}", 1_00) for loan in loans)
    with scope(house.actor()):
        assert IdempotentCall.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_reversals_at_once_never_exceed_the_recovery():
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    placement = world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00]))
    log(over_http.person(house, "collector"), [row(loans_of(bank, placement)[0], "P-1", 40_00)])
    with scope(bank.actor("auditor")):
        recovery = str(Recovery.objects.get().pk)
    start = threading.Barrier(2)
    answers = []

    def reverse(client, reference):
        try:
            start.wait()
            given = {"recoveryId": recovery, "reversalReference": reference, "reason": "Returned"}
            answers.append(
                over_http.do(client, "recoveryReverse", REVERSAL, amountMinor=30_00, **given)
            )
        finally:
            connections.close_all()

    senders = [
        threading.Thread(target=reverse, args=[over_http.person(side, role), role])
        for side, role in ((house, "collector"), (bank, "finance_preparer"))
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    codes = sorted(one["errors"][0]["code"] if one["errors"] else "" for one in answers)
    assert codes == ["", "ABOVE_RECOVERY"]
    with scope(bank.actor("auditor")):
        assert Reversal.objects.get().amount_minor == 30_00


@pytest.mark.django_db(transaction=True)
def test_a_recall_in_the_middle_leaves_the_other_rows(monkeypatch):
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    gone = world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00]))
    kept = world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00]))
    lost, held = loans_of(bank, gone)[0], loans_of(bank, kept)[0]
    insert = recoveries._insert

    def recall():
        try:
            with scope(bank.actor("vendor_manager")) as actor:
                placements.recall(actor=actor, placement_id=gone.pk, reason="Now")
        finally:
            connections.close_all()

    def after_a_recall(planned):
        monkeypatch.setattr(recoveries, "_insert", insert)
        thread = threading.Thread(target=recall)
        thread.start()
        thread.join()
        return insert(planned)

    monkeypatch.setattr(recoveries, "_insert", after_a_recall)
    client = over_http.person(house, "collector")
    rows = log(client, [row(lost, "P-1", 1_00), row(held, "P-2", 2_00)])["rows"]
    assert [one["outcome"] for one in rows] == ["REFUSED", "RECORDED"]
    assert rows[0]["error"]["code"] == "NOT_FOUND"
    assert in_the_books(bank) == [("P-2", 2_00)]


def test_an_answer_survives_being_kept():
    answer = Answer(row=3, outcome="recorded", id="a", spell_id="b", warnings=("ABOVE_BALANCE",))
    assert Answer.restored(json.loads(json.dumps(answer.stored()))) == answer
