"""A ranking's cells in PostgreSQL: all of them, those of one night, and a run on top of them.

All of them stand against the bare sums, in one statement of the owner's role that knows no rule but
the days of exposure; a night against counting everything; and a run against the engine alone, which
gets the same arrays from memory.
"""

import datetime

from django.db import connections

from agencies.scope import scope
from config import clock, ids
from marketplace.services import (
    ranking_policies,
    rankings,
    success_books,
    success_cells,
)
from marketplace.services.exposures import Question
from marketplace.success import scores
from portfolios.models import Placement
from tests import world
from tests.bench.figures import Figure

SIZES = (100_000, 1_000_000)
AGENCIES = 40
PLACEMENTS_EACH = 6
LIVE_OF_THEM = 2
"""So many placements of each agency are live; the others were recalled, and all their days are
counted."""
PAYMENTS_PER_LOAN = 0.15
REPEATS = 3

UNGUARD = """
    select format('alter table %%s drop constraint %%I', conrelid::regclass, conname)
    from pg_constraint where contype = 'f' and conrelid = any (%s::regclass[])
    union all
    select format('drop trigger %%I on %%s', tgname, tgrelid::regclass)
    from pg_trigger where not tgisinternal and tgrelid = any (%s::regclass[])
"""
FILLED = ("portfolios_placedloan", "portfolios_recovery", "portfolios_confirmation")
SPELLS = """
    insert into portfolios_placedloan (id, institution_id, agency_id, placement_id, loan_id,
        balance_minor, days_past_due, product, region, grade, earlier_placements, is_comparison,
        opened_at, closed_at, close_kind, close_reason)
    select uuid_in(md5('spell' || n)::cstring), p.institution_id, p.agency_id, p.id,
        uuid_in(md5('loan' || n)::cstring), 10000 + (n * 7919) %% 5000000,
        (30 + n * 31 %% 1000)::int, case n %% 3 when 0 then 'card' else 'loan' end, '',
        chr(65 + (n %% 4)::int), 0, n %% 7 = 0, p.opened_at, p.closed_at,
        case when p.closed_at is null then '' else 'recalled' end,
        case when p.closed_at is null then '' else 'Rotation' end
    from generate_series(1::bigint, %(loans)s) as n
    join (
        select *, row_number() over (order by id) - 1 as place from portfolios_placement
    ) p on p.place = n %% %(placements)s
"""
RECOVERIES = """
    insert into portfolios_recovery (id, institution_id, agency_id, placement_id, spell_id,
        loan_id, logged_at, logged_by, reference, currency, amount_minor, value_on, channel,
        is_above_balance)
    select uuid_in(md5('paid' || row_number() over ())::cstring), s.institution_id, s.agency_id,
        s.placement_id, s.id, s.loan_id, now(), '', 'R' || row_number() over (), 'USD',
        greatest(s.balance_minor / 20, 1),
        (s.opened_at + random() * (coalesce(s.closed_at, %(at)s) - s.opened_at))::date, 'cash',
        false
    from portfolios_placedloan s where random() < %(share)s
"""
CONFIRMATIONS = """
    insert into portfolios_confirmation (id, institution_id, agency_id, placement_id, spell_id,
        recovery_id, receipt_line_id, confirmed_at, confirmed_by)
    select r.id, r.institution_id, r.agency_id, r.placement_id, r.spell_id, r.id, r.id,
        %(at)s - interval '1 day', ''
    from portfolios_recovery r
"""
# Days by month on book and money by month, with no stratum to find and no rule to ask.
BARE = """
    select placement_id, product, grade, is_comparison, month,
        sum(least(30, days - 30 * month)) as days,
        sum(balance_minor * least(30, days - 30 * month)) as balance
    from (
        select placement_id, product, grade, is_comparison, balance_minor,
            (coalesce(closed_at, %(at)s)::date - opened_at::date) as days
        from portfolios_placedloan
    ) s, generate_series(0, days / 30) as month
    group by 1, 2, 3, 4, 5
    union all
    select r.placement_id, s.product, s.grade, s.is_comparison,
        (r.value_on - s.opened_at::date) / 30, count(*), sum(r.amount_minor)
    from portfolios_recovery r join portfolios_placedloan s on s.id = r.spell_id
    join portfolios_confirmation c on c.recovery_id = r.id
    group by 1, 2, 3, 4, 5
"""


