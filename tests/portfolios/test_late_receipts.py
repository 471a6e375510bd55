"""Late receipts: named without reading the loan, decided by the bank."""

import json

import pytest

from agencies.models import AuditEntry
from agencies.scope import scope
from agencies.services import panel
from config import clock as clocks
from portfolios.models import LateReceipt, Loan, Recovery
from portfolios.services import placements, receipts, recoveries
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

WANTED = """lateReceipt { loanReference reference currency amountMinor valueOn note state
    decisionReason }"""


@pytest.fixture
def loan(bank, placement):
    with scope(bank.actor("auditor")):
        return Loan.objects.filter(placement=placement).order_by("reference").first()


def recall(bank, placement):
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Over")


def today():
    return clocks.business_date("America/New_York").isoformat()


def money(bank, loan_reference, **change):
    return {
        "institutionId": str(bank.institution.pk),
        "loanReference": loan_reference,
        "reference": "T-1",
        "amountMinor": 40_00,
        "currency": "USD",
        "valueOn": today(),
        **change,
    }


def submit(client, **given):
    return over_http.do(client, "lateReceiptSubmit", WANTED, **given)


def decide(bank, accept=True, reason="Seen on the account", role="finance_preparer"):
    with scope(bank.actor("auditor")):
        late_receipt = str(LateReceipt.objects.get().pk)
    return over_http.do(
        over_http.person(bank, role),
        "lateReceiptDecide",
        WANTED,
        lateReceiptId=late_receipt,
        accept=accept,
        reason=reason,
    )


def in_the_books(bank):
    with scope(bank.actor("auditor")):
        return list(Recovery.objects.values_list("reference", "amount_minor"))


def test_money_after_a_recall_is_accepted_and_confirmed_like_any_other(
    bank, house, placement, loan
):
    recall(bank, placement)
    client = over_http.machine(house)
    sent = submit(client, **money(bank, loan.reference, note="Paid to us by mistake"))
    assert sent == {
        "lateReceipt": {
            "loanReference": loan.reference,
            "reference": "T-1",
            "currency": "USD",
            "amountMinor": 40_00,
            "valueOn": today(),
            "note": "Paid to us by mistake",
            "state": "SUBMITTED",
            "decisionReason": "",
        },
        "errors": [],
    }
    assert in_the_books(bank) == []
    assert decide(bank)["lateReceipt"]["state"] == "ACCEPTED"
    assert in_the_books(bank) == [("T-1", 40_00)]
    content = (
        "receipt_reference,loan_reference,amount,currency,value_date\n"
        f"B-1,{loan.reference},40,USD,{today()}\n"
    )
    with scope(bank.actor("finance_preparer")) as actor:
        assert receipts.confirm(actor=actor, file_name="a", content=content.encode()).matched == 1
        recovery = Recovery.objects.get()
        assert (recovery.placement_id, recovery.logged_by) == (placement.pk, house.agency.name)
        assert LateReceipt.objects.get().recovery == recovery
        actions = AuditEntry.objects.filter(agency=house.agency).values_list("action", flat=True)
        assert {"late_receipt.submit", "late_receipt.accept", "recovery.log"} <= set(actions)
    query = "{ lateReceipts(first: 3) { edges { node { state decisionReason } } } }"
    assert over_http.ask(client, query)["lateReceipts"]["edges"] == [
        {"node": {"state": "ACCEPTED", "decisionReason": "Seen on the account"}}
    ]
    # The agency still sees nothing of the loan.
    query = "{ recoveries(first: 3) { totalCount } }"
    assert over_http.ask(client, query)["recoveries"]["totalCount"] == 0


def test_the_answer_is_the_same_for_every_loan(bank, house, placement, loan):
    rival = world.make_agency()
    world.join_panel(bank, rival)
    client = over_http.person(rival, "collector")
    answers = []
    for number, reference in enumerate([loan.reference, "NO-SUCH"]):
        query = """mutation($input: LateReceiptSubmitInput!) { lateReceiptSubmit(input: $input) {
            lateReceipt { state amountMinor } errors { code } } }"""
        given = money(bank, reference, reference=f"T-{number}")
        body = json.dumps({"query": query, "variables": {"input": given}})
        answer = client.post("/graphql", body, content_type="application/json")
        answers.append((answer.status_code, answer.content))
    assert answers[0] == answers[1]
    with scope(bank.actor("auditor")):
        assert LateReceipt.objects.count() == 2


