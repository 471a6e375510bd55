"""What moves an import on: checking its file, writing its loans, or undoing them.

Each works through the file in chunks, one transaction each, and writes how far it came in the
same transaction, so that it can be killed anywhere. A check begins again; a writing goes on after
the last row written, and ends with the same loans. The imports of one bank run one after the
other, under a lock that ends with the session that holds it.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator

from django.db import connection
from django.utils.translation import gettext as _

from agencies import audit, policies
from agencies.actors import Actor
from agencies.scope import scope
from config import clock, errors
from portfolios import file_summary, loan_files, rejected_rows, tables
from portfolios.loan_files import LoanBatch
from portfolios.mappings import Mapping
from portfolios.models import ImportProblem, LoanFilePart, LoanImport
from portfolios.selectors import visible_imports
from portfolios.services import file_parts, loan_writing
from portfolios.services.loan_writing import Rows

ROWS_PER_CHUNK = 10_000
PROBLEMS_KEPT = 1_000
KINDS_KEPT = 40
UNDONE_AT_ONCE = 20_000

State = LoanImport.State
MOVING = (State.CHECKING, State.IMPORTING, State.CANCELLING)
Watcher = Callable[[LoanImport], None]


def move_on(*, actor: Actor, import_id=None, watch: Watcher = lambda _import: None) -> int:
    """Work until no import of the actor's bank (or this one) can be moved on; answers how many.

    Call it outside any transaction: each chunk has its own. `watch` is told after each chunk.
    Another process that is at work on the bank's imports is left alone: then the answer is 0.
    """
    policies.demand(actor, policies.SWEEPS | policies.VENDOR_MANAGERS)
    moved = 0
    with _alone(actor) as alone:
        while alone and (found := _next(actor, import_id)) is not None:
            step = {State.CHECKING: _check, State.IMPORTING: _write, State.CANCELLING: _undo}
            step[State(found.state)](actor, found, watch)
            with scope(actor):
                found.refresh_from_db()
            watch(found)
            moved += 1
    return moved


def _next(actor: Actor, import_id) -> LoanImport | None:
    with scope(actor):
        waiting = (
            visible_imports(actor)
            .filter(state__in=MOVING)
            .select_related("portfolio", "institution")
        )
        if import_id is not None:
            waiting = waiting.filter(pk=import_id)
        return waiting.order_by("uploaded_at").first()


@contextlib.contextmanager
def _alone(actor: Actor) -> Iterator[bool]:
    """Whether this session is the one that works on the bank's imports. It may be so twice."""
    key = f"loan imports of {actor.institution_id}"
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        alone = cursor.fetchone()[0]
    try:
        yield alone
    finally:
        if alone and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [key])


class _Overtaken(Exception):
    """Somebody cancelled, or the row is not where this run left it: it is looked at anew."""


@contextlib.contextmanager
def _chunk(actor: Actor, loan_import: LoanImport) -> Iterator[LoanImport]:
    """A transaction on one import, locked, and still where this run left it."""
    with scope(actor):
        locked = LoanImport.objects.select_for_update(no_key=True).get(pk=loan_import.pk)
        if (locked.state, locked.last_row) != (loan_import.state, loan_import.last_row):
            raise _Overtaken
        yield locked


def _save(loan_import: LoanImport, **changes) -> None:
    """Write how far an import came."""
    LoanImport.objects.filter(pk=loan_import.pk).update(moved_at=clock.now(), **changes)
    for name, value in changes.items():
        setattr(loan_import, name, value)


def _batches(actor: Actor, loan_import: LoanImport) -> tuple[tables.Table, Iterator[LoanBatch]]:
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


# --- Checking


def _check(actor: Actor, loan_import: LoanImport, watch: Watcher) -> None:
    """Read the whole file and keep what it holds and what is wrong; write no loan."""
    with contextlib.suppress(_Overtaken):
        _begin_check(actor, loan_import)
        try:
            table, batches = _batches(actor, loan_import)
            tally = _Tally(table)
            with _seen() as seen:
                for batch in batches:
                    _check_chunk(actor, loan_import, tally, seen, batch)
                    watch(loan_import)
        except errors.InvalidInput as error:
            _fail(actor, loan_import, error)
        else:
            _end_check(actor, loan_import, tally)


