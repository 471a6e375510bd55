"""Chunks of an import: the rest of its file, one transaction each, and how far it came."""

import contextlib
from collections.abc import Callable, Iterator

from agencies import audit
from agencies.actors import Actor
from agencies.scope import scope
from config import clock, errors
from portfolios import loan_files, tables
from portfolios.loan_files import LoanBatch
from portfolios.mappings import Mapping
from portfolios.models import LoanImport
from portfolios.services import file_parts, loan_writing
from portfolios.services.loan_writing import Rows

ROWS_PER_CHUNK = 10_000


State = LoanImport.State


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


def rest_of(actor: Actor, loan_import: LoanImport) -> tuple[tables.Table, Iterator[LoanBatch]]:
    """The rest of an import's file, as its mapping reads it."""
    mapping = Mapping.from_dict(loan_import.mapping)
    assert loan_import.as_of is not None  # noqa: S101 - set before anything is read
    table = tables.open_table(
        file_parts.open_kept(actor, loan_import), required=mapping.required_columns()
    )
    return table, loan_files.read(
        table,
        mapping,
        currency=loan_import.portfolio.currency,
        as_of=loan_import.as_of,
        batch_rows=ROWS_PER_CHUNK,
        after_row=loan_import.last_row,
    )


def sifted(loan_import: LoanImport, batch: LoanBatch, *, first_rows) -> Rows:
    """The rows of a batch whose reference nobody has; each other one becomes a problem of it."""
    references = batch.columns["reference"]
    taken = loan_writing.taken(loan_import, references)
    first = first_rows(references, batch.numbers)
    refused: list[tuple[int, str, dict]] = []
    for place, (number, reference) in enumerate(zip(batch.numbers, references, strict=True)):
        first_row = first.get(reference, number)
        if taken.get(reference) is False:
            refused.append((place, "ALREADY_THERE", {}))
        elif taken.get(reference) or first_row != number:
            refused.append((place, "DUPLICATE_REFERENCE", {"first": first_row}))
    if refused:
        column = Mapping.from_dict(loan_import.mapping).column_of("reference")
        batch.reject(refused, column)
    return Rows(batch.columns)


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
            "loans.fail",
            loan_import.portfolio,
            changes={"file": loan_import.file_name, "code": error.code, "row": error.row},
        )
