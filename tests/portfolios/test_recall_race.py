"""Eight writers against recalls: nothing is written once access has ended, by whatever it ended."""

import datetime
import itertools
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import Error, connection, transaction

from agencies import actors
from agencies.scope import scope
from agencies.services import clients, panel, people
from config import clock as clocks
from config import dberrors, errors
from portfolios.models import Contact, Loan, PlacedLoan, Promise, Recovery
from portfolios.selectors import visible_loans
from portfolios.services import contacts, placements, promises, recoveries
from tests import world

WRITERS = 8
WINDOWS_OF_EACH = 4
ENDINGS = ("recall", "recall_loans", "suspend")
WAIT_SECONDS = 30
_numbers = itertools.count(1)


class Race:
    """A bank whose placements come and go, and what the writers of one agency meet with."""

    def __init__(self):
        self.bank, self.house = world.make_bank(time_zone="UTC"), world.make_agency()
        self.membership = world.join_panel(self.bank, self.house)
        self.loans: list[Loan] = []
        self.counts: Counter[str] = Counter()
        self.over = threading.Event()
        self._lock = threading.Lock()

    def open(self) -> None:
        """A new placement of three loans, at which everybody aims from now on."""
        made = world.make_portfolio(self.bank, balances_minor=[10_000_00] * 3)
        self.placement = world.place(self.bank, self.house, made)
        with scope(self.bank.actor("auditor")):
            self.loans = list(Loan.objects.filter(portfolio=made))

    def end(self, how: str) -> None:
        role = "compliance_officer" if how == "suspend" else "vendor_manager"
        with scope(self.bank.actor(role)) as actor:
            if how == "suspend":
                panel.suspend(actor=actor, membership_id=self.membership.pk, reason="Expired")
            elif how == "recall":
                placements.recall(actor=actor, placement_id=self.placement.pk, reason="Results")
            else:
                placements.recall_loans(
                    actor=actor,
                    placement_id=self.placement.pk,
                    loan_ids=[loan.pk for loan in self.loans],
                    reason="Sold",
                )

    def begin_again(self, how: str) -> None:
        if how == "suspend":
            with scope(self.bank.actor("compliance_officer")) as actor:
                panel.reinstate(actor=actor, membership_id=self.membership.pk, reason="Renewed")

    def written(self, **about) -> int:
        """Committed events of any kind, as the bank sees them."""
        with scope(self.bank.actor("auditor")):
            events = (Contact, Promise, Recovery)
            return sum(model.objects.filter(**about).count() for model in events)

    def count(self, outcome: str) -> None:
        with self._lock:
            self.counts[outcome] += 1

    def wait_for_more(self, outcome: str, more: int) -> None:
        wanted = self.counts[outcome] + more
        for _pause in range(WAIT_SECONDS * 200):
            if self.counts[outcome] >= wanted:
                return
            self.over.wait(0.005)
        pytest.fail(f"no more is {outcome}: {self.counts}")

    def write(self, seed: int) -> None:
        """Write this and that on whatever is placed now, until it is over."""
        draw = random.Random(seed)
        try:
            while not self.over.is_set():
                try:
                    with dberrors.translated(), scope(self.house.actor()) as actor:
                        self.count(self._act(actor, draw.choice(self.loans), draw.randrange(3)))
                    self.count("accepted")
                except errors.NotFound:
                    self.count("refused")
        finally:
            connection.close()

    def _act(self, actor, loan: Loan, what: int) -> str:
        today = clocks.business_date("UTC")
        if what == 0:
            contacts.log(
                actor=actor,
                loan_id=loan.pk,
                measure="notice",
                channel="letter",
                direction="outbound",
                outcome="done",
                happened_at=clocks.now(),
            )
            return "contacts"
        if what == 1:
            due_on = today + datetime.timedelta(days=5)
            promises.log(actor=actor, loan_id=loan.pk, amount_minor=1_00, due_on=due_on)
            return "promises"
        number = next(_numbers)
        row = {
            "loan_reference": loan.reference,
            "reference": f"R-{number}",
            "amount_minor": 1_00,
            "value_on": today,
            "channel": "card",
        }
        (answer,) = recoveries.log(actor=actor, idempotency_key=f"k-{number}", rows=[row])
        if not answer.id:
            raise errors.NotFound(answer.code, answer.message)
        return "recoveries"


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_nothing_is_written_inside_a_window():
    race = Race()
    race.open()
    windows: Counter[str] = Counter()
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(race.write, seed) for seed in range(WRITERS)]
        try:
            for how in ENDINGS * WINDOWS_OF_EACH:
                race.wait_for_more("accepted", WRITERS)
                race.end(how)
                # A writer may still be at an earlier placement, which a suspension has only paused.
                about = {} if how == "suspend" else {"placement": race.placement}
                before = race.written(**about)
                race.wait_for_more("refused", WRITERS)
                assert race.written(**about) == before, how
                windows[how] += 1
                race.open()
                race.begin_again(how)
        finally:
            race.over.set()
        for writer in writers:
            writer.result(WAIT_SECONDS)
    assert windows == dict.fromkeys(ENDINGS, WINDOWS_OF_EACH)
    assert race.counts["accepted"] >= WRITERS * windows.total()
    assert race.counts["refused"] >= WRITERS * windows.total()
    assert min(race.counts[what] for what in ("contacts", "promises", "recoveries")) > 10
    assert race.written() == race.counts["accepted"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_nothing_is_written_after_the_term_is_over_by_the_clock(clock):
    race = Race()
    race.open()
    ends_at = race.placement.ends_at
    clock.set(ends_at - datetime.timedelta(seconds=1))
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(race.write, seed) for seed in range(WRITERS)]
        try:
            race.wait_for_more("accepted", 3 * WRITERS)
            clock.set(ends_at)
            race.wait_for_more("refused", 3 * WRITERS)
            before = race.written()
            race.wait_for_more("refused", 3 * WRITERS)
            assert race.written() == before
        finally:
            race.over.set()
        for writer in writers:
            writer.result(WAIT_SECONDS)
    with scope(race.bank.actor("auditor")):
        assert not Contact.objects.filter(logged_at__gte=ends_at).exists()
        assert not Recovery.objects.filter(logged_at__gte=ends_at).exists()
    assert race.written() == race.counts["accepted"]