def test_the_same_reference_is_one_late_receipt(bank, house, placement, loan):
    client = over_http.person(house, "collector")
    first = submit(client, **money(bank, loan.reference))
    assert submit(client, **money(bank, loan.reference)) == first
    other = submit(client, **money(bank, loan.reference, amountMinor=40_01))
    assert other["errors"][0]["code"] == "REFERENCE_TAKEN"
    with scope(bank.actor("auditor")):
        assert LateReceipt.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"amountMinor": 0}, "NOT_POSITIVE", "amountMinor"),
        ({"currency": "XXX"}, "UNKNOWN_CURRENCY", "currency"),
        ({"valueOn": "2199-01-01"}, "FUTURE_DATE", "valueOn"),
        ({"loanReference": ""}, "REQUIRED", "loanReference"),
        ({"reference": "x" * 61}, "TOO_LONG", "reference"),
        ({"note": "4111 1111 1111 1111"}, "CARD_NUMBER", "note"),
    ],
)
def test_what_is_wrong_is_said_and_sends_nothing(bank, house, change, code, field):
    client = over_http.person(house, "collector")
    answer = submit(client, **money(bank, "L-1", **change))
    assert [(one["code"], one["field"]) for one in answer["errors"]] == [(code, field)]
    with scope(bank.actor("auditor")):
        assert not LateReceipt.objects.exists()


def test_a_bank_that_never_admitted_the_agency_is_not_there(bank, house):
    stranger = world.make_bank()
    client = over_http.person(house, "collector")
    foreign = submit(client, **money(stranger, "L-1"))
    absent = submit(client, **money(stranger, "L-1", institutionId=str(house.agency.pk)))
    assert foreign == absent
    assert foreign["errors"][0]["code"] == "NOT_FOUND"


def test_a_suspended_agency_may_submit_and_be_accepted(bank, house, placement, loan):
    with scope(bank.actor("compliance_officer")) as actor:
        membership = panel.selectors.visible_memberships(actor).get(agency=house.agency)
        panel.suspend(actor=actor, membership_id=membership.pk, reason="Complaints")
    submit(over_http.person(house, "collector"), **money(bank, loan.reference))
    assert decide(bank)["lateReceipt"]["state"] == "ACCEPTED"


def test_what_cannot_be_accepted_says_why_and_stays(bank, house, placement, loan):
    client = over_http.person(house, "collector")
    submit(client, **money(bank, loan.reference))
    assert decide(bank)["errors"][0]["code"] == "STILL_PLACED"
    with scope(house.actor()) as actor:
        row = {
            "loan_reference": loan.reference,
            "reference": "T-1",
            "amount_minor": 1,
            "value_on": clocks.business_date("America/New_York"),
            "channel": "cash",
        }
        recoveries.log(actor=actor, idempotency_key="k", rows=[row])
    recall(bank, placement)
    assert decide(bank)["errors"][0]["code"] == "REFERENCE_TAKEN"
    assert decide(bank, reason=" ")["errors"][0]["code"] == "REQUIRED"
    assert decide(bank, role="finance_approver")["errors"][0]["code"] == "NOT_ALLOWED"
    with scope(bank.actor("auditor")):
        assert LateReceipt.objects.get().state == "submitted"
    assert in_the_books(bank) == [("T-1", 1)]
    refused = decide(bank, accept=False, reason="Reported before")
    assert refused["lateReceipt"]["state"] == "REFUSED"
    assert decide(bank)["errors"][0]["code"] == "DECIDED"
    assert in_the_books(bank) == [("T-1", 1)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"loan_reference": "NO-SUCH"}, "LOAN_UNKNOWN"),
        ({"currency": "EUR"}, "WRONG_CURRENCY"),
        ({"valueOn": "2001-01-01"}, "BEFORE_PLACEMENT"),
    ],
)
def test_the_bank_hears_why_a_late_receipt_fits_no_spell(
    bank, house, placement, loan, change, code
):
    recall(bank, placement)
    change = dict(change)
    reference = change.pop("loan_reference", loan.reference)
    submit(over_http.person(house, "collector"), **money(bank, reference, **change))
    assert decide(bank)["errors"][0]["code"] == code
    assert in_the_books(bank) == []


def test_an_agency_that_never_held_the_loan_is_refused(bank, house, placement, loan):
    rival = world.make_agency()
    world.join_panel(bank, rival)
    submit(over_http.person(rival, "collector"), **money(bank, loan.reference))
    assert decide(bank)["errors"][0]["code"] == "NEVER_PLACED"
