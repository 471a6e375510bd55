"""The deal: an anonymised tape, placing a lot, announcing a recall, each of many loans at once."""

import contextlib
import datetime

from django.db import connections, transaction

from agencies.scope import scope
from config import clock, ids
from marketplace import tape
from portfolios import access
from portfolios.models import Loan, Placement, Portfolio
from portfolios.services import placements, recalls
from tests import world
from tests.bench import estate
from tests.bench.figures import Figure

TAPE_SIZES = (20_000, 200_000)
LOT_SIZES = (2_000, 20_000)
REPEATS = 3

GROUPED = """
    select width_bucket(balance_minor, '{50000,100000,250000,500000,1000000,2500000}'::bigint[]),
        width_bucket(days_past_due::bigint, '{90,180,365,730,1460,3650}'::bigint[]),
        width_bucket(score::bigint, '{300,400,500,550,600,650,700,750,800}'::bigint[]),
        width_bucket(earlier_placements::bigint, '{1,2,3}'::bigint[]),
        width_bucket(
            expected_recovery_ppm::bigint, '{50000,100000,200000,300000,500000}'::bigint[]
        ),
        region, product, grade, is_secured, count(*), sum(balance_minor)
    from portfolios_loan where portfolio_id = %s group by 1, 2, 3, 4, 5, 6, 7, 8, 9
"""
SPELLS = """
    insert into portfolios_placedloan (id, institution_id, agency_id, placement_id, loan_id,
        balance_minor, days_past_due, product, region, grade, score, earlier_placements,
        is_comparison, opened_at, close_kind, close_reason)
    select given.id, %(institution)s, %(agency)s, %(placement)s, l.id, l.balance_minor,
        l.days_past_due, l.product, l.region, l.grade, l.score, l.earlier_placements, false, now(),
        '', ''
    from unnest(%(ids)s::uuid[], %(loans)s::uuid[]) as given (id, loan_id)
    join portfolios_loan l on l.id = given.loan_id
"""
HELD = """
    update portfolios_loan set placement_id = %(placement)s, agency_id = %(agency)s
    where id = any (%(loans)s::uuid[])
"""
RECALLED = """
    insert into portfolios_recalledloan (id, institution_id, agency_id, placement_id, recall_id,
        spell_id, loan_id, is_kept)
    select given.id, s.institution_id, s.agency_id, s.placement_id, %(recall)s, s.id, s.loan_id,
        false
    from unnest(%(ids)s::uuid[], %(spells)s::uuid[]) as given (id, spell_id)
    join portfolios_placedloan s on s.id = given.spell_id
"""


def tapes():
    """The combinations and sums of a tape, before it is kept."""
    for loans in TAPE_SIZES:
        bank = world.make_bank()
        yield _tape(bank, estate.unplaced(bank, loans), loans)


def _tape(bank: world.Bank, portfolio: Portfolio, loans: int) -> Figure:
    def ours():
        with scope(bank.actor("vendor_manager")):
            offered = Loan.objects.filter(portfolio=portfolio)
            made = tape.make(tape.read(offered, portfolio.product))
        assert (made["loan_count"], made["suppressed_count"]) == (loans, 0)

    def raw():
        with connections["owner"].cursor() as cursor:
            cursor.execute(GROUPED, [portfolio.pk])
            assert sum(row[-2] for row in cursor.fetchall()) == loans

    return Figure("anonymised tape of a portfolio / GROUP BY of the bands", loans, ours, raw)


def placing():
    """A lot given to an agency as an award does it."""
    for loans in LOT_SIZES:
        yield _placing(*_lots(loans), loans)


