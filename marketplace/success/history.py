"""A bank's own history as two files: loans and payments in, a book out."""

import csv
import dataclasses
import gzip
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from marketplace.success.book import Book

LOAN_COLUMNS = ("loan", "agency", "balance", "exposure_months")
LOT, RANDOM = "lot", "random"
TRUE = frozenset("1 true yes y t".split())
PAYMENT_COLUMNS = ("loan", "month_on_book", "net_cash")
COARSE_COLUMNS = 2
"""A stratum's coarse group is what its first two columns say."""
ROWS_AT_ONCE = 100_000
GZIP = b"\x1f\x8b"

Told = Callable[[str, int], None]


class Unreadable(ValueError):
    """Why files cannot be scored, as a sentence for people."""


@dataclasses.dataclass(frozen=True)
class History:
    """A book and what its numbers stand for: `agencies` by index, strata by index as texts."""

    book: Book
    agencies: list[str]
    strata: list[tuple[str, ...]]


def read(
    loans: Path,
    payments: Path,
    *,
    strata: Sequence[str],
    columns: Mapping[str, str],
    told: Told = lambda _file, _rows: None,
) -> History:
    """The history in two CSV files, plain or gzipped, in UTF-8.

    `strata` are the columns by which loans are compared, none for all alike. `columns` says what
    a column is called in these files, where it is another name. Without a column `lot` all loans
    of an agency are one; a column `random` says of which loans chance decided who got them. `told`
    hears a file's name and how many rows of it are read. Raises `Unreadable`.
    """
    named = {
        name: columns.get(name, name) for name in (*LOAN_COLUMNS, LOT, RANDOM, *PAYMENT_COLUMNS)
    }
    read_loans = _loans(loans, named, strata, told)
    keys = read_loans.keys
    order = np.argsort(keys, kind="stable")
    _refuse_twice(keys[order], loans)
    paid_loan, paid_month, cash = _payments(payments, named, keys[order], order, told)
    try:
        book = Book(
            agency=read_loans.agency,
            stratum=read_loans.stratum,
            lot=read_loans.lot,
            balance=read_loans.balance,
            starts=np.zeros(len(keys)),
            ends=read_loans.ends,
            paid_loan=paid_loan,
            paid_month=paid_month,
            cash=cash,
            group_of=_Codes().of([label[:COARSE_COLUMNS] for label in read_loans.strata]),
            agencies=len(read_loans.agencies),
            is_random=read_loans.is_random,
        )
    except ValueError as error:
        raise Unreadable(f"These files cannot be scored: {error}.") from error
    if book.agencies < 2:
        raise Unreadable("There is a single agency: nobody to compare it with.")
    return History(book, read_loans.agencies, read_loans.strata)


@dataclasses.dataclass(frozen=True)
class _Loans:
    """The columns of a file of loans, and what agencies and strata stand for."""

    keys: np.ndarray
    agency: np.ndarray
    lot: np.ndarray
    stratum: np.ndarray
    balance: np.ndarray
    ends: np.ndarray
    is_random: np.ndarray
    agencies: list[str]
    strata: list[tuple[str, ...]]


def _loans(path: Path, named: Mapping[str, str], strata: Sequence[str], told: Told) -> _Loans:
    agencies, lots, alike = _Codes(), _Codes(), _Codes()
    parts = []
    wanted = [named[name] for name in LOAN_COLUMNS] + list(strata)
    for first_row, cells in _batches(path, wanted, [named[LOT], named[RANDOM]], told):
        where = f"{path.name}, from row {first_row} on"
        loans = cells[named["loan"]]
        nothing = [""] * len(loans)
        parts.append(
            (
                _keys(loans, where),
                agencies.of(cells[named["agency"]]),
                lots.of(cells.get(named[LOT], nothing)),
                alike.of(
                    [*zip(*(cells[name] for name in strata), strict=True)] or [()] * len(loans)
                ),
                _numbers(cells[named["balance"]], named["balance"], where),
                _numbers(cells[named["exposure_months"]], named["exposure_months"], where),
                np.array(
                    [text.strip().lower() in TRUE for text in cells.get(named[RANDOM], nothing)]
                ),
            )
        )
    if not parts:
        raise Unreadable(f"{path.name} has no loan.")
    keys, agency, lot, stratum, balance, ends, is_random = map(
        np.concatenate, zip(*parts, strict=True)
    )
    return _Loans(
        keys=keys,
        agency=agency,
        lot=lot,
        stratum=stratum,
        balance=balance,
        ends=ends,
        is_random=is_random,
        agencies=agencies.labels(),
        strata=alike.labels(),
    )


