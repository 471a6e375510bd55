"""Writing loans and their borrowers, thousands at a time.

Rows are copied into temporary tables and inserted from there, because COPY does not go into a
table behind row-level security; the INSERT does, and passes the policies.
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

from django.db import connection

from agencies.actors import Actor
from config import copying, encryption
from portfolios.models import Borrower, Loan, LoanImport
from portfolios.persons import Linked, Person, link
from portfolios.services import prepared_loans
from portfolios.services.prepared_loans import PERSONAL, Prepared


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """Loans to write: lists of equal length by column, as `loan_files.LoanBatch.columns`."""

    columns: dict[str, list]

    def __len__(self) -> int:
        return len(self.columns["reference"])

    @property
    def balance_minor(self) -> int:
        return sum(self.columns["balance_minor"])


@contextlib.contextmanager
def written(
    actor: Actor, loan_import: LoanImport, rows: Rows, prepared: Prepared
) -> Iterator[None]:
    """Write these loans of one import, and whoever owes them and is not there yet.

    `prepared` are the same rows. PostgreSQL inserts them while the body runs; what the body asks
    the database is answered after that. The caller holds the transaction and has seen to it that
    no reference is taken. The imports of one bank run one after the other: nobody else makes a
    borrower meanwhile.
    """
    if not len(rows):
        yield
        return
    linked = _link(actor, rows, prepared)
    _learn(rows, linked.learned)
    given = {
        "institution_id": loan_import.institution_id,
        "loan_import_id": loan_import.pk,
        "portfolio_id": loan_import.portfolio_id,
        "currency": loan_import.currency,
        "is_on_hold": False,
    }
    owed = map("\t".join, zip(prepared.loan_lines, _identifiers(linked), strict=True))
    inserts = [
        _copied(
            Borrower,
            prepared_loans.BORROWER_COLUMNS,
            _borrower_lines(loan_import, rows, prepared, linked),
            {name: given[name] for name in ("institution_id", "loan_import_id")},
        ),
        _copied(Loan, prepared_loans.LOAN_COLUMNS, list(owed), given),
    ]
    # In a pipeline nobody waits for a statement's answer before its end.
    with connection.wrap_database_errors, connection.connection.pipeline():
        with connection.cursor() as cursor:
            for statement, values in inserts:
                cursor.execute(statement, values)
            # Else the keys that are asked at the commit would be asked while Python waits.
            cursor.execute("set constraints all immediate")
            cursor.execute("set constraints all deferred")
        yield


def _link(actor: Actor, rows: Rows, prepared: Prepared) -> Linked:
    references = rows.columns["customer_reference"]
    return link(
        prepared.national_id_indexes,
        references,
        prepared.is_told,
        known=_known(actor, prepared.national_id_indexes, references),
        new_id=prepared.borrower_ids.__getitem__,
    )


def _known(
    actor: Actor, national_id_indexes: Sequence[bytes | None], references: Sequence[str]
) -> list[Person]:
    indexes = {index for index in national_id_indexes if index is not None}
    numbers = {reference for reference in references if reference}
    if not indexes and not numbers:
        return []
    # Thousands of values go as one array: an IN list of them costs more than the search.
    with connection.cursor() as cursor:
        cursor.execute(
            "select id, national_id_index, reference from portfolios_borrower"
            " where institution_id = %s and national_id_index = any (%s::bytea[])"
            " union select id, national_id_index, reference from portfolios_borrower"
            " where institution_id = %s and reference <> '' and reference = any (%s::text[])",
            [
                actor.institution_id,
                copying.array([f"\\x{index.hex()}" for index in indexes]),
                actor.institution_id,
                copying.array(numbers),
            ],
        )
        return [
            Person(str(pk), None if index is None else bytes(index), reference)
            for pk, index, reference in cursor.fetchall()
        ]


def _identifiers(linked: Linked) -> list[str]:
    return copying.identifiers(linked.borrower_ids)


def _borrower_lines(
    loan_import: LoanImport, rows: Rows, prepared: Prepared, linked: Linked
) -> list[str]:
    """Lines of who is new: as prepared, unless another row told of them or has their number."""
    lines = {place: prepared.borrower_lines[place] for place, _person in linked.new}
    references = rows.columns["customer_reference"]
    others = [
        (place, person)
        for place, person in linked.new
        if person.reference != references[place]
        or person.national_id_index != prepared.national_id_indexes[place]
    ]
    people = [person for _place, person in others]
    personal = {
        name: [rows.columns[file][place] for place, _person in others]
        for name, file in PERSONAL.items()
    }
    personal["national_id"] = _told(rows, people)
    lines |= zip(
        [place for place, _person in others],
        prepared_loans.borrower_lines(
            loan_import,
            [person.id for person in people],
            [person.reference for person in people],
            [person.national_id_index for person in people],
            personal,
        ),
        strict=True,
    )
    return list(lines.values())


def _told(rows: Rows, people: Sequence[Person]) -> list[str]:
    texts = rows.columns["national_id"]
    return ["" if person.told_in is None else texts[person.told_in] for person in people]


def _learn(rows: Rows, people: Sequence[Person]) -> None:
    """What the file tells about somebody who is there already: an identifier, a number."""
    named = [Borrower(pk=person.id, reference=person.reference) for person in people]
    Borrower.objects.bulk_update(named, ["reference"], batch_size=1_000)
    told = [person for person in people if person.told_in is not None]
    sealed = encryption.seal_column(
        _told(rows, told),
        table=Borrower._meta.db_table,
        column="national_id",
        primary_keys=[person.id for person in told],
    )
    identified = [
        Borrower(pk=person.id, national_id=content, national_id_index=person.national_id_index)
        for person, content in zip(told, sealed, strict=True)
    ]
    Borrower.objects.bulk_update(identified, ["national_id", "national_id_index"], batch_size=1_000)


def _copied(
    model: type[Borrower] | type[Loan], columns: Sequence[str], lines: list[str], given: dict
) -> tuple[str, list]:
    """COPY these lines into a temporary table; answers the INSERT from it and its parameters.

    `given` are the columns that are the same for all of them.
    """
    table, names = model._meta.db_table, ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"create temporary table if not exists new_{table} on commit delete rows as "  # noqa: S608 - names of our own
            f"select {names} from public.{table} where false"
        )
        cursor.execute(f"truncate pg_temp.new_{table}")
        with cursor.copy(f"copy pg_temp.new_{table} ({names}) from stdin") as copy:
            copy.write("\n".join([*lines, ""]).encode())
    same, values = ", ".join(given), ", ".join(["%s"] * len(given))
    return (
        f"insert into public.{table} ({names}, {same})"  # noqa: S608 - names of our own
        f" select {names}, {values} from pg_temp.new_{table}",
        list(given.values()),
    )


def taken(loan_import: LoanImport, references: Sequence[str]) -> dict[str, bool]:
    """The references that the bank has a loan under, and whether this import brought it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select reference, loan_import_id from portfolios_loan"
            " where institution_id = %s and reference = any (%s::text[])",
            [loan_import.institution_id, copying.array(references)],
        )
        return {reference: own == loan_import.pk for reference, own in cursor.fetchall()}


UNDO = (
    "delete from portfolios_loan where id in"
    " (select id from portfolios_loan where loan_import_id = %s limit %s)",
    "delete from portfolios_borrower where id in"
    " (select id from portfolios_borrower where loan_import_id = %s limit %s)",
)


def undo(loan_import: LoanImport, most: int) -> int:
    """Delete up to `most` loans that this import wrote; when none is left, its borrowers.

    Answers how many rows went. The database lets them go only while the import is being undone.
    """
    with connection.cursor() as cursor:
        for statement in UNDO:
            cursor.execute(statement, [loan_import.pk, most])
            if cursor.rowcount:
                return cursor.rowcount
    return 0