def _lots(loans: int):
    """A bank, an agency, an unplaced portfolio, and disjoint lots of so many of its loans."""
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house, capacity_loans=1_000_000)
    portfolio = estate.unplaced(bank, 2 * REPEATS * loans + loans)
    with scope(bank.actor("vendor_manager")):
        free = Loan.objects.filter(portfolio=portfolio, is_on_hold=False).order_by("pk")
        found = list(free.values_list("pk", flat=True)[: 2 * REPEATS * loans])
    lots = [found[start : start + loans] for start in range(0, len(found), loans)]
    return bank, house, portfolio, iter(lots)


def _placing(bank: world.Bank, house: world.House, portfolio: Portfolio, lots, loans: int):
    def ours(lot: list):
        with scope(bank.actor("vendor_manager")):
            made = _placed(bank, house, portfolio, lot)
            assert made.loan_count == loans

    def before_raw():
        lot = next(lots)
        with scope(bank.actor("vendor_manager")):
            return lot, _placement(house, portfolio, loans)

    def raw(lot: list, placement: Placement):
        given = {
            "institution": placement.institution_id,
            "agency": placement.agency_id,
            "placement": placement.pk,
            "ids": ids.uuid7s(loans),
            "loans": lot,
        }
        with _owner() as cursor:
            cursor.execute(SPELLS, given)
            cursor.execute(HELD, given)

    ours.before, raw.before = (lambda: (next(lots),)), before_raw
    ours.repeats = REPEATS
    label = "place a lot / INSERT of its spells, UPDATE of its loans"
    return Figure(label, loans, ours, raw)


def _placed(bank: world.Bank, house: world.House, portfolio: Portfolio, lot) -> Placement:
    return placements.open_placement(
        actor=bank.actor("vendor_manager"),
        portfolio=portfolio,
        agency=house.agency,
        title="A lot",
        rate_ppm=200_000,
        ends_at=clock.now() + datetime.timedelta(days=365),
        loan_ids=lot,
    )


def _placement(house: world.House, portfolio: Portfolio, loans: int) -> Placement:
    """A placement that has no loan yet."""
    moment = clock.now()
    made = Placement.objects.create(
        institution_id=portfolio.institution_id,
        agency=house.agency,
        portfolio=portfolio,
        title="A raw lot",
        currency="USD",
        jurisdiction="US",
        rate_ppm=200_000,
        loan_count=loans,
        balance_minor=1,
        opened_at=moment,
        ends_at=moment + datetime.timedelta(days=365),
    )
    access.grant(made)
    return made


def announcing():
    """A recall of a whole placement is announced, after its preview."""
    for loans in LOT_SIZES:
        yield _announcing(*_lots(loans), loans)


def _announcing(bank: world.Bank, house: world.House, portfolio: Portfolio, lots, loans: int):
    def before():
        with scope(bank.actor("vendor_manager")) as actor:
            made = _placed(bank, house, portfolio, next(lots))
            plan = recalls.preview(actor=actor, placement_id=made.pk)
            return made, plan.digest

    def announced(placement: Placement, digest: str):
        with scope(bank.actor("vendor_manager")) as actor:
            return recalls.announce(
                actor=actor, placement_id=placement.pk, reason="Poor results", digest=digest
            )

    def ours(placement: Placement, digest: str):
        assert announced(placement, digest).loan_count == loans

    def before_raw():
        recall = announced(*before())
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                "delete from portfolios_recalledloan where recall_id = %s returning spell_id",
                [recall.pk],
            )
            return recall, [spell for (spell,) in cursor.fetchall()]

    def raw(recall, spells: list):
        given = {"recall": recall.pk, "ids": ids.uuid7s(len(spells)), "spells": spells}
        with _owner() as cursor:
            cursor.execute(RECALLED, given)

    ours.before, raw.before = before, before_raw
    ours.repeats = REPEATS
    return Figure("announce a recall / INSERT of its loans", loans, ours, raw)


@contextlib.contextmanager
def _owner():
    """A cursor of the owner's role, which must not loop over thousands of rows it knows nothing
    of either."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("set local enable_nestloop = off")
        yield cursor


CASES = (tapes, placing, announcing)
