"""Complaints: to whom they are addressed, who may say what, and what a stranger learns."""

import datetime
import threading

import pytest
from django.db import DatabaseError, connections, transaction

from agencies import actors
from agencies.models import AuditEntry
from agencies.scope import scope
from config import encryption, errors
from portfolios.models import Complaint, ComplaintIntake, Hold, Loan
from portfolios.selectors import shown_intakes
from portfolios.services import complaints, intakes, placements
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

PLACED_AT = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
NOW = datetime.datetime(2026, 3, 20, 15, tzinfo=datetime.UTC)
ACCOUNT = "They rang my neighbour and told her what I owe."
REASON = "The recording proves it."
CARD = "4111 1111 1111 1111"


@pytest.fixture
def scene(clock):
    """One loan: with the first agency from 2 March, with the second from 10 March on."""
    clock.set(PLACED_AT)
    bank, first, second = world.make_bank(), world.make_agency(), world.make_agency()
    for house in (first, second):
        world.join_panel(bank, house)
    portfolio = world.make_portfolio(bank, balances_minor=[500_00])
    placement = world.place(bank, first, portfolio)
    clock.set(PLACED_AT + datetime.timedelta(days=8))
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Term cut short")
    world.place(bank, second, portfolio)
    clock.set(NOW)
    with scope(bank.actor("auditor")):
        loan = Loan.objects.get(portfolio=portfolio)
    return bank, first, second, loan


def open_one(bank, loan, **change):
    given = {
        "loan_reference": loan.reference,
        "category": "disclosure",
        "severity": "medium",
        "happened_on": datetime.date(2026, 3, 5),
        "account": ACCOUNT,
        "summary": "Did you speak to a neighbour?",
        **change,
    }
    with scope(bank.actor("compliance_officer")) as actor:
        return complaints.open(actor=actor, **given)


def decide(bank, complaint, outcome="upheld", is_agency_at_fault=True, reason=REASON):
    with scope(bank.actor("compliance_officer")) as actor:
        return complaints.decide(
            actor=actor,
            complaint_id=complaint.pk,
            outcome=outcome,
            is_agency_at_fault=is_agency_at_fault,
            reason=reason,
        )


def refused(code, call, *given, **named):
    with pytest.raises(errors.DomainError) as refusal:
        call(*given, **named)
    assert refusal.value.code == code
    return refusal.value


def held(bank, loan):
    """(whether the loan is on hold, how many holds are open on it)"""
    with scope(bank.actor("auditor")):
        open_holds = Hold.objects.filter(loan=loan, released_at=None).count()
        return Loan.objects.get(pk=loan.pk).is_on_hold, open_holds


@pytest.mark.parametrize(
    ("happened_on", "whose"),
    [
        ("2026-03-01", None),  # before the first placement
        ("2026-03-02", "first"),
        ("2026-03-09", "first"),
        ("2026-03-10", "second"),  # both had it that day: the later one
        ("2026-03-20", "second"),
    ],
)
def test_it_is_addressed_to_who_had_the_loan_that_day(scene, happened_on, whose):
    bank, first, second, loan = scene
    opened = open_one(bank, loan, happened_on=datetime.date.fromisoformat(happened_on))
    agency = {"first": first.agency.pk, "second": second.agency.pk, None: None}[whose]
    assert opened.agency_id == agency
    assert (opened.placement_id is None) == (agency is None)


def test_days_are_counted_on_the_clock_of_the_institution(clock):
    clock.set(datetime.datetime(2026, 3, 3, 4, 30, tzinfo=datetime.UTC))  # 2 March in New York
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    portfolio = world.make_portfolio(bank, balances_minor=[500_00])
    world.place(bank, house, portfolio)
    with scope(bank.actor("auditor")):
        loan = Loan.objects.get()
    refused("FUTURE_DATE", open_one, bank, loan, happened_on=datetime.date(2026, 3, 3))
    opened = open_one(bank, loan, happened_on=datetime.date(2026, 3, 2), severity="high")
    assert opened.agency_id == house.agency.pk
    assert opened.due_on == datetime.date(2026, 3, 7)
    assert open_one(bank, loan, happened_on=datetime.date(2026, 3, 1)).agency_id is None


