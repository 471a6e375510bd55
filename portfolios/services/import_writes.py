"""Writing the loans of a checked file, or taking back what was written."""

import contextlib
import itertools
from collections.abc import Iterator

from django.utils.translation import gettext as _

from agencies import audit
from agencies.actors import Actor
from agencies.scope import scope
from config import clock, errors
from portfolios.loan_files import LoanBatch
from portfolios.models import LoanFilePart, LoanImport
from portfolios.services import file_parts, loan_writing, prepared_loans
from portfolios.services.import_chunks import (
    Overtaken,
    State,
    Watcher,
    chunk,
    fail,
    rest_of,
    save,
    sifted,
)
from portfolios.services.prepared_loans import Prepared

UNDONE_AT_ONCE = 20_000


def write(actor: Actor, loan_import: LoanImport, watch: Watcher) -> None:
    """Write the loans of a checked file from where the last run left off."""
    with contextlib.suppress(Overtaken):
        try:
            chunks = _Chunks(actor, loan_import)
            for batch, prepared in chunks:
                _write_chunk(actor, loan_import, batch, prepared, chunks)
                watch(loan_import)
        except errors.InvalidInput as error:
            fail(actor, loan_import, error)
        else:
            _end_write(actor, loan_import)


class _Chunks:
    """The chunks that are left to write, each of which may be made before it is asked for.

    What is wrong with the file is raised when the chunk is asked for, not when it is made.
    """

    def __init__(self, actor: Actor, loan_import: LoanImport):
        _table, batches = rest_of(actor, loan_import)
        self._left = (
            (batch, prepared_loans.prepare(loan_import, batch.numbers, batch.columns))
            for batch in batches
        )
        self._made: list[tuple[LoanBatch, Prepared]] = []
        self._refused: errors.InvalidInput | None = None

    def __iter__(self) -> Iterator[tuple[LoanBatch, Prepared]]:
        while True:
            self.make_next()
            if self._refused is not None:
                raise self._refused
            if not self._made:
                return
            yield self._made.pop()

    def make_next(self) -> None:
        if not self._made and self._refused is None:
            try:
                self._made.extend(itertools.islice(self._left, 1))
            except errors.InvalidInput as error:
                self._refused = error


def _write_chunk(
    actor: Actor,
    loan_import: LoanImport,
    batch: LoanBatch,
    prepared: Prepared,
    chunks: _Chunks,
) -> None:
    with chunk(actor, loan_import) as locked:
        rows = sifted(loan_import, batch, first_rows=_first_rows_here)
        if loan_import.policy == LoanImport.Policy.ALL_OR_NOTHING and batch.problems:
            # What was good at the check is so no more: a reference was taken since.
            first = batch.problems[0]
            raise errors.InvalidInput("BAD_ROWS", first.message, row=first.row)
        with loan_writing.written(actor, loan_import, rows, prepared.only(batch.numbers)):
            chunks.make_next()
        save(
            loan_import,
            rows_imported=locked.rows_imported + len(rows),
            balance_minor=locked.balance_minor + rows.balance_minor,
            last_row=batch.last_row,
            bytes_read=batch.bytes_read,
        )


def _first_rows_here(references: list[str], numbers: list[int]) -> dict[str, int]:
    """By reference, the first row of these. Earlier rows are loans of the import by now."""
    first: dict[str, int] = {}
    for reference, number in zip(references, numbers, strict=True):
        first.setdefault(reference, number)
    return first


def _end_write(actor: Actor, loan_import: LoanImport) -> None:
    """The last loan is there: what the import brought is now what the bank decided."""
    with chunk(actor, loan_import):
        if not loan_import.rows_imported:
            error = errors.InvalidInput("BAD_ROWS", _("No row can be imported any more."))
            fail(actor, loan_import, error)
            return
        save(loan_import, state=State.IMPORTED, imported_at=clock.now())
        file_parts.forget(loan_import, LoanFilePart.Kind.FILE)
        audit.record(
            actor,
            "loans.import",
            loan_import,
            changes={
                "rows_read": loan_import.rows_read,
                "rows_imported": loan_import.rows_imported,
                "balance_minor": loan_import.balance_minor,
                "currency": loan_import.portfolio.currency,
            },
        )


def undo(actor: Actor, loan_import: LoanImport, watch: Watcher) -> None:
    """Take back every row that an import wrote, and the file."""
    gone = 1
    while gone:
        with scope(actor):
            gone = loan_writing.undo(loan_import, UNDONE_AT_ONCE)
            save(loan_import, rows_imported=max(0, loan_import.rows_imported - gone))
        watch(loan_import)
    with scope(actor):
        file_parts.forget(loan_import, *LoanFilePart.Kind.values)
        save(loan_import, state=State.CANCELLED, rows_imported=0, balance_minor=0)
        audit.record(
            actor, "loans.discard", loan_import.portfolio, changes={"file": loan_import.file_name}
        )
