"""Books for the ranking's engine, from the database: cells, loans and paid months as arrays."""

import dataclasses
import hashlib
import uuid

import numpy as np
from django.db import connection
from django.utils.translation import gettext_lazy as _

from config import errors, records
from marketplace.services import exposures
from marketplace.services.exposures import MONTH_DAYS, SEPARATOR, Question
from marketplace.success.book import Book
from marketplace.success.cells import Cells

COARSE_BANDS = 2
"""A stratum's coarse group is what its first two bands say."""

# Of each placement the first month on book that begins within the days that count.
PLACEMENTS = """
    create temporary table success_placement on commit drop as
    with windowed as (
        select placement_id, agency_id, max(days) as days, greatest(0, ceil((
            %(from)s - first_on
        ) / %(month)s::numeric))::int as first_month
        from success_spell group by placement_id, agency_id, first_on
    )
    select placement_id, agency_id, first_month,
        (dense_rank() over (order by agency_id) - 1)::int as agency,
        (row_number() over (order by placement_id) - 1)::int as lot
    from windowed where days > first_month * %(month)s
"""
STRATA = """
    create temporary table success_stratum on commit drop as
    select stratum, (row_number() over (order by stratum collate "C") - 1)::int as number
    from (
        select distinct s.stratum from success_spell s join success_placement p using (placement_id)
        where s.days > p.first_month * %(month)s
    ) as found
"""
LOANS = """
    create temporary table success_loan on commit drop as
    select (row_number() over (order by s.id) - 1)::int as loan, s.id as spell_id, p.agency,
        t.number as stratum, p.lot, s.is_random::int as is_random, p.first_month, s.days,
        s.balance_minor
    from success_spell s join success_placement p using (placement_id)
    join success_stratum t using (stratum)
    where s.days > p.first_month * %(month)s
"""
PAYMENTS = """
    select l.loan, m.month, m.cash_minor
    from success_month m join success_loan l using (spell_id)
    where m.month >= l.first_month order by 1, 2
"""
CELLS = """
    select p.agency, c.is_random::int as is_random, t.number as stratum, c.month::int as month,
        sum(c.loan_days)::bigint as loan_days, sum(c.balance_days)::bigint as balance_days,
        sum(c.payers)::bigint as payers,
        sum(c.payer_balance_minor)::bigint as payer_balance_minor,
        sum(c.cash_minor)::bigint as cash_minor
    from {source} c join success_placement p using (placement_id)
    join success_stratum t using (stratum)
    where c.month >= p.first_month {of_policy} group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
LOAN = (
    ("agency", "i4"),
    ("stratum", "i4"),
    ("lot", "i4"),
    ("is_random", "i4"),
    ("first_month", "i4"),
    ("days", "i4"),
    ("balance_minor", "i8"),
)
PAYMENT = (("loan", "i4"), ("month", "i4"), ("cash_minor", "i8"))
SUMS = ("loan_days", "balance_days", "payers", "payer_balance_minor", "cash_minor")
CELL = (
    ("agency", "i4"),
    ("is_random", "i4"),
    ("stratum", "i4"),
    ("month", "i4"),
    *((name, "i8") for name in SUMS),
)


@dataclasses.dataclass(frozen=True)
class SuccessBook:
    """What the engine is given, and what its numbers stand for.

    `book` is in minor units and months of 30 days; `cells` are those of `cells.apart(book)`;
    `agencies` their ids by index, `strata` their texts by index; `counted` are the cells as they
    were counted, records of `CELL` in whole units. `sha256` is the digest of all of it.
    """

    book: Book
    cells: Cells
    agencies: list[uuid.UUID]
    strata: list[str]
    counted: np.ndarray
    sha256: str


def read(question: Question, *, is_kept: bool) -> SuccessBook | None:
    """The book that answers a question; None where no loan was exposed within its days.

    With `is_kept` cells are taken from those kept, which must be up to date; else they are counted.
    """
    exposures.find(question)
    given = question.parameters()
    with connection.cursor() as cursor:
        cursor.execute("drop table if exists success_placement, success_stratum, success_loan")
        for statement in (PLACEMENTS, STRATA, LOANS):
            cursor.execute(statement, given)
        cursor.execute("analyze success_placement, success_stratum, success_loan")
        cursor.execute("select distinct agency, agency_id from success_placement order by 1")
        agencies = [agency_id for _number, agency_id in cursor.fetchall()]
        cursor.execute("select stratum from success_stratum order by number")
        strata = [stratum for (stratum,) in cursor.fetchall()]
    if not agencies:
        return None
    columns = ", ".join(name for name, _kind in LOAN)
    loans = records.read(f"select {columns} from success_loan order by loan", {}, LOAN)
    payments = records.read(PAYMENTS, {}, PAYMENT)
    source, of_policy = f"({exposures.CELLS})", ""
    if is_kept:
        source = "marketplace_successcell"
        of_policy = "and c.policy_id = %(policy)s"
        given["policy"] = question.policy.pk
    counted = records.read(CELLS.format(source=source, of_policy=of_policy), given, CELL)
    try:
        book = _book(loans, payments, strata, len(agencies))
    except ValueError as error:
        raise errors.InvalidState(
            "TOO_MANY_STRATA",
            _("There are too many kinds of loans to compare. Propose a policy with coarser bands."),
        ) from error
    return SuccessBook(
        book=book,
        cells=_cells(counted, book),
        agencies=agencies,
        strata=strata,
        counted=counted,
        sha256=_digest(agencies, strata, loans, payments, counted),
    )


def _book(loans: np.ndarray, payments: np.ndarray, strata: list[str], agencies: int) -> Book:
    return Book(
        agency=loans["agency"].astype(np.int64),
        stratum=loans["stratum"].astype(np.int64),
        lot=loans["lot"].astype(np.int64),
        balance=loans["balance_minor"].astype(float),
        starts=loans["first_month"].astype(float),
        ends=loans["days"] / MONTH_DAYS,
        paid_loan=payments["loan"].astype(np.int64),
        paid_month=payments["month"].astype(np.int64),
        cash=payments["cash_minor"].astype(float),
        group_of=_coarse(strata),
        agencies=agencies,
        is_random=loans["is_random"].astype(bool),
    )


def _coarse(strata: list[str]) -> np.ndarray:
    labels = [tuple(stratum.split(SEPARATOR)[:COARSE_BANDS]) for stratum in strata]
    numbers = {label: number for number, label in enumerate(sorted(set(labels)))}
    return np.array([numbers[label] for label in labels], dtype=np.int64)


def _cells(counted: np.ndarray, book: Book) -> Cells:
    shape = (book.agencies * 2, book.strata, book.months)
    where = (counted["agency"] * 2 + counted["is_random"], counted["stratum"], counted["month"])
    found = {}
    for name in SUMS:
        found[name] = np.zeros(shape)
        found[name][where] = counted[name]
    return Cells(
        loan_months=found["loan_days"] / MONTH_DAYS,
        balance_months=found["balance_days"] / MONTH_DAYS,
        payers=found["payers"],
        payer_balance=found["payer_balance_minor"],
        cash=found["cash_minor"],
    )


def _digest(agencies: list, strata: list[str], *tables: np.ndarray) -> str:
    digest = hashlib.sha256(repr(([str(agency) for agency in agencies], strata)).encode())
    for table in tables:
        for name in table.dtype.names or ():
            digest.update(np.ascontiguousarray(table[name].astype("<i8")).tobytes())
    return digest.hexdigest()