def test_opening_holds_the_loan_until_the_last_complaint_is_decided(scene):
    bank, _first, _second, loan = scene
    opened = open_one(bank, loan)
    other = open_one(bank, loan, category="frequency", severity="low")
    assert opened.due_on == datetime.date(2026, 4, 4)
    assert held(bank, loan) == (True, 2)
    decide(bank, opened)
    assert held(bank, loan) == (True, 1)
    decide(bank, other, outcome="not_upheld", is_agency_at_fault=False)
    assert held(bank, loan) == (False, 0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"loan_reference": "NO-SUCH"}, "UNKNOWN_LOAN"),
        ({"category": "rude"}, "UNKNOWN_CHOICE"),
        ({"severity": ""}, "UNKNOWN_CHOICE"),
        ({"happened_on": datetime.date(2026, 3, 21)}, "FUTURE_DATE"),
        ({"happened_on": datetime.date(206, 3, 5)}, "TOO_LONG_AGO"),
        ({"account": "  "}, "REQUIRED"),
        ({"account": f"He took {CARD} down."}, "CARD_NUMBER"),
        ({"summary": "x" * 2001}, "TOO_LONG"),
    ],
)
def test_what_cannot_be_opened_changes_nothing(scene, change, code):
    bank, _first, _second, loan = scene
    refused(code, open_one, bank, loan, **change)
    assert held(bank, loan) == (False, 0)
    with scope(bank.actor("auditor")):
        assert not Complaint.objects.exists()


ANSWERED = "complaint { state answer loanReference }"
LIST = """{ complaints(first: 10) { totalCount edges { node {
    id loanReference summary category severity state dueOn answer outcome agencyName } } } }"""


def test_the_agency_answers_once_also_after_the_recall(scene):
    bank, first, second, loan = scene
    opened = open_one(bank, loan)
    api = over_http.machine(first)

    listed = over_http.ask(api, LIST)["complaints"]
    assert listed["totalCount"] == 1
    assert listed["edges"][0]["node"] == {
        "id": str(opened.pk),
        "loanReference": loan.reference,
        "summary": "Did you speak to a neighbour?",
        "category": "DISCLOSURE",
        "severity": "MEDIUM",
        "state": "OPEN",
        "dueOn": "2026-04-04",
        "answer": "",
        "outcome": None,
        "agencyName": first.agency.name,
    }
    done = over_http.do(
        api, "complaintAnswer", ANSWERED, complaintId=opened.pk, answer=f"Use {CARD}."
    )
    assert done["errors"][0]["code"] == "CARD_NUMBER"
    done = over_http.do(
        api, "complaintAnswer", ANSWERED, complaintId=opened.pk, answer="We rang nobody else."
    )
    assert done == {
        "complaint": {
            "state": "ANSWERED",
            "answer": "We rang nobody else.",
            "loanReference": loan.reference,
        },
        "errors": [],
    }
    again = over_http.do(api, "complaintAnswer", ANSWERED, complaintId=opened.pk, answer="Sorry.")
    assert again["errors"][0]["code"] == "NOT_OPEN"

    rival = over_http.machine(second)
    assert over_http.ask(rival, LIST)["complaints"]["totalCount"] == 0
    one = "query($id: ID!) { complaint(id: $id) { summary } }"
    assert over_http.ask(rival, one, id=opened.pk) == {"complaint": None}
    theirs = over_http.do(rival, "complaintAnswer", ANSWERED, complaintId=opened.pk, answer="No.")
    assert theirs["errors"][0]["code"] == "NOT_FOUND"
    with scope(bank.actor("auditor")):
        assert Complaint.objects.get().answer == "We rang nobody else."


