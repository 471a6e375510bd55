"""Writing loans and their borrowers, thousands at a time.

Rows are copied into temporary tables and inserted from there, because COPY does not go into a
table behind row-level security; the INSERT does, and passes the policies.
"""

import dataclasses
from collections.abc import Callable, Sequence

from django.db import connection

from agencies.actors import Actor
from config import copying, encryption, ids
from portfolios.models import Borrower, Loan, LoanImport
from portfolios.persons import Linked, Person, link
from portfolios.services import borrowers

PERSONAL = {
    "name": "borrower_name",
    "phone": "phone",
    "email": "email",
    "address": "address",
    "national_id": "national_id",
}
"""Column of a borrower → column of a file."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """Loans to write: lists of equal length by column, as `loan_files.LoanBatch.columns`."""

    columns: dict[str, list]

    def __len__(self) -> int:
        return len(self.columns["reference"])

    @property
    def balance_minor(self) -> int:
        return sum(self.columns["balance_minor"])


def write(actor: Actor, loan_import: LoanImport, rows: Rows, currency: str) -> None:
    """Write these loans of one import, and whoever owes them and is not there yet.

    The caller holds the transaction and has seen to it that no reference is taken. The imports of
    one bank run one after the other: nobody else makes a borrower meanwhile.
    """
    if not len(rows):
        return
    linked = _link(actor, loan_import, rows)
    _insert_borrowers(loan_import, rows, linked)
    _learn(rows, linked.learned)
    _insert_loans(loan_import, rows, currency, linked.borrower_ids)


def _link(actor: Actor, loan_import: LoanImport, rows: Rows) -> Linked:
    national_id_indexes = borrowers.indexes(
        institution_id=loan_import.institution_id,
        field="national_id",
        values=rows.columns["national_id"],
    )
    references = rows.columns["customer_reference"]
    told = [
        any(fields)
        for fields in zip(*(rows.columns[name] for name in PERSONAL.values()), strict=True)
    ]
    return link(
        national_id_indexes,
        references,
        told,
        known=_known(actor, national_id_indexes, references),
        new_id=iter(ids.uuid7s(len(rows))).__next__,
    )


def _known(
    actor: Actor, national_id_indexes: Sequence[bytes | None], references: Sequence[str]
) -> list[Person]:
    indexes = list({index for index in national_id_indexes if index is not None})
    numbers = list({reference for reference in references if reference})
    if not indexes and not numbers:
        return []
    # Thousands of values go as one array: an IN list of them costs more than the search.
    with connection.cursor() as cursor:
        cursor.execute(
            "select id, national_id_index, reference from portfolios_borrower"
            " where institution_id = %s and national_id_index = any (%s::bytea[])"
            " union select id, national_id_index, reference from portfolios_borrower"
            " where institution_id = %s and reference <> '' and reference = any (%s::text[])",
            [actor.institution_id, indexes, actor.institution_id, numbers],
        )
        return [
            Person(str(pk), None if index is None else bytes(index), reference)
            for pk, index, reference in cursor.fetchall()
        ]


def _insert_borrowers(loan_import: LoanImport, rows: Rows, linked: Linked) -> None:
    if not linked.new:
        return
    places = [place for place, _person in linked.new]
    people = [person for _place, person in linked.new]
    own = {name: [rows.columns[file][p] for p in places] for name, file in PERSONAL.items()}
    # A later row of the file may have told the identifier of somebody whom an earlier one named.
    own["national_id"] = _told(rows, people)
    keys = [person.id for person in people]
    phones = borrowers.indexes(
        institution_id=loan_import.institution_id, field="phone", values=own["phone"]
    )
    sealed = {
        name: copying.binaries(
            encryption.seal_column(
                texts, table=Borrower._meta.db_table, column=name, primary_keys=keys
            )
        )
        for name, texts in own.items()
    }
    _insert(
        Borrower,
        {
            "id": keys,
            "institution_id": [str(loan_import.institution_id)] * len(people),
            "loan_import_id": [str(loan_import.pk)] * len(people),
            "reference": copying.texts([person.reference for person in people]),
            "phone_index": copying.binaries(phones),
            "national_id_index": copying.binaries([one.national_id_index for one in people]),
            **sealed,
        },
    )


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


def _insert_loans(
    loan_import: LoanImport, rows: Rows, currency: str, borrower_ids: Sequence[str | None]
) -> None:
    count = len(rows)
    columns = rows.columns
    same = {
        "institution_id": str(loan_import.institution_id),
        "portfolio_id": str(loan_import.portfolio_id),
        "loan_import_id": str(loan_import.pk),
        "currency": currency,
        "is_on_hold": "f",
    }
    portfolio = loan_import.portfolio
    assert portfolio is not None  # noqa: S101 - a file of loans has one
    _insert(
        Loan,
        {
            "id": ids.uuid7s(count),
            **{name: [value] * count for name, value in same.items()},
            "borrower_id": copying.identifiers(borrower_ids),
            "product": copying.texts([text or portfolio.product for text in columns["product"]]),
            "jurisdiction": copying.texts(
                [text or portfolio.jurisdiction for text in columns["jurisdiction"]]
            ),
            **{name: copy(columns[name]) for name, copy in _COPIED.items()},
        },
    )


_COPIED: dict[str, Callable[[list], list[str]]] = {
    "reference": copying.texts,
    "balance_minor": copying.numbers,
    "principal_minor": copying.numbers,
    "interest_minor": copying.numbers,
    "fees_minor": copying.numbers,
    "rate_ppm": copying.numbers,
    "is_secured": copying.truths,
    "collateral": copying.texts,
    "opened_on": copying.days,
    "defaulted_on": copying.days,
    "last_payment_on": copying.days,
    "days_past_due": copying.numbers,
    "region": copying.texts,
    "grade": copying.texts,
    "score": copying.numbers,
    "expected_recovery_ppm": copying.numbers,
    "earlier_placements": copying.numbers,
    "limitation_on": copying.days,
    "attributes": copying.documents,
}
"""Columns that a loan has from the file as they are."""


def _insert(model: type[Borrower] | type[Loan], columns: dict[str, Sequence[str]]) -> None:
    """COPY into a temporary table, then INSERT from it."""
    table = model._meta.db_table
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"create temporary table if not exists new_{table} (like public.{table}) "
            "on commit delete rows"
        )
        cursor.execute(f"truncate pg_temp.new_{table}")
        with cursor.copy(f"copy pg_temp.new_{table} ({names}) from stdin") as copy:
            copy.write(copying.lines(list(columns.values())))
        cursor.execute(
            f"insert into public.{table} ({names}) select {names} from pg_temp.new_{table}"  # noqa: S608 - names of our own
        )


def taken(loan_import: LoanImport, references: Sequence[str]) -> dict[str, bool]:
    """The references that the bank has a loan under, and whether this import brought it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select reference, loan_import_id from portfolios_loan"
            " where institution_id = %s and reference = any (%s::text[])",
            [loan_import.institution_id, list(references)],
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
