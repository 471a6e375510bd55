"""Loans and their borrowers as lines for COPY, made before the database is asked anything.

That is most of what writing costs: keys, blind indexes, sealing, text. It is done for some rows
while PostgreSQL inserts those before them (`loan_writing.written`).
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from config import copying, encryption, ids
from portfolios.models import Borrower, LoanImport
from portfolios.services import borrowers

PERSONAL = {
    "name": "borrower_name",
    "phone": "phone",
    "email": "email",
    "address": "address",
    "national_id": "national_id",
}
"""Column of a borrower → column of a file."""

BORROWER_COLUMNS = ("id", "reference", "phone_index", "national_id_index", *PERSONAL)

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

LOAN_COLUMNS = ("id", "product", "jurisdiction", *_COPIED, "borrower_id")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Some rows of a loan file, by row: lists of equal length.

    `borrower_ids` and `borrower_lines` (of `BORROWER_COLUMNS`) are those of somebody new whom no
    other row of the file tells anything about. `is_told`: the row says something of a person.
    `loan_lines` are of `LOAN_COLUMNS` but for the last one.
    """

    numbers: list[int]
    borrower_ids: list[str]
    national_id_indexes: list[bytes | None]
    is_told: list[bool]
    borrower_lines: list[str]
    loan_lines: list[str]

    def only(self, numbers: Sequence[int]) -> "Prepared":
        """The rows of these numbers."""
        if len(numbers) == len(self.numbers):
            return self
        some = frozenset(numbers)
        stays = [number in some for number in self.numbers]

        def chosen(values: list[Any]) -> list[Any]:
            return list(itertools.compress(values, stays))

        return Prepared(
            chosen(self.numbers),
            chosen(self.borrower_ids),
            chosen(self.national_id_indexes),
            chosen(self.is_told),
            chosen(self.borrower_lines),
            chosen(self.loan_lines),
        )


def prepare(
    loan_import: LoanImport, numbers: Sequence[int], columns: dict[str, list[Any]]
) -> Prepared:
    """The rows of these numbers; `columns` as `loan_files.LoanBatch.columns`."""
    borrower_ids = ids.uuid7s(len(numbers))
    personal = {name: columns[file] for name, file in PERSONAL.items()}
    national_id_indexes = borrowers.indexes(
        institution_id=loan_import.institution_id,
        field="national_id",
        values=personal["national_id"],
    )
    return Prepared(
        list(numbers),
        borrower_ids,
        national_id_indexes,
        [any(texts) for texts in zip(*personal.values(), strict=True)],
        borrower_lines(
            loan_import,
            borrower_ids,
            columns["customer_reference"],
            national_id_indexes,
            personal,
        ),
        _loan_lines(loan_import, columns),
    )


def borrower_lines(
    loan_import: LoanImport,
    borrower_ids: Sequence[str],
    references: Sequence[str],
    national_id_indexes: Sequence[bytes | None],
    personal: dict[str, list[str]],
) -> list[str]:
    """Lines of `BORROWER_COLUMNS`; `personal` are texts by the names of `PERSONAL`."""
    phones = borrowers.indexes(
        institution_id=loan_import.institution_id, field="phone", values=personal["phone"]
    )
    return copying.lines(
        [
            borrower_ids,
            copying.texts(references),
            copying.binaries(phones),
            copying.binaries(national_id_indexes),
            *(
                copying.binaries(
                    encryption.seal_column(
                        personal[name],
                        table=Borrower._meta.db_table,
                        column=name,
                        primary_keys=borrower_ids,
                    )
                )
                for name in PERSONAL
            ),
        ]
    )


def _loan_lines(loan_import: LoanImport, columns: dict[str, list[Any]]) -> list[str]:
    portfolio = loan_import.portfolio
    assert portfolio is not None  # noqa: S101 - a file of loans has one
    return copying.lines(
        [
            ids.uuid7s(len(columns["reference"])),
            copying.texts([text or portfolio.product for text in columns["product"]]),
            copying.texts([text or portfolio.jurisdiction for text in columns["jurisdiction"]]),
            *(copy(columns[name]) for name, copy in _COPIED.items()),
        ]
    )
