"""Checking an import: its whole file is read, and what it holds and lacks is kept."""

import contextlib
import dataclasses
from collections import Counter

from django.db import connection
from django.utils.translation import gettext as _

from agencies import audit
from agencies.actors import Actor
from agencies.scope import scope
from config import clock, copying, errors
from portfolios import file_summary, rejected_rows, tables
from portfolios.models import ImportProblem, LoanFilePart, LoanImport
from portfolios.row_batches import RowBatch, Trailer
from portfolios.services import control_totals, file_parts
from portfolios.services.import_chunks import (
    Overtaken,
    State,
    Watcher,
    chunk,
    fail,
    rest_of,
    save,
    sift,
)

PROBLEMS_KEPT = 1_000
KINDS_KEPT = 40


def check(actor: Actor, loan_import: LoanImport, watch: Watcher) -> None:
    """Read the whole file and keep what it holds and what is wrong; write no loan."""
    with contextlib.suppress(Overtaken):
        _begin_check(actor, loan_import)
        try:
            table, batches = rest_of(actor, loan_import)
            tally = _Tally(loan_import, table)
            with _seen() as seen:
                for batch in batches:
                    _check_chunk(actor, loan_import, tally, seen, batch)
                    watch(loan_import)
        except errors.InvalidInput as error:
            fail(actor, loan_import, error)
        else:
            _end_check(actor, loan_import, tally)


def _begin_check(actor: Actor, loan_import: LoanImport) -> None:
    with scope(actor):
        locked = LoanImport.objects.select_for_update(no_key=True).get(pk=loan_import.pk)
        if locked.state != State.CHECKING:
            raise Overtaken
        file_parts.forget(loan_import, LoanFilePart.Kind.REJECTED)
        ImportProblem.objects.filter(loan_import=loan_import).delete()
        save(
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

    def __init__(self, loan_import: LoanImport, table: tables.Table):
        self.table = table
        self.summary = file_summary.Summary(loan_import.kind)
        self.events: Counter[str] = Counter()
        self.kinds: dict[tuple[str, str, bool], list] = {}
        self.kept = {False: 0, True: 0}
        self.read_minor = 0
        self.trailer: Trailer | None = None

    def add(self, batch: RowBatch) -> None:
        self.summary.add(batch)
        self.events.update(batch.columns.get("event", ()))
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
            "columns": self.summary.to_dict(),
            "kinds": [[*kind, params, count] for kind, (params, count) in kinds],
            "read_minor": self.read_minor,
            "trailer": self.trailer and dataclasses.asdict(self.trailer),
            "events": dict(self.events),
        }


def _check_chunk(actor, loan_import, tally: _Tally, seen, batch: RowBatch) -> None:
    with chunk(actor, loan_import) as locked:
        sift(loan_import, batch, first_rows=seen)
        tally.add(batch)
        _keep_problems(loan_import, tally, batch)
        _keep_rejected(loan_import, tally.table, batch)
        save(
            loan_import,
            rows_read=locked.rows_read + batch.rows_read,
            rows_good=locked.rows_good + len(batch.numbers),
            good_minor=locked.good_minor + control_totals.good_minor(loan_import, batch),
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
                " on conflict do nothing returning row",
                [copying.array(references), copying.array(map(str, numbers))],
            )
            new = {number for (number,) in cursor.fetchall()}
            if len(new) == len(numbers):
                return {}
            again = [
                reference
                for reference, number in zip(references, numbers, strict=True)
                if number not in new
            ]
            # Few, or the table would be read from its beginning to its end for each chunk.
            cursor.execute(
                "select reference, row from pg_temp.seen_references"
                " where reference = any (%s::text[])",
                [copying.array(again)],
            )
            return dict(cursor.fetchall())

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


def _keep_problems(loan_import: LoanImport, tally: _Tally, batch: RowBatch) -> None:
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


def _keep_rejected(loan_import: LoanImport, table: tables.Table, batch: RowBatch) -> None:
    if batch.rejected:
        is_first = not LoanFilePart.objects.filter(
            loan_import=loan_import, kind=LoanFilePart.Kind.REJECTED
        ).exists()
        text = rejected_rows.write(
            batch.rejected, columns=table.columns, delimiter=table.delimiter, header=is_first
        )
        file_parts.keep(loan_import, LoanFilePart.Kind.REJECTED, [text.encode()])


def _end_check(actor: Actor, loan_import: LoanImport, tally: _Tally) -> None:
    if not loan_import.rows_read:
        error = errors.InvalidInput("NO_ROWS", _("The file has no row of data."), field="file")
        fail(actor, loan_import, error)
        return
    with chunk(actor, loan_import):
        save(loan_import, state=State.CHECKED, report=tally.report(), last_row=1)
        audit.record(
            actor,
            f"{loan_import.kind}.check",
            loan_import.subject,
            changes={
                "file": loan_import.file_name,
                "rows_read": loan_import.rows_read,
                "rows_rejected": loan_import.rows_read - loan_import.rows_good,
            },
        )