def _begin_check(actor: Actor, loan_import: LoanImport) -> None:
    with scope(actor):
        locked = LoanImport.objects.select_for_update(no_key=True).get(pk=loan_import.pk)
        if locked.state != State.CHECKING:
            raise _Overtaken
        file_parts.forget(loan_import, LoanFilePart.Kind.REJECTED)
        ImportProblem.objects.filter(loan_import=loan_import).delete()
        _save(
            loan_import,
            as_of=clock.business_date(loan_import.institution.time_zone),
            phase_started_at=clock.now(),
            rows_read=0,
            rows_good=0,
            good_minor=0,
            last_row=1,
            bytes_read=0,
            report={},
        )


class _Tally:
    """What a check has found so far."""

    def __init__(self, table: tables.Table):
        self.table = table
        self.summary = file_summary.Summary()
        self.kinds: dict[tuple[str, str, bool], list] = {}
        self.kept = {False: 0, True: 0}
        self.read_minor = 0
        self.trailer: loan_files.Trailer | None = None

    def add(self, batch: LoanBatch) -> None:
        self.summary.add(batch)
        self.read_minor += batch.read_minor
        self.trailer = batch.trailer or self.trailer
        for problems, is_warning in ((batch.problems, False), (batch.warnings, True)):
            for problem in problems:
                kind = (problem.column, problem.code, is_warning)
                self.kinds.setdefault(kind, [problem.params, 0])[1] += 1

    def report(self) -> dict:
        kinds = sorted(self.kinds.items(), key=lambda kind: -kind[1][1])[:KINDS_KEPT]
        return {
            "encoding": self.table.encoding,
            "delimiter": self.table.delimiter,
            "columns": self.summary.to_dict()["columns"],
            "kinds": [[*kind, params, count] for kind, (params, count) in kinds],
            "read_minor": self.read_minor,
            "trailer": self.trailer and dataclasses.asdict(self.trailer),
        }


def _check_chunk(actor, loan_import, tally: _Tally, seen, batch: LoanBatch) -> None:
    with _chunk(actor, loan_import) as locked:
        rows = _sifted(loan_import, batch, first_rows=seen)
        tally.add(batch)
        _keep_problems(loan_import, tally, batch)
        _keep_rejected(loan_import, tally.table, batch)
        _save(
            loan_import,
            rows_read=locked.rows_read + batch.rows_read,
            rows_good=locked.rows_good + len(rows),
            good_minor=locked.good_minor + rows.balance_minor,
            last_row=batch.last_row,
            bytes_read=batch.bytes_read,
        )


@contextlib.contextmanager
def _seen():
    """A function that answers the row in which each reference of a file was met first.

    The references of a file of millions are more than a process should remember, and exactly what
    a database can: they stand in a temporary table while the file is being checked.
    """

    def first_rows(references: list[str], numbers: list[int]) -> dict[str, int]:
        """By reference, for those that were met before: in an earlier row, or here twice."""
        with connection.cursor() as cursor:
            cursor.execute(
                "insert into pg_temp.seen_references select * from unnest(%s::text[], %s::int[])"
                " on conflict do nothing returning reference, row",
                [references, numbers],
            )
            first = dict(cursor.fetchall())
            again = [
                reference
                for reference, number in zip(references, numbers, strict=True)
                if first.get(reference) != number
            ]
            if again:
                cursor.execute(
                    "select reference, row from pg_temp.seen_references where reference = any (%s)",
                    [again],
                )
                return dict(cursor.fetchall())
        return {}

    with connection.cursor() as cursor:
        cursor.execute("drop table if exists pg_temp.seen_references")
        cursor.execute(
            "create temporary table seen_references (reference text primary key, row int)"
        )
    try:
        yield first_rows
    finally:
        if connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("drop table if exists pg_temp.seen_references")


def _sifted(loan_import: LoanImport, batch: LoanBatch, *, first_rows) -> Rows:
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


