"""A bank with millions of loans, made in a few statements by the owner's role.

Every loan of an agency's lot lies between loans of others, as a fair split leaves them. Indexes
and foreign keys of the large tables are taken away while they fill and put back afterwards.
"""

import contextlib
import dataclasses
import datetime
import itertools
from collections.abc import Iterator

from django.db import connections

from agencies.scope import scope
from config import clock
from portfolios import access
from portfolios.models import LoanImport, Placement, Portfolio
from tests import world

HELD_BY_LARGE, HELD_BY_SMALL = 20_000, 200
LOT_RESTS = (2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15)
LOT_STEP = 100
_banks = itertools.count(1)

# A UUIDv7 in the order of `n`: what a server would have made a while ago.
ID_OF = "('{kind}' || '{bank:04x}' || '00007000' || '8' || lpad(to_hex(n), 15, '0'))::uuid"

FILL = """
    insert into portfolios_loan (id, institution_id, portfolio_id, loan_import_id, reference,
        currency, balance_minor, rate_ppm, product, is_secured, collateral, opened_on,
        days_past_due, region, jurisdiction, grade, earlier_placements, attributes, is_on_hold,
        placement_id, agency_id)
    select {loan}, %(institution)s, %(portfolio)s, %(loan_import)s, 'B{bank}-' || n,
        'USD', {balance}, 120000, '', false, '', date '2024-01-15',
        (30 + n %% 2000)::int, 'R' || n %% 31, '', chr(65 + (n %% 7)::int), 0, '{{}}', n %% 997 = 0,
        lot.placement_id, lot.agency_id
    from generate_series(1::bigint, %(loans)s) as n left join lot on n %% lot.step = lot.rest
"""
SPELLS = """
    insert into portfolios_placedloan (id, institution_id, agency_id, placement_id, loan_id,
        balance_minor, days_past_due, product, region, grade, earlier_placements, is_comparison,
        opened_at, close_kind, close_reason)
    select {spell}, %(institution)s, lot.agency_id, lot.placement_id, {loan},
        {balance}, 30 + n %% 2000, 'personal loan', 'R' || n %% 31, chr(65 + (n %% 7)::int), 0,
        false, %(opened_at)s, '', ''
    from generate_series(1::bigint, %(loans)s) as n join lot on n %% lot.step = lot.rest
"""
BALANCE = "10000 + (n * 7919) %% 5000000"
LARGE_TABLES = ("portfolios_loan", "portfolios_placedloan")


@dataclasses.dataclass
class Estate:
    """One bank's portfolio; `lots` are placements of a hundredth of it each with the `other`."""

    bank: world.Bank
    portfolio: Portfolio
    small: world.House
    large: world.House
    other: world.House
    lots: list[Placement]
    loans: int


def build(loans: int) -> Estate:
    """A bank with one portfolio of this many loans, a multiple of 200,000."""
    bank, small, large, other = world.make_bank(), *(world.make_agency() for _ in range(3))
    for house in (small, large, other):
        world.join_panel(bank, house, capacity_loans=1_000_000)
    portfolio, loan_import = _portfolio(bank)
    with scope(bank.actor("vendor_manager")):
        kept = [
            (_placement(portfolio, large, HELD_BY_LARGE), loans // HELD_BY_LARGE, 0),
            (_placement(portfolio, small, HELD_BY_SMALL), loans // HELD_BY_SMALL, 1),
        ]
        lots = [_placement(portfolio, other, loans // LOT_STEP) for _rest in LOT_RESTS]
    pieces = [*kept, *((lot, LOT_STEP, rest) for lot, rest in zip(lots, LOT_RESTS, strict=True))]
    _fill(portfolio, loan_import, pieces, loans)
    return Estate(bank, portfolio, small, large, other, lots, loans)


def unplaced(bank: world.Bank, loans: int) -> Portfolio:
    """A portfolio of this many loans that nobody holds."""
    portfolio, loan_import = _portfolio(bank)
    _fill(portfolio, loan_import, [], loans)
    return portfolio


def _portfolio(bank: world.Bank) -> tuple[Portfolio, LoanImport]:
    portfolio = world.make_portfolio(bank, balances_minor=[])
    with scope(bank.actor("vendor_manager")):
        return portfolio, LoanImport.objects.get(portfolio=portfolio)


def _placement(portfolio: Portfolio, house: world.House, loans: int) -> Placement:
    opened_at = clock.now() - datetime.timedelta(days=1)
    made = Placement.objects.create(
        institution_id=portfolio.institution_id,
        agency=house.agency,
        portfolio=portfolio,
        title=f"{loans:,} loans",
        currency="USD",
        jurisdiction="US",
        rate_ppm=200_000,
        loan_count=loans,
        balance_minor=1,
        opened_at=opened_at,
        ends_at=opened_at + datetime.timedelta(days=365),
    )
    access.grant(made)
    return made


def _fill(portfolio, loan_import, pieces, loans: int) -> None:
    number = next(_banks)
    given = {
        "institution": portfolio.institution_id,
        "portfolio": portfolio.pk,
        "loan_import": loan_import.pk,
        "loans": loans,
        "opened_at": clock.now() - datetime.timedelta(days=1),
    }
    names = {
        "bank": number,
        "balance": BALANCE,
        "loan": ID_OF.format(kind="0190", bank=number),
        "spell": ID_OF.format(kind="0191", bank=number),
    }
    with connections["owner"].cursor() as cursor:
        cursor.execute("drop table if exists lot")
        cursor.execute(
            "create temp table lot (placement_id uuid, agency_id uuid, step int, rest int)"
        )
        cursor.executemany(
            "insert into lot values (%s, %s, %s, %s)",
            [(placement.pk, placement.agency_id, step, rest) for placement, step, rest in pieces],
        )
        with _bare(cursor):
            cursor.execute(FILL.format(**names), given)
            cursor.execute(SPELLS.format(**names), given)
        for table in LARGE_TABLES:
            cursor.execute(f"vacuum (analyze) {table}")


@contextlib.contextmanager
def _bare(cursor) -> Iterator[None]:
    """The large tables without indexes and foreign keys, all of which come back at the end."""
    cursor.execute("set maintenance_work_mem = '256MB'")
    cursor.execute(
        "select conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype::text"
        " from pg_constraint where contype in ('f', 'u', 'p', 'x')"
        " and (conrelid = any(%(large)s::regclass[]) or confrelid = any(%(large)s::regclass[]))"
        # What points at a key goes before the key, and comes back after it.
        " order by contype = 'f' desc",
        {"large": list(LARGE_TABLES)},
    )
    constraints = cursor.fetchall()
    for table, name, _definition, _kind in constraints:
        if table in LARGE_TABLES or _kind == "f":
            cursor.execute(f'alter table {table} drop constraint "{name}"')
    cursor.execute(
        "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index"
        " where indrelid = any(%s::regclass[])",
        [list(LARGE_TABLES)],
    )
    indexes = cursor.fetchall()
    for name, _definition in indexes:
        cursor.execute(f"drop index {name}")
    yield
    for _name, definition in indexes:
        cursor.execute(definition)
    for table, name, definition, _kind in reversed(constraints):
        if table in LARGE_TABLES or _kind == "f":
            cursor.execute(f'alter table {table} add constraint "{name}" {definition}')