def test_the_database_lets_an_agency_do_nothing_but_answer(scene):
    bank, first, _second, loan = scene
    opened = open_one(bank, loan)
    with scope(first.actor()):
        for change in ({"severity": "low"}, {"summary": "-"}, {"due_on": NOW.date()}):
            with pytest.raises(DatabaseError), transaction.atomic():
                Complaint.objects.filter(pk=opened.pk).update(state="answered", **change)
        with pytest.raises(DatabaseError), transaction.atomic():
            Complaint.objects.filter(pk=opened.pk)._raw_delete("default")
        complaints.answer(actor=first.actor(), complaint_id=opened.pk, answer="We did not.")
        assert Complaint.objects.filter(pk=opened.pk).update(answer="We did.") == 0
    with scope(bank.actor("auditor")):
        stored = Complaint.objects.get()
        assert (stored.severity, stored.answer) == ("medium", "We did not.")


def test_a_decision_is_made_once_with_a_reason_and_whose_doing_it_was(scene):
    bank, first, _second, loan = scene
    opened = open_one(bank, loan)
    nobodys = open_one(bank, loan, happened_on=datetime.date(2026, 3, 1))
    refused("TOO_SHORT", decide, bank, opened, reason="Proven it")
    refused("NOBODY_AT_FAULT", decide, bank, opened, outcome="not_upheld")
    refused("NOBODY_AT_FAULT", decide, bank, nobodys)
    assert held(bank, loan) == (True, 2)

    decided = decide(bank, opened)
    assert (decided.outcome, decided.is_agency_at_fault) == ("upheld", True)
    assert decided.decided_at == NOW
    refused("DECIDED", decide, bank, opened, outcome="not_upheld", is_agency_at_fault=False)
    with scope(first.actor()) as actor:
        refused("NOT_OPEN", complaints.answer, actor=actor, complaint_id=opened.pk, answer="But")
        entries = AuditEntry.objects.filter(object_id=opened.pk).order_by("pk")
        assert [(entry.action, entry.reason) for entry in entries] == [
            ("complaint.open", ""),
            ("complaint.decide", REASON),
        ]


def test_the_complainants_words_are_for_compliance_alone_and_reading_them_is_recorded(scene):
    bank, first, _second, loan = scene
    opened = open_one(bank, loan)
    for wrong in (bank.actor("vendor_manager"), bank.actor("auditor"), first.actor()):
        with scope(wrong) as actor:
            refused(
                "NOT_ALLOWED", complaints.reveal, actor=actor, complaint_id=opened.pk, reason="?"
            )
    officer = over_http.person(bank, "compliance_officer")
    shown = over_http.do(
        officer, "complaintReveal", "account contact", complaintId=opened.pk, reason="To check"
    )
    assert shown == {"account": ACCOUNT, "contact": "", "errors": []}
    with scope(bank.actor("auditor")):
        entry = AuditEntry.objects.get(action="complaint.reveal")
        assert (entry.object_id, entry.reason) == (opened.pk, "To check")
        assert ACCOUNT.encode() not in bytes(Complaint.objects.get().account)
    with scope(first.actor()):
        assert not AuditEntry.objects.filter(action="complaint.reveal").exists()


def leave(bank, reference, account=ACCOUNT, contact="jo@example.org"):
    with scope(actors.public_for(bank.institution.pk)) as actor:
        intakes.receive(
            actor=actor,
            loan_reference=reference,
            category="disclosure",
            happened_on=datetime.date(2026, 3, 5),
            account=account,
            contact=contact,
            time_zone=bank.institution.time_zone,
        )


def test_an_intake_becomes_a_complaint_once_in_its_own_words_and_time(scene, clock):
    bank, first, _second, loan = scene
    leave(bank, loan.reference)
    clock.set(NOW + datetime.timedelta(days=3))
    with scope(bank.actor("compliance_officer")) as actor:
        intake = shown_intakes(actor).get()
        assert intake.is_known
    opened = open_one(bank, loan, intake_id=intake.pk, account="Something the officer made up")
    assert opened.agency_id == first.agency.pk
    assert (opened.received_at, opened.due_on) == (NOW, datetime.date(2026, 4, 4))
    with scope(bank.actor("compliance_officer")) as actor:
        assert encryption.reveal(Complaint.objects.get(), "account") == ACCOUNT
        words = complaints.reveal(actor=actor, complaint_id=opened.pk, reason="To call back")
        assert words.contact == "jo@example.org"
    refused("SETTLED", open_one, bank, loan, intake_id=intake.pk)
    assert held(bank, loan) == (True, 1)
    with scope(bank.actor("compliance_officer")) as actor:
        refused("SETTLED", intakes.dismiss, actor=actor, intake_id=intake.pk, reason="Twice")