def counting():
    for loans in SIZES:
        bank = _bank(loans)
        yield _everything(bank, loans)
        yield _one_night(bank, loans)
        yield _a_run(bank, loans)
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                "truncate portfolios_placedloan, portfolios_recovery, portfolios_confirmation,"
                " marketplace_successcell, marketplace_successsheet cascade"
            )


def _bank(loans: int) -> world.Bank:
    bank = world.make_bank()
    houses = [world.make_agency() for _number in range(AGENCIES)]
    with connections["owner"].cursor() as cursor:
        cursor.execute("delete from portfolios_placement")
    for house in houses:
        world.join_panel(bank, house, capacity_loans=10_000_000)
    portfolio = world.make_portfolio(bank, balances_minor=[])
    now = clock.now()
    with scope(bank.actor("vendor_manager")):
        Placement.objects.bulk_create(
            _placement(portfolio, house, now, number)
            for house in houses
            for number in range(PLACEMENTS_EACH)
        )
    given = {
        "loans": loans,
        "placements": AGENCIES * PLACEMENTS_EACH,
        "at": now,
        "share": PAYMENTS_PER_LOAN,
    }
    with connections["owner"].cursor() as cursor:
        cursor.execute(UNGUARD, [list(FILLED)] * 2)
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
        for statement in (SPELLS, RECOVERIES, CONFIRMATIONS):
            cursor.execute(statement, given)
        for table in FILLED:
            cursor.execute(f"vacuum (analyze) {table}")
    return bank


def _placement(portfolio, house, now, number: int) -> Placement:
    """One two months before the other; of the ended ones so long ago that no day is added."""
    opened_at = now - datetime.timedelta(days=60 * (number + 1))
    is_live = number < LIVE_OF_THEM
    return Placement(
        id=ids.uuid7(),
        institution_id=portfolio.institution_id,
        agency=house.agency,
        portfolio=portfolio,
        title=f"Lot {number}",
        currency="USD",
        jurisdiction="US",
        rate_ppm=200_000,
        loan_count=1,
        balance_minor=1,
        opened_at=opened_at,
        ends_at=opened_at + datetime.timedelta(days=720),
        state=Placement.State.LIVE if is_live else Placement.State.RECALLED,
        closed_at=None if is_live else now - datetime.timedelta(days=10),
        close_reason="" if is_live else "Rotation",
    )


def _question(actor, at) -> Question:
    return Question(
        policy=ranking_policies.in_force(actor=actor),
        time_zone="America/New_York",
        currency="USD",
        at=at,
    )


def _everything(bank: world.Bank, loans: int) -> Figure:
    def ours():
        with scope(bank.sweep) as actor:
            question = _question(actor, clock.now())
            success_cells.forget(actor=actor, policy=question.policy)
            success_cells.refresh(actor=actor, question=question)

    def raw():
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"create temp table bare as {BARE}", {"at": clock.now()})
            cursor.execute("drop table bare")

    ours.repeats = REPEATS
    return Figure("cells of every placement / bare sums in SQL", loans, ours, raw)


def _one_night(bank: world.Bank, loans: int) -> Figure:
    def night():
        with scope(bank.sweep) as actor:
            success_cells.refresh(actor=actor, question=_question(actor, clock.now()))

    def everything():
        with scope(bank.sweep) as actor:
            question = _question(actor, clock.now())
            success_cells.forget(actor=actor, policy=question.policy)
            success_cells.refresh(actor=actor, question=question)

    night.repeats = REPEATS
    return Figure("cells of a night, a third live / of every placement", loans, night, everything)


def _a_run(bank: world.Bank, loans: int) -> Figure:
    with scope(bank.sweep) as actor:
        question = _question(actor, clock.now())
        success_cells.refresh(actor=actor, question=question)
        held = success_books.read(question, is_kept=True)
        policy = ranking_policies.engine_policy(question.policy, "USD")

    def run():
        with scope(bank.actor("vendor_manager")) as actor:
            rankings.compute(actor=actor, currency="USD")

    def engine():
        scores.score(held.book, policy, counted=held.cells)

    run.repeats = REPEATS
    return Figure("a run: night's cells, loans, scores / engine alone", loans, run, engine)


CASES = (counting,)
