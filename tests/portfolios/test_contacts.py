"""Contacts: recorded whatever they are, flagged where a rule seems broken."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agencies.models import AuditEntry
from agencies.scope import scope
from config import clock as clocks
from portfolios.models import Contact, Loan
from portfolios.services import contacts, holds, placements
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

WANTED = "contact { loanReference measure channel direction outcome happenedAt note flags }"
ROWS = "rows { row outcome warnings error { code field row } contact { flags } }"

NOON = datetime.datetime(2030, 3, 5, 17, 0, tzinfo=datetime.UTC)
"""Noon in New York."""


@pytest.fixture
def placement(bank, house, clock):
    clock.set(NOON - datetime.timedelta(days=30))
    return world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00, 200_00]))


@pytest.fixture
def loan(bank, placement, clock):
    clock.set(NOON + datetime.timedelta(days=1))
    with scope(bank.actor("auditor")):
        loans = Loan.objects.select_related("portfolio").filter(placement=placement)
        return loans.order_by("reference").first()


def call(loan, happened_at=NOON, **change):
    return {
        "loanReference": loan.reference,
        "measure": "NEGOTIATION",
        "channel": "PHONE",
        "direction": "OUTBOUND",
        "outcome": "NO_ANSWER",
        "happenedAt": happened_at.isoformat(),
        **change,
    }


def in_the_books(bank):
    with scope(bank.actor("auditor")):
        return list(Contact.objects.order_by("happened_at").values_list("flags", flat=True))


def test_a_contact_is_recorded_as_it_was(bank, house, loan):
    answer = over_http.do(
        over_http.machine(house), "contactLog", WANTED, **call(loan, note=" Nobody there. ")
    )
    assert answer == {
        "contact": {
            "loanReference": loan.reference,
            "measure": "NEGOTIATION",
            "channel": "PHONE",
            "direction": "OUTBOUND",
            "outcome": "NO_ANSWER",
            "happenedAt": "2030-03-05T17:00:00+00:00",
            "note": "Nobody there.",
            "flags": [],
        },
        "errors": [],
    }
    with scope(bank.actor("auditor")):
        contact = Contact.objects.get()
        assert contact.logged_by == "Dialler"
        entry = AuditEntry.objects.get(action="contact.log")
        assert entry.object_id == contact.pk
        assert entry.changes == {}


@pytest.mark.parametrize(
    ("happened_at", "flags"),
    [
        (datetime.datetime(2030, 3, 5, 13, 0, tzinfo=datetime.UTC), []),  # 8:00 in New York
        (datetime.datetime(2030, 3, 5, 12, 59, tzinfo=datetime.UTC), ["OUTSIDE_HOURS"]),
        (datetime.datetime(2030, 3, 6, 2, 0, tzinfo=datetime.UTC), []),  # 21:00
        (datetime.datetime(2030, 3, 6, 2, 1, tzinfo=datetime.UTC), ["OUTSIDE_HOURS"]),
    ],
)
def test_hours_are_the_borrowers(bank, house, loan, happened_at, flags):
    client = over_http.person(house, "collector")
    answer = over_http.do(client, "contactLog", WANTED, **call(loan, happened_at))
    assert answer["contact"]["flags"] == flags
    assert in_the_books(bank) == [flags]


def test_a_loan_on_hold_is_flagged_and_not_refused(bank, house, loan):
    with scope(bank.actor("compliance_officer")) as actor:
        holds.open_hold(actor=actor, loan_id=loan.pk, kind="dispute", reason="Disputed")
    client = over_http.person(house, "collector")
    ours = over_http.do(client, "contactLog", WANTED, **call(loan))
    theirs = over_http.do(client, "contactLog", WANTED, **call(loan, direction="INBOUND"))
    assert (ours["contact"]["flags"], theirs["contact"]["flags"]) == (["ON_HOLD"], [])


def test_the_eighth_call_in_seven_days_is_too_many_also_within_a_batch(bank, house, loan):
    client = over_http.machine(house)
    rows = [call(loan, NOON - datetime.timedelta(hours=hours)) for hours in range(5)]
    first = over_http.do(client, "contactsLog", ROWS, idempotencyKey="k-1", rows=rows)
    assert [one["warnings"] for one in first["rows"]] == [[]] * 5
    rows = [call(loan, NOON + datetime.timedelta(minutes=minute)) for minute in range(4)]
    second = over_http.do(client, "contactsLog", ROWS, idempotencyKey="k-2", rows=rows)
    assert [one["warnings"] for one in second["rows"]] == [
        [],
        [],
        ["TOO_MANY_CONTACTS"],
        ["TOO_MANY_CONTACTS"],
    ]
    again = over_http.do(client, "contactsLog", ROWS, idempotencyKey="k-2", rows=rows)
    assert again == second
    assert len(in_the_books(bank)) == 9


def test_rows_of_a_batch_are_answered_on_their_own(bank, house, loan):
    rows = [
        call(loan, loanReference="NO-SUCH"),
        call(loan),
        call(loan, NOON + datetime.timedelta(days=2)),
        call(loan, NOON - datetime.timedelta(days=40)),
        call(loan, note="Card 4111111111111111"),
        call(loan, note="x" * 2001),
    ]
    client = over_http.person(house, "collector")
    answer = over_http.do(client, "contactsLog", ROWS, idempotencyKey="k-1", rows=rows)
    assert [
        (one["outcome"], one["error"] and (one["error"]["code"], one["error"]["field"]))
        for one in answer["rows"]
    ] == [
        ("REFUSED", ("NOT_FOUND", "loanReference")),
        ("RECORDED", None),
        ("REFUSED", ("FUTURE_DATE", "happenedAt")),
        ("REFUSED", ("BEFORE_PLACEMENT", "happenedAt")),
        ("REFUSED", ("CARD_NUMBER", "note")),
        ("REFUSED", ("TOO_LONG", "note")),
    ]
    assert in_the_books(bank) == [[]]


def test_another_agencys_loan_is_an_unknown_loan(bank, house, loan):
    rival = world.make_agency()
    world.join_panel(bank, rival)
    client = over_http.person(rival, "collector")
    foreign = over_http.do(client, "contactLog", WANTED, **call(loan))
    absent = over_http.do(client, "contactLog", WANTED, **call(loan, loanReference="NO-SUCH"))
    by_id = call(loan, loanId=str(loan.pk))
    del by_id["loanReference"]
    assert foreign == absent == over_http.do(client, "contactLog", WANTED, **by_id)
    assert foreign["errors"][0]["code"] == "NOT_FOUND"
    assert in_the_books(bank) == []


def test_compliance_finds_the_flagged_ones(bank, house, loan):
    client = over_http.person(house, "collector")
    over_http.do(client, "contactLog", WANTED, **call(loan))
    night = NOON - datetime.timedelta(hours=6)
    over_http.do(client, "contactLog", WANTED, **call(loan, night))
    officer = over_http.person(bank, "compliance_officer")
    query = """query($flagged: Boolean) {
        contacts(first: 10, isFlagged: $flagged) { totalCount edges { node { flags } } } }"""
    found = over_http.ask(officer, query, flagged=True)["contacts"]
    assert found["totalCount"] == 1
    assert found["edges"][0]["node"]["flags"] == ["OUTSIDE_HOURS"]
    assert over_http.ask(officer, query)["contacts"]["totalCount"] == 2


def test_the_next_agency_never_sees_the_former_ones_contacts(bank, house, loan, placement):
    client = over_http.person(house, "collector")
    for minute in range(8):
        moment = NOON - datetime.timedelta(minutes=minute)
        over_http.do(client, "contactLog", WANTED, **call(loan, moment, note="Spoke to her"))
    assert in_the_books(bank)[0] == ["TOO_MANY_CONTACTS"]
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Over")
    rival = world.make_agency()
    world.join_panel(bank, rival)
    world.place(bank, rival, loan.portfolio)
    later = clocks.now().isoformat()
    theirs = over_http.person(rival, "collector")
    answer = over_http.do(theirs, "contactLog", WANTED, **call(loan, happenedAt=later))
    assert answer["contact"]["flags"] == []
    query = "{ contacts(first: 20) { totalCount edges { node { note } } } }"
    assert over_http.ask(theirs, query)["contacts"] == {
        "totalCount": 1,
        "edges": [{"node": {"note": ""}}],
    }
    assert over_http.ask(client, query)["contacts"]["totalCount"] == 0


def test_the_number_of_queries_does_not_grow_with_the_batch(bank, house, loan):
    counts = []
    with scope(house.actor()) as actor:
        for size in (2, 50):
            rows = [
                {
                    "loan_reference": loan.reference,
                    "measure": "notice",
                    "channel": "letter",
                    "direction": "outbound",
                    "outcome": "done",
                    "happened_at": NOON - datetime.timedelta(minutes=minute),
                }
                for minute in range(size)
            ]
            with CaptureQueriesContext(connection) as captured:
                contacts.log_many(actor=actor, idempotency_key=str(size), rows=rows)
            counts.append(len(captured))
    assert counts[0] == counts[1] < 20
    assert len(in_the_books(bank)) == 52