def test_an_intake_is_dismissed_with_a_reason_and_read_by_its_own_bank_alone(scene):
    bank, first, _second, _loan = scene
    leave(bank, "NO-SUCH")
    officer = over_http.person(bank, "compliance_officer")
    query = "{ complaintIntakes(first: 5) { edges { node { id loanReference isKnown state } } } }"
    (edge,) = over_http.ask(officer, query)["complaintIntakes"]["edges"]
    node = edge["node"]
    assert (node["loanReference"], node["isKnown"], node["state"]) == ("NO-SUCH", False, "RECEIVED")

    stranger = over_http.person(world.make_bank(), "compliance_officer")
    assert over_http.ask(stranger, query) == {"complaintIntakes": {"edges": []}}
    theirs = over_http.do(stranger, "intakeRead", "account", intakeId=node["id"])
    assert (theirs["account"], theirs["errors"][0]["code"]) == (None, "NOT_FOUND")
    theirs = over_http.do(over_http.machine(first), "intakeRead", "account", intakeId=node["id"])
    assert (theirs["account"], theirs["errors"][0]["code"]) == (None, "NOT_ALLOWED")

    read = over_http.do(officer, "intakeRead", "account contact", intakeId=node["id"])
    assert read == {"account": ACCOUNT, "contact": "jo@example.org", "errors": []}
    done = over_http.do(
        officer, "intakeDismiss", "intake { state }", intakeId=node["id"], reason=""
    )
    assert done["errors"][0] == {
        "code": "REQUIRED",
        "message": "Give a reason.",
        "field": "reason",
        "row": None,
    }
    done = over_http.do(
        officer, "intakeDismiss", "intake { state }", intakeId=node["id"], reason="Not our loan"
    )
    assert done == {"intake": {"state": "DISMISSED"}, "errors": []}
    with scope(bank.actor("auditor")):
        assert not Complaint.objects.exists()
        assert ComplaintIntake.objects.get().reason == "Not our loan"


def test_a_visitor_reads_nothing_not_even_what_they_left(scene):
    bank, _first, _second, loan = scene
    leave(bank, loan.reference)
    with scope(actors.public_for(bank.institution.pk)) as actor:
        for model in (ComplaintIntake, Complaint, Loan, Hold, AuditEntry):
            assert not model.objects.exists()
        refused(
            "NOT_ALLOWED",
            complaints.open,
            actor=actor,
            **dict.fromkeys(
                ("loan_reference", "category", "severity", "happened_on", "summary"), ""
            ),
        )


@pytest.mark.django_db(transaction=True)
def test_a_decision_and_an_answer_at_the_same_moment_are_not_both_taken(scene):
    bank, first, _second, loan = scene
    opened = open_one(bank, loan)
    outcomes = []

    def answer():
        try:
            with scope(first.actor()) as actor:
                complaints.answer(actor=actor, complaint_id=opened.pk, answer="We did not.")
        except errors.InvalidState as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    with scope(bank.actor("compliance_officer")) as actor:
        complaints.decide(
            actor=actor,
            complaint_id=opened.pk,
            outcome="upheld",
            is_agency_at_fault=True,
            reason=REASON,
        )
        late = threading.Thread(target=answer)
        late.start()
        late.join(timeout=1)
        assert late.is_alive()  # it waits for the decision's transaction
    late.join()
    assert outcomes == ["NOT_OPEN"]
    with scope(bank.actor("auditor")):
        decided = Complaint.objects.get()
        assert (decided.state, decided.answer) == ("decided", "")
