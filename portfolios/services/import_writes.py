"""Writing what a checked file says, or taking back the loans that were written."""

import contextlib
import itertools
from collections.abc import Iterator

from django.utils.translation import gettext as _

from agencies import audit
from agencies.actors import Actor
from agencies.scope import scope
from config import clock, errors
from portfolios.models import LoanFilePart, LoanImport
from portfolios.row_batches import RowBatch
from portfolios.services import file_parts, loan_writing, maintenance, prepared_loans
from portfolios.services.import_chunks import (
    Kind,
    Overtaken,
    State,
    Watcher,
    chunk,
    fail,
    first_rows_here,
    rest_of,
    save,
    sift,
)
from portfolios.services.prepared_loans import Prepared

UNDONE_AT_ONCE = 20_000


def write(actor: Actor, loan_import: LoanImport, watch: Watcher) -> None:
    """Write what a checked file says from where the last run left off."""
    with contextlib.suppress(Overtaken):
        try:
            chunks = _Chunks(actor, loan_import)
            for batch, prepared in chunks:
                with chunk(actor, loan_import) as locked:
                    sift(loan_import, batch, first_rows=first_rows_here)
                    if prepared is None:
                        changes = _news(actor, loan_import, locked, batch)
                    else:
                        some = prepared.only(batch.numbers)
                        changes = _loans(actor, loan_import, locked, batch, some, chunks)
                    save(
                        loan_import,
                        rows_imported=locked.rows_imported + len(batch.numbers),
                        last_row=batch.last_row,
                        bytes_read=batch.bytes_read,
                        **changes,
                    )
                watch(loan_import)
        except errors.InvalidInput as error:
            fail(actor, loan_import, error)
        else:
            _end_write(actor, loan_import)


class _Chunks:
    """The chunks that are left to write, each of which may be made before it is asked for.

    Those of a file of loans come with their rows prepared. What is wrong with the file is raised
    when the chunk is asked for, not when it is made.
    """

    def __init__(self, actor: Actor, loan_import: LoanImport):
        _table, batches = rest_of(actor, loan_import)
        self._left = (
            (
                batch,
                prepared_loans.prepare(loan_import, batch.numbers, batch.columns)
                if loan_import.kind == Kind.LOANS
                else None,
            )
            for batch in batches
        )
        self._made: list[tuple[RowBatch, Prepared | None]] = []
        self._refused: errors.InvalidInput | None = None

    def __iter__(self) -> Iterator[tuple[RowBatch, Prepared | None]]:
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


def _loans(
    actor: Actor,
    loan_import: LoanImport,
    locked: LoanImport,
    batch: RowBatch,
    prepared: Prepared,
    chunks: _Chunks,
) -> dict:
    """Write loans; answers what changes of the import."""
    if loan_import.policy == LoanImport.Policy.ALL_OR_NOTHING and batch.problems:
        # What was good at the check is so no more: a reference was taken since.
        first = batch.problems[0]
        raise errors.InvalidInput("BAD_ROWS", first.message, row=first.row)
    rows = loan_writing.Rows(batch.columns)
    with loan_writing.written(actor, loan_import, rows, prepared):
        chunks.make_next()
    return {"balance_minor": locked.balance_minor + rows.balance_minor}


def _news(actor: Actor, loan_import: LoanImport, locked: LoanImport, batch: RowBatch) -> dict:
    """Do what news say; answers what changes of the import.

    What became impossible since the check is left out and counted: money that was recorded, and
    agencies that were told, cannot be taken back for the sake of a row.
    """
    outcome = {event: list(counts) for event, counts in locked.outcome.items()}
    for event, counts in maintenance.apply(actor, loan_import, batch).items():
        before = outcome.get(event, [0, 0])
        outcome[event] = [one + more for one, more in zip(before, counts, strict=True)]
    return {"outcome": outcome}


def _end_write(actor: Actor, loan_import: LoanImport) -> None:
    """The last loan is there: what the import brought is now what the bank decided."""
    with chunk(actor, loan_import):
        if not loan_import.rows_imported:
            error = errors.InvalidInput("BAD_ROWS", _("No row can be imported any more."))
            fail(actor, loan_import, error)
            return
        save(loan_import, state=State.IMPORTED, imported_at=clock.now())
        file_parts.forget(loan_import, LoanFilePart.Kind.FILE)
        changes: dict[str, int | str] = {
            "rows_read": loan_import.rows_read,
            "rows_imported": loan_import.rows_imported,
        }
        if loan_import.kind == Kind.LOANS:
            changes |= {
                "balance_minor": loan_import.balance_minor,
                "currency": loan_import.currency,
            }
        audit.record(actor, f"{loan_import.kind}.import", loan_import, changes=changes)


def undo(actor: Actor, loan_import: LoanImport, watch: Watcher) -> None:
    """Take back every loan that an import wrote, and the file. What news have done stays done."""
    gone = int(loan_import.kind == Kind.LOANS)
    while gone:
        with scope(actor):
            gone = loan_writing.undo(loan_import, UNDONE_AT_ONCE)
            left = max(0, loan_import.rows_imported - gone) if gone else 0
            save(loan_import, rows_imported=left, balance_minor=0)
        watch(loan_import)
    with scope(actor):
        file_parts.forget(loan_import, *LoanFilePart.Kind.values)
        save(loan_import, state=State.CANCELLED)
        audit.record(
            actor,
            f"{loan_import.kind}.discard",
            loan_import.subject,
            changes={"file": loan_import.file_name},
        )
