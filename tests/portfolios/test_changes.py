"""The feed: what it tells, in which order, and what is left of it after a recall."""

import datetime
import threading

import pytest
from django.db import DatabaseError, connection, transaction

from agencies.scope import scope
from config import clock as clocks
from config import errors
from portfolios.models import Loan, PlacementChange
from portfolios.services import changes, holds, placements, recalls
from tests import world
from tests.portfolios import over_http

QUERY = """query($since: String, $first: Int!) { placementChanges(since: $since, first: $first) {
    cursor hasMore changes { kind detail reference note dueOn placementId loanId
    placement { id } loan { reference } } } }"""


@pytest.fixture
def bank(db):
    return world.make_bank()


def feed(client, since=None, first=50) -> dict:
    return over_http.ask(client, QUERY, since=since, first=first)["placementChanges"]


def kinds(page: dict) -> list[str]:
    return [change["kind"] for change in page["changes"]]


def hold(bank, loan, **given):
    with scope(bank.actor("vendor_manager")) as actor:
        return holds.open_hold(
            actor=actor, loan_id=loan.pk, kind="dispute", reason="Says it was paid", **given
        )


def first_loan(bank) -> Loan:
    with scope(bank.actor("auditor")):
        return Loan.objects.order_by("reference").first()


def test_the_feed_tells_what_changed_and_reads_on_from_its_cursor(bank, house, placement):
    loan, client = first_loan(bank), over_http.machine(house)
    opened = feed(client)
    assert kinds(opened) == ["PLACED"]
    assert opened["changes"][0]["reference"] == placement.title
    assert opened["changes"][0]["loanId"] is None
    assert feed(client, since=opened["cursor"]) == {
        "cursor": opened["cursor"],
        "hasMore": False,
        "changes": [],
    }
    review_on = clocks.business_date(bank.institution.time_zone) + datetime.timedelta(days=9)
    made = hold(bank, loan, review_on=review_on)
    with scope(bank.actor("vendor_manager")) as actor:
        holds.release(actor=actor, hold_id=made.pk, reason="It was not")
    since = feed(client, since=opened["cursor"], first=1)
    assert (kinds(since), since["hasMore"]) == (["HELD"], True)
    assert since["changes"] == [
        {
            "kind": "HELD",
            "detail": "dispute",
            "reference": loan.reference,
            "note": "Says it was paid",
            "dueOn": review_on.isoformat(),
            "placementId": str(placement.pk),
            "loanId": str(loan.pk),
            "placement": {"id": str(placement.pk)},
            "loan": {"reference": loan.reference},
        }
    ]
    rest = feed(client, since=since["cursor"])
    assert (kinds(rest), rest["hasMore"]) == (["RELEASED"], False)


def test_after_a_recall_only_the_entry_that_says_so_is_left(bank, house, placement):
    loan, client = first_loan(bank), over_http.machine(house)
    hold(bank, loan)
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall_loans(
            actor=actor, placement_id=placement.pk, loan_ids=[loan.pk], reason="Sold elsewhere"
        )
    told = feed(client)
    assert kinds(told) == ["PLACED", "RECALLED"]
    last = told["changes"][1]
    assert (last["reference"], last["note"], last["loan"]) == (loan.reference, "", None)
    with scope(house.actor()):
        assert PlacementChange.objects.count() == 2  # the database hides the rest by itself
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Over")
    told = feed(client)
    assert kinds(told) == ["RECALLED", "RECALLED"]
    assert told["changes"][1]["reference"] == placement.title
    assert told["changes"][1]["placement"] is None
    with scope(house.actor()):
        assert PlacementChange.objects.count() == 2
    with scope(bank.actor("auditor")):
        assert PlacementChange.objects.count() == 4


def test_nobody_reads_or_writes_the_feed_of_others(bank, house, placement):
    rival = world.make_agency()
    world.join_panel(bank, rival)
    assert feed(over_http.machine(rival))["changes"] == []
    with scope(world.make_bank().actor("auditor")):
        assert not PlacementChange.objects.exists()
    with scope(house.actor()):
        entry = PlacementChange.objects.get()
        for statement in (
            "update portfolios_placementchange set note = 'x'",
            "delete from portfolios_placementchange",
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                connection.cursor().execute(statement)
        entry.pk, entry.kind = None, "placed"
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            PlacementChange.objects.bulk_create([entry])
    with scope(rival.actor()):
        entry.kind, entry.agency = "returned", rival.agency
        with pytest.raises(DatabaseError), transaction.atomic():
            PlacementChange.objects.bulk_create([entry])


@pytest.mark.parametrize("cursor", ["x", "bm90IGEgY3Vyc29y", "MjAyNi0wMS0wMVQwMDowMDowMHx4"])
def test_a_made_up_cursor_is_refused(house, placement, cursor):
    with scope(house.actor()) as actor:
        with pytest.raises(errors.InvalidInput, match="INVALID_CURSOR"):
            changes.read(actor=actor, since=cursor)
        for first in (0, 101):
            with pytest.raises(errors.InvalidInput, match="PAGE_SIZE"):
                changes.read(actor=actor, first=first)


def test_an_announced_recall_is_told_with_its_day(bank, house, placement):
    loan = first_loan(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        given = {"actor": actor, "placement_id": placement.pk, "references": [loan.reference]}
        plan = recalls.preview(**given)
        recall = recalls.announce(**given, reason="Rotation", digest=plan.digest)
        recalls.withdraw(actor=actor, recall_id=recall.pk, reason="A mistake")
    told = feed(over_http.machine(house))["changes"][1:]
    assert [(one["kind"], one["note"]) for one in told] == [
        ("RECALL_ANNOUNCED", "Rotation"),
        ("RECALL_WITHDRAWN", "A mistake"),
    ]
    assert told[0]["dueOn"] is not None


@pytest.mark.django_db(transaction=True)
def test_a_reader_misses_nothing_that_is_committed_late():
    """Two writers at once: the second one's entry is later in the feed, however long it waits."""
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    world.place(bank, house, world.make_portfolio(bank, balances_minor=[1, 2]))
    with scope(bank.actor("auditor")):
        first, second = Loan.objects.order_by("balance_minor")
    with scope(house.actor()) as actor:
        cursor = changes.read(actor=actor).cursor
    written, go = threading.Event(), threading.Event()

    def slow():
        try:
            with scope(bank.actor("vendor_manager")) as actor:
                holds.open_hold(actor=actor, loan_id=first.pk, kind="other", reason="Slow")
                written.set()
                go.wait(10)
        finally:
            connection.close()

    def quick():
        try:
            with scope(bank.actor("vendor_manager")) as actor:
                holds.open_hold(actor=actor, loan_id=second.pk, kind="other", reason="Quick")
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for one in (slow, quick)]
    threads[0].start()
    assert written.wait(10)
    threads[1].start()
    with scope(house.actor()) as actor:
        assert list(changes.read(actor=actor, since=cursor).changes) == []
    go.set()
    for thread in threads:
        thread.join(20)
    with scope(house.actor()) as actor:
        page = changes.read(actor=actor, since=cursor)
        assert [change.note for change in page.changes] == ["Slow", "Quick"]
