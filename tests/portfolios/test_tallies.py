"""Tallies of portfolios come to what their loans come to, whatever is done to loans."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction

from agencies.scope import scope
from portfolios import tasks
from portfolios.models import Loan, Tally
from portfolios.selectors import placed_count, shown_portfolios, visible_tallies
from portfolios.services import holds, placements, portfolios, spells
from tests import world

BALANCES = [1, 99, 1_00, 150_00, 199_99, 200_00, 5_000_00, 10**11]


def check(bank, *made) -> None:
    """Every figure, of each portfolio and of all, against the loans themselves."""
    with scope(bank.actor("auditor")) as actor:
        for one in made:
            loans = Loan.objects.filter(portfolio=one)
            tallies = visible_tallies(actor).filter(portfolio=one)
            direct = portfolios.composition(loans)
            assert portfolios.composition_of(tallies) == direct
            shown = shown_portfolios(actor).get(pk=one.pk)
            assert (shown.loan_count, shown.balance_minor, shown.free_minor) == (
                direct.loan_count,
                direct.balance_minor,
                direct.balance_minor - direct.placed_minor,
            )
        assert placed_count(actor) == Loan.objects.exclude(placement=None).count()


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_they_follow_every_change(seed):
    draw = random.Random(seed)
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    made = [world.make_portfolio(bank, balances_minor=BALANCES) for _ in range(2)]
    check(bank, *made)
    world.place(bank, house, made[0])
    for _step in range(12):
        with scope(bank.actor("vendor_manager")) as actor:
            loans = list(Loan.objects.filter(portfolio=draw.choice(made)))
            some = Loan.objects.filter(pk__in=[one.pk for one in draw.sample(loans, 3)])
            match draw.randrange(5):
                case 0:
                    some.update(balance_minor=draw.choice(BALANCES))
                case 1:
                    some.update(region=draw.choice(["NY", "CA", ""]), grade=draw.choice("ABC"))
                case 2:
                    some.update(days_past_due=draw.choice([0, 29, 30, 7300, 9000]))
                case 3:
                    holds.open_hold(actor=actor, loan_id=loans[0].pk, kind="dispute", reason="No")
                case 4:
                    some.update(placement=None, agency=None)
        check(bank, *made)
        if draw.random() < 0.4:
            tasks.fold_tallies()
            check(bank, *made)
            with scope(bank.actor("auditor")):
                cells = Tally.objects.values_list("portfolio", "cut", "value")
                assert len(cells) == len(set(cells))


@pytest.mark.django_db
def test_they_are_the_banks_alone_and_nobody_writes_them():
    bank, house, rival = world.make_bank(), world.make_agency(), world.make_bank()
    world.join_panel(bank, house)
    world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00]))
    for stranger in (rival.actor("auditor"), house.actor()):
        with scope(stranger) as actor:
            assert not Tally.objects.exists()
            assert not visible_tallies(actor).exists()
    with scope(bank.actor("vendor_manager")):
        (whole,) = Tally.objects.filter(cut="all", placed_count=1)
        for change in (
            lambda: Tally.objects.filter(pk=whole.pk).update(balance_minor=0),
            lambda: Tally.objects.filter(pk=whole.pk).delete(),
            lambda: Tally.objects.create(
                institution=bank.institution,
                portfolio_id=whole.portfolio_id,
                cut="all",
                loan_count=1,
                balance_minor=1,
                placed_count=0,
                placed_minor=0,
                on_hold_count=0,
            ),
        ):
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                change()


@pytest.mark.django_db(transaction=True)
def test_writers_do_not_wait_for_each_other_and_nothing_is_lost():
    bank = world.make_bank()
    made = world.make_portfolio(bank, balances_minor=[100_00] * 40)
    with scope(bank.actor("auditor")):
        loans = list(Loan.objects.order_by("pk").values_list("pk", flat=True))
    both_hold = threading.Barrier(2)

    def write(part: int) -> None:
        try:
            with scope(bank.actor("vendor_manager")):
                Loan.objects.filter(pk=loans[part]).update(balance_minor=300_00)
                both_hold.wait(10)
                Loan.objects.filter(pk=loans[part + 2]).update(balance_minor=500_00)
            for pk in loans[part + 4 :: 2]:
                with scope(bank.actor("vendor_manager")):
                    Loan.objects.filter(pk=pk).update(region="CA", balance_minor=700_00)
                tasks.fold_tallies()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write, part) for part in range(2)]:
            done.result(60)
    check(bank, made)


@pytest.mark.django_db
def test_a_large_placement_is_lost_at_once_and_closed_afterwards(monkeypatch):
    monkeypatch.setattr(spells, "CLOSED_AT_ONCE", 2)
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    made = world.make_portfolio(bank, balances_minor=[100_00] * 5)
    placement = world.place(bank, house, made)
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Poor results")
    with scope(house.actor()):
        assert not Loan.objects.exists()
    with scope(bank.actor("vendor_manager")) as actor:
        assert placed_count(actor) == 5
        placement.refresh_from_db()
    tasks.close_ended_spells()
    with scope(bank.actor("auditor")) as actor:
        assert placed_count(actor) == 0
        assert set(placement.spells.values_list("closed_at", "close_reason")) == {
            (placement.closed_at, "Poor results")
        }
    check(bank, made)