def take_away_membership(race: Race, owner, actor) -> None:
    owner.execute("delete from agencies_panelmembership where id = %s", [race.membership.pk])


def reject_membership(race: Race, owner, actor) -> None:
    owner.execute(
        "update agencies_panelmembership set state = 'rejected' where id = %s",
        [race.membership.pk],
    )


def deactivate(race: Race, owner, actor) -> None:
    with scope(race.house.actor()) as administrator:
        people.deactivate(actor=administrator, user_id=actor.user_id, reason="Left the house")


def disable(race: Race, owner, actor) -> None:
    with scope(race.house.actor()) as administrator:
        clients.disable(actor=administrator, machine_client_id=actor.client_id)


def expire(race: Race, owner, actor) -> None:
    owner.execute("select fairplace_clock_set(%s)", [race.placement.ends_at])


def revoke(race: Race, owner, actor) -> None:
    owner.execute("delete from portfolios_placementgrant")


@pytest.mark.parametrize(
    "end", [take_away_membership, reject_membership, deactivate, disable, expire, revoke]
)
def test_between_two_statements_of_one_transaction_access_is_gone(owner, clock, end):
    """Somebody else commits; the very next statement reads and writes nothing any more."""
    race = Race()
    race.open()
    actor = race.house.actor("collector")
    if end is disable:
        with scope(race.house.actor()) as administrator:
            made = clients.create(actor=administrator, name="Dialler")
        actor = actors.for_client(made.machine)
    with scope(actor):
        assert visible_loans(actor).count() == Loan.objects.count() == 3
        spell = PlacedLoan.objects.first()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_closing, end, race, owner, actor).result(WAIT_SECONDS)
        assert visible_loans(actor).count() == Loan.objects.count() == 0
        assert PlacedLoan.objects.count() == 0
        with pytest.raises(errors.NotFound):
            race._act(actor, race.loans[0], 0)
        with pytest.raises(Error), transaction.atomic():
            Promise.objects.create(
                institution_id=spell.institution_id,
                agency_id=spell.agency_id,
                placement_id=spell.placement_id,
                spell=spell,
                loan_id=spell.loan_id,
                amount_minor=1,
                due_on=datetime.date(2027, 1, 1),
                logged_at=clocks.now(),
                logged_by="me",
            )
    assert race.written() == 0


def _closing(end, *given) -> None:
    try:
        end(*given)
    finally:
        connection.close()
