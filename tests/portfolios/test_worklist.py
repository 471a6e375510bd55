"""The worklist: what waits for an agency, why, and by which day."""

import datetime

import pytest

from agencies.scope import scope
from portfolios.models import Loan
from portfolios.services import (
    contacts,
    holds,
    objections,
    placements,
    promises,
    recalls,
    rules,
    worklist,
)
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 12, 17, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
TODAY = NOON.date()
QUERY = """query($reason: WorkReason!) { worklist(reason: $reason, first: 10) { reason dueOn
    loan { reference } } }"""


@pytest.fixture
def setting(clock):
    """A bank, its agency, and three loans placed five days before the clock's noon."""
    clock.set(NOON - 5 * DAY)
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    with scope(bank.actor("vendor_manager")) as actor:
        rules.change(actor=actor, untouched_days=5, reason="As agreed")
    placement = world.place(bank, house, world.make_portfolio(bank, balances_minor=[1, 2, 3]))
    with scope(bank.actor("auditor")):
        loans = list(Loan.objects.order_by("balance_minor"))
    return bank, house, placement, loans


def listed(house, reason: str) -> list[tuple]:
    with scope(house.actor("collector")) as actor:
        return [(loan.balance_minor, loan.due_on) for loan in worklist.of(actor, reason)]


def test_a_promise_waits_from_its_day_until_something_comes(setting, clock):
    bank, house, _placement, (first, second, _third) = setting
    with scope(house.actor()) as actor:
        for loan, days in ((first, 5), (second, 6)):
            due_on = TODAY - 5 * DAY + days * DAY
            promises.log(actor=actor, loan_id=loan.pk, amount_minor=1, due_on=due_on)
    assert listed(house, "promise") == []
    clock.set(NOON)
    assert listed(house, "promise") == [(1, TODAY)]
    clock.set(NOON + DAY)
    assert listed(house, "promise") == [(1, TODAY), (2, TODAY + DAY)]
    world.recover(bank, house, first, 1, value_on=TODAY, confirmed=False)
    assert listed(house, "promise") == [(2, TODAY + DAY)]


def test_loans_without_a_contact_wait_once_their_days_are_over(setting, clock):
    _bank, house, _placement, (first, _second, _third) = setting
    clock.set(NOON - DAY)
    assert listed(house, "untouched") == []
    with scope(house.actor()) as actor:
        contacts.log(
            actor=actor,
            loan_id=first.pk,
            measure="notice",
            channel="letter",
            direction="outbound",
            outcome="done",
            happened_at=NOON - DAY,
        )
    clock.set(NOON)
    assert listed(house, "untouched") == [(2, TODAY), (3, TODAY)]
    clock.set(NOON + 4 * DAY)
    assert listed(house, "untouched") == [(2, TODAY), (3, TODAY), (1, TODAY + 4 * DAY)]


def test_a_recall_waits_for_an_objection_and_a_hold_for_its_review(setting, clock):
    bank, house, placement, (first, second, third) = setting
    clock.set(NOON)
    with scope(bank.actor("vendor_manager")) as actor:
        given = {
            "actor": actor,
            "placement_id": placement.pk,
            "references": [first.reference, second.reference],
        }
        digest = recalls.preview(**given).digest
        recall = recalls.announce(**given, reason="Rotation", digest=digest)
        holds.open_hold(
            actor=actor, loan_id=third.pk, kind="plan", reason="Pays", review_on=TODAY + 9 * DAY
        )
    final_on = TODAY + 14 * DAY
    assert listed(house, "recall") == [(1, final_on), (2, final_on)]
    assert listed(house, "hold") == [(3, TODAY + 9 * DAY)]
    assert [row[0] for row in listed(house, "untouched")] == [1, 2]
    with scope(house.actor()) as actor:
        objections.submit(
            actor=actor, recall_id=recall.pk, kind="legal_step", references=[first.reference]
        )
    assert listed(house, "recall") == [(2, final_on)]
    asked = over_http.ask(over_http.machine(house), QUERY, reason="RECALL")["worklist"]
    assert asked == [
        {
            "reason": "RECALL",
            "dueOn": final_on.isoformat(),
            "loan": {"reference": second.reference},
        }
    ]


def test_nothing_waits_of_what_is_somebody_elses_or_was_taken_back(setting, clock):
    bank, house, placement, _loans = setting
    rival = world.make_agency()
    world.join_panel(bank, rival)
    clock.set(NOON)
    assert len(listed(house, "untouched")) == 3
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Over")
    for reason in worklist.Reason.values:
        assert listed(house, reason) == listed(rival, reason) == []