def _keep_problems(loan_import: LoanImport, tally: _Tally, batch: LoanBatch) -> None:
    """The first thousand errors and as many warnings; the rest is counted by kind, and the errors
    are in the rows left out."""
    kept = []
    for found, is_warning in ((batch.problems, False), (batch.warnings, True)):
        some = found[: PROBLEMS_KEPT - tally.kept[is_warning]]
        tally.kept[is_warning] += len(some)
        kept += [(problem, is_warning) for problem in some]
    ImportProblem.objects.bulk_create(
        ImportProblem(
            institution_id=loan_import.institution_id,
            loan_import=loan_import,
            is_warning=is_warning,
            row=problem.row,
            column=problem.column,
            value=problem.value,
            code=problem.code,
            message=problem.message[:300],
            params=problem.params,
        )
        for problem, is_warning in kept
    )


def _keep_rejected(loan_import: LoanImport, table: tables.Table, batch: LoanBatch) -> None:
    if batch.rejected:
        is_first = not LoanFilePart.objects.filter(
            loan_import=loan_import, kind=LoanFilePart.Kind.REJECTED
        ).exists()
        text = rejected_rows.write(
            batch.rejected, columns=table.columns, delimiter=table.delimiter, header=is_first
        )
        file_parts.keep(loan_import, LoanFilePart.Kind.REJECTED, [text.encode()])


def _fail(actor: Actor, loan_import: LoanImport, error: errors.DomainError) -> None:
    """The file cannot be read to its end, or not be imported as was decided: undo it."""
    with scope(actor):
        _save(
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


def _end_check(actor: Actor, loan_import: LoanImport, tally: _Tally) -> None:
    if not loan_import.rows_read:
        error = errors.InvalidInput("NO_ROWS", _("The file has no row of data."), field="file")
        _fail(actor, loan_import, error)
        return
    with _chunk(actor, loan_import):
        _save(loan_import, state=State.CHECKED, report=tally.report(), last_row=1)
        audit.record(
            actor,
            "loans.check",
            loan_import.portfolio,
            changes={
                "file": loan_import.file_name,
                "rows_read": loan_import.rows_read,
                "rows_rejected": loan_import.rows_read - loan_import.rows_good,
            },
        )


# --- Writing


def _write(actor: Actor, loan_import: LoanImport, watch: Watcher) -> None:
    """Write the loans of a checked file from where the last run left off."""
    with contextlib.suppress(_Overtaken):
        try:
            table, batches = _batches(actor, loan_import)
            for batch in batches:
                _write_chunk(actor, loan_import, table, batch)
                watch(loan_import)
        except errors.InvalidInput as error:
            _fail(actor, loan_import, error)
        else:
            _end_write(actor, loan_import)


def _write_chunk(actor: Actor, loan_import: LoanImport, table, batch: LoanBatch) -> None:
    with _chunk(actor, loan_import) as locked:
        rows = _sifted(loan_import, batch, first_rows=_first_rows_here)
        if loan_import.policy == LoanImport.Policy.ALL_OR_NOTHING and batch.problems:
            # What was good at the check is so no more: a reference was taken since.
            first = batch.problems[0]
            raise errors.InvalidInput("BAD_ROWS", first.message, row=first.row)
        loan_writing.write(actor, loan_import, rows, loan_import.portfolio.currency)
        _save(
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
    with _chunk(actor, loan_import):
        if not loan_import.rows_imported:
            error = errors.InvalidInput("BAD_ROWS", _("No row can be imported any more."))
            _fail(actor, loan_import, error)
            return
        _save(loan_import, state=State.IMPORTED, imported_at=clock.now())
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


# --- Undoing


def _undo(actor: Actor, loan_import: LoanImport, watch: Watcher) -> None:
    """Take back every row that an import wrote, and the file."""
    gone = 1
    while gone:
        with scope(actor):
            gone = loan_writing.undo(loan_import, UNDONE_AT_ONCE)
            _save(loan_import, rows_imported=max(0, loan_import.rows_imported - gone))
        watch(loan_import)
    with scope(actor):
        file_parts.forget(loan_import, *LoanFilePart.Kind.values)
        _save(loan_import, state=State.CANCELLED, rows_imported=0, balance_minor=0)
        audit.record(
            actor, "loans.discard", loan_import.portfolio, changes={"file": loan_import.file_name}
        )