class _Codes:
    """Numbers for texts, from 0 on in the order in which they are met."""

    def __init__(self) -> None:
        self._known: dict = {}

    def of(self, texts: Sequence) -> np.ndarray:
        known = self._known
        for text in dict.fromkeys(texts):
            known.setdefault(text, len(known))
        return np.fromiter(map(known.__getitem__, texts), dtype=np.int64, count=len(texts))

    def labels(self) -> list:
        return list(self._known)


def _batches(
    path: Path, wanted: Sequence[str], optional: Sequence[str], told: Told
) -> Iterator[tuple[int, dict[str, Sequence[str]]]]:
    """(row of the first, column → cells) of some rows at a time; the header is row 1."""
    try:
        with _opened(path) as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in wanted if name not in header]
            if missing:
                raise Unreadable(f"{path.name} has no column {', '.join(missing)}.")
            names = [*wanted, *(name for name in optional if name in header)]
            places = {name: header.index(name) for name in names}
            row = 2
            while rows := list(itertools.islice(reader, ROWS_AT_ONCE)):
                widths = {len(cells) for cells in rows} - {len(header)}
                if widths:
                    short = next(n for n, cells in enumerate(rows) if len(cells) in widths)
                    raise Unreadable(
                        f"{path.name}, row {row + short}: {len(rows[short])} cells, but the header"
                        f" has {len(header)}."
                    )
                table = list(zip(*rows, strict=True))
                yield row, {name: table[place] for name, place in places.items()}
                row += len(rows)
                told(path.name, row - 2)
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise Unreadable(f"{path.name} cannot be read: {reason}.") from error
    except (csv.Error, UnicodeDecodeError, EOFError) as error:
        raise Unreadable(f"{path.name} cannot be read: it is no CSV in UTF-8.") from error


def _opened(path: Path):
    with path.open("rb") as file:
        is_packed = file.read(len(GZIP)) == GZIP
    if is_packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _keys(texts: Sequence[str], where: str) -> np.ndarray:
    """References as bytes, which take a fraction of what texts take and sort as fast."""
    keys = [text.strip().encode() for text in texts]
    if b"" in keys:
        raise Unreadable(f"{where}: a loan has no reference.")
    return np.array(keys)


def _numbers(texts: Sequence[str], column: str, where: str) -> np.ndarray:
    try:
        return np.array(texts, dtype=np.float64)
    except ValueError:
        wrong = next((text for text in texts if not _is_number(text)), "")
        raise Unreadable(f"{where}, column {column}: “{wrong[:40]}” is not a number.") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_twice(keys: np.ndarray, path: Path) -> None:
    twice = np.flatnonzero(keys[1:] == keys[:-1])
    if len(twice):
        raise Unreadable(f"{path.name} has the loan {keys[twice[0]].decode()} twice.")


def _payments(
    path: Path, named: Mapping[str, str], known: np.ndarray, order: np.ndarray, told: Told
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each payment the index of its loan, its month on book and its cash; `known` are the
    sorted references and `order` the indices that they came from."""
    parts: list[tuple[np.ndarray, ...]] = []
    wanted = [named[name] for name in PAYMENT_COLUMNS]
    for first_row, cells in _batches(path, wanted, [], told):
        where = f"{path.name}, from row {first_row} on"
        mine = _keys(cells[named["loan"]], where)
        place = np.minimum(np.searchsorted(known, mine), len(known) - 1)
        strange = np.flatnonzero(known[place] != mine)
        if len(strange):
            row, name = first_row + strange[0], mine[strange[0]].decode()
            raise Unreadable(f"{path.name}, row {row}: there is no loan {name}.")
        month = _numbers(cells[named["month_on_book"]], named["month_on_book"], where)
        if not np.isfinite(month).all():
            raise Unreadable(f"{where}: a month on book is not a number.")
        cash = _numbers(cells[named["net_cash"]], named["net_cash"], where)
        parts.append((order[place], np.floor(month).astype(np.int64), cash))
    if not parts:
        raise Unreadable(f"{path.name} has no payment: nothing was recovered.")
    loan, month, cash = (np.concatenate(column) for column in zip(*parts, strict=True))
    return loan, month, cash
