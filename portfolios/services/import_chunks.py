"""Chunks of an import: the rest of its file, one transaction each, and how far it came."""

import contextlib
from collections.abc import Callable, Iterator

from agencies import audit
from agencies.actors import Actor
from agencies.scope import scope
from config import clock, errors
from portfolios import loan_files, maintenance_files, tables
from portfolios.mappings import Mapping
from portfolios.models import LoanImport
from portfolios.row_batches import Refused, RowBatch
from portfolios.services import file_parts, loan_writing, maintenance

State = LoanImport.State
Kind = LoanImport.Kind
ROWS_PER_CHUNK = 10_000
NEWS_PER_CHUNK = 2_000
"""Rows of a maintenance file, fewer: a chunk locks what the agencies work on."""

FirstRows = Callable[[list[str], list[int]], dict[str, int]]
Watcher = Callable[[LoanImport], None]


class Overtaken(Exception):
    """Somebody cancelled, or the row is not where this run left it: it is looked at anew."""


@contextlib.contextmanager
def chunk(actor: Actor, loan_import: LoanImport) -> Iterator[LoanImport]:
    """A transaction on one import, locked, and still where this run left it."""
    with scope(actor):
        locked = LoanImport.objects.select_for_update(no_key=True).get(pk=loan_import.pk)
        if (locked.state, locked.last_row) != (loan_import.state, loan_import.last_row):
            raise Overtaken
        yield locked


def save(loan_import: LoanImport, **changes) -> None:
    """Write how far an import came."""
    LoanImport.objects.filter(pk=loan_import.pk).update(moved_at=clock.now(), **changes)
    for name, value in changes.items():
        setattr(loan_import, name, value)


def rest_of(actor: Actor, loan_import: LoanImport) -> tuple[tables.Table, Iterator[RowBatch]]:
    """The rest of an import's file, as its mapping reads it."""
    mapping = Mapping.from_dict(loan_import.mapping)
    assert loan_import.as_of is not None  # noqa: S101 - set before anything is read
    table = tables.open_table(
        file_parts.open_kept(actor, loan_import), required=mapping.required_columns()
    )
    is_news = loan_import.kind == Kind.MAINTENANCE
    read = maintenance_files.read if is_news else loan_files.read
    return table, read(
        table,
        mapping,
        currency=loan_import.currency,
        as_of=loan_import.as_of,
        batch_rows=NEWS_PER_CHUNK if is_news else ROWS_PER_CHUNK,
        after_row=loan_import.last_row,
    )


def sift(loan_import: LoanImport, batch: RowBatch, *, first_rows: FirstRows) -> None:
    """Make bad rows of those that only the database knows to be bad.

    `first_rows` answers in which row of the file each reference was met first: of loans, or, in a
    maintenance file, of payments.
    """
    mapping = Mapping.from_dict(loan_import.mapping)
    if loan_import.kind == Kind.MAINTENANCE:
        maintenance.sift(loan_import, batch, mapping, first_rows=first_rows)
    else:
        _sift_loans(loan_import, batch, mapping, first_rows)


def _sift_loans(
    loan_import: LoanImport, batch: RowBatch, mapping: Mapping, first_rows: FirstRows
) -> None:
    """Each reference is one loan of the bank, and none that it has."""
    references = batch.columns["reference"]
    taken = loan_writing.taken(loan_import, references)
    first = first_rows(references, batch.numbers)
    refused: list[Refused] = []
    for place, (number, reference) in enumerate(zip(batch.numbers, references, strict=True)):
        first_row = first.get(reference, number)
        if taken.get(reference) is False:
            refused.append((place, "reference", "ALREADY_THERE", {}))
        elif taken.get(reference) or first_row != number:
            refused.append((place, "reference", "DUPLICATE_REFERENCE", {"first": first_row}))
    if refused:
        batch.reject(refused, mapping)


def first_rows_here(references: list[str], numbers: list[int]) -> dict[str, int]:
    """By reference, the first row of these: earlier rows are written by now."""
    first: dict[str, int] = {}
    for reference, number in zip(references, numbers, strict=True):
        first.setdefault(reference, number)
    return first


def fail(actor: Actor, loan_import: LoanImport, error: errors.DomainError) -> None:
    """The file cannot be read to its end, or not be imported as was decided: undo it."""
    with scope(actor):
        save(
            loan_import,
            state=State.CANCELLING,
            failure_code=error.code,
            failure=str(error.message)[:300],
        )
        audit.record(
            actor,
            f"{loan_import.kind}.fail",
            loan_import.subject,
            changes={"file": loan_import.file_name, "code": error.code, "row": error.row},
        )
