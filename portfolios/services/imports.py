"""Loan imports: a file is checked first, then its loans are written, all together or none.

`check` reads and writes nothing. `run` checks again under a lock and writes. People do it in two
steps, with a file that is kept meanwhile: see `portfolios.services.uploads`.
"""

import dataclasses
import hashlib
import io
import uuid

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from agencies.models import Institution
from config import clock, encryption, errors, ids
from portfolios import loan_files, rejected_rows
from portfolios.loan_files import LoanRow, RowError
from portfolios.mappings import MAPPINGS, Mapping
from portfolios.models import Borrower, ImportProblem, Loan, LoanImport, Portfolio
from portfolios.selectors import visible_imports, visible_portfolios
from portfolios.services import borrowers

LARGEST_FILE_BYTES = 30 * 1024 * 1024
ROWS_PER_STATEMENT = 2000


class Policy(TextChoices):
    """What becomes of the good rows of a file that has bad ones."""

    ALL_OR_NOTHING = "all_or_nothing", _("All rows or nothing")
    GOOD_ROWS_ONLY = "good_rows_only", _("The good rows only")


@dataclasses.dataclass(frozen=True)
class Report:
    """What a file holds: the loans that can be imported, and why other rows cannot."""

    sha256: str
    loans: list[LoanRow]
    problems: list[RowError]

    @property
    def rows_rejected(self) -> int:
        return len({problem.row for problem in self.problems})

    @property
    def rows_read(self) -> int:
        return len(self.loans) + self.rows_rejected

    @property
    def balance_minor(self) -> int:
        return sum(loan.balance_minor for loan in self.loans)


def check(*, actor: Actor, portfolio_id, content: bytes, mapping: str) -> Report:
    """Read a file without writing anything.

    `mapping` names one of `portfolios.mappings.MAPPINGS`. Raises `InvalidState` when the
    portfolio is not a draft; `InvalidInput` for a file that cannot be read at all (codes of
    `loan_files.read`), is too large, has no row, or was imported before (`SAME_FILE`).
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    portfolio = selectors.find(visible_portfolios(actor), pk=portfolio_id)
    return _read(portfolio, content, mapping)


def run(
    *, actor: Actor, portfolio_id, file_name: str, content: bytes, mapping: str, policy: str
) -> LoanImport:
    """Import a file into a draft. Raises as `check`, and `BAD_ROWS` when `policy` forbids them.

    The imports of one bank run one after the other, so that what was checked is what is written.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    if policy not in Policy.values:
        raise errors.InvalidInput("UNKNOWN_POLICY", _("Choose one of the two."), field="policy")
    portfolio = selectors.find(visible_portfolios(actor), pk=portfolio_id)
    with transaction.atomic():
        # Weak enough not to stop other work that refers to the bank.
        Institution.objects.select_for_update(no_key=True).get(pk=portfolio.institution_id)
        portfolio = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio.pk)
        report = _read(portfolio, content, mapping)
        _demand_rows(report, policy)
        loan_import = LoanImport.objects.create(
            institution_id=portfolio.institution_id,
            portfolio=portfolio,
            file_name=short_name(file_name),
            sha256=report.sha256,
            mapping=mapping,
            rows_read=report.rows_read,
            rows_imported=len(report.loans),
            balance_minor=report.balance_minor,
            rejected_rows=rejected(content.decode(), report, mapping),
            imported_at=clock.now(),
            imported_by_id=person(actor),
        )
        _write_loans(loan_import, portfolio, report.loans)
        _write_problems(loan_import, report.problems)
        audit.record(
            actor,
            "loans.import",
            loan_import,
            changes={
                "rows_read": report.rows_read,
                "rows_imported": len(report.loans),
                "balance_minor": report.balance_minor,
                "currency": portfolio.currency,
            },
        )
    return loan_import


def left_out(*, actor: Actor, import_id) -> str:
    """The rows that an import left out, as CSV text with an `error` column."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    loan_import = selectors.find(visible_imports(actor), pk=import_id)
    return encryption.reveal(loan_import, "rejected_rows")


def person(actor: Actor) -> uuid.UUID:
    """Who imports: machines and sweeps have no role that may."""
    if actor.user_id is None:
        raise errors.NotAllowed("NOT_ALLOWED", _("Your role does not allow this."))
    return actor.user_id


def _read(portfolio: Portfolio, content: bytes, mapping_name: str) -> Report:
    if portfolio.state != Portfolio.State.DRAFT:
        raise errors.InvalidState(
            "NOT_DRAFT", _("This portfolio is published: no more loans can be imported into it.")
        )
    mapping = MAPPINGS.get(mapping_name)
    if mapping is None:
        raise errors.InvalidInput(
            "UNKNOWN_MAPPING", _("There is no such mapping."), field="mapping"
        )
    if len(content) > LARGEST_FILE_BYTES:
        raise errors.InvalidInput(
            "FILE_TOO_LARGE", _("Files are at most 30 MB. Split this one."), field="file"
        )
    sha256 = hashlib.sha256(content).hexdigest()
    _refuse_same_file(portfolio, sha256)
    as_of = clock.business_date(portfolio.institution.time_zone)
    loans: list[LoanRow] = []
    problems: list[RowError] = []
    try:
        for row in loan_files.read(
            io.BytesIO(content), mapping, currency=portfolio.currency, as_of=as_of
        ):
            (problems if isinstance(row, RowError) else loans).append(row)  # type: ignore[arg-type]
    except errors.InvalidInput as error:
        error.field = error.field or "file"
        raise
    if not loans and not problems:
        raise errors.InvalidInput("NO_ROWS", _("The file has no row of data."), field="file")
    loans, there = _without_known(portfolio, loans, mapping)
    return Report(sha256, loans, sorted([*problems, *there], key=lambda problem: problem.row))


def _refuse_same_file(portfolio: Portfolio, sha256: str) -> None:
    first = (
        LoanImport.objects.filter(institution=portfolio.institution_id, sha256=sha256)
        .select_related("portfolio")
        .first()
    )
    if first is not None:
        raise errors.InvalidInput(
            "SAME_FILE",
            _("This file was imported on %(day)s into “%(portfolio)s” (import %(id)s).")
            % {
                "day": first.imported_at.date().isoformat(),
                "portfolio": first.portfolio.name,
                "id": first.pk,
            },
            field="file",
        )


def _without_known(
    portfolio: Portfolio, loans: list[LoanRow], mapping: Mapping
) -> tuple[list[LoanRow], list[RowError]]:
    """The loans whose reference the bank does not have yet, and a problem for each other one."""
    references = [loan.reference for loan in loans]
    known: set[str] = set()
    for start in range(0, len(references), ROWS_PER_STATEMENT):
        known.update(
            Loan.objects.filter(
                institution=portfolio.institution_id,
                reference__in=references[start : start + ROWS_PER_STATEMENT],
            ).values_list("reference", flat=True)
        )
    problems = [
        RowError(
            row=loan.row,
            column=mapping.columns["reference"],
            value=loan.reference,
            code="ALREADY_THERE",
            message=str(_("You have a loan with this reference already.")),
        )
        for loan in loans
        if loan.reference in known
    ]
    return [loan for loan in loans if loan.reference not in known], problems


def _demand_rows(report: Report, policy: str) -> None:
    if not report.problems:
        return
    if policy == Policy.ALL_OR_NOTHING or not report.loans:
        first = report.problems[0]
        raise errors.InvalidInput(
            "BAD_ROWS",
            _("%(count)s rows are wrong, so nothing was imported. The first: %(message)s")
            % {"count": report.rows_rejected, "message": first.message},
            field="file",
            row=first.row,
        )


def short_name(file_name: str) -> str:
    """The name of a file as it is kept: never empty, its end where it is long."""
    return file_name.strip()[-200:] or "loans.csv"


def rejected(text: str, report: Report, mapping: str) -> str:
    """The bad rows of a file's text as CSV with an `error` column; empty where there is none."""
    if not report.problems:
        return ""
    required = MAPPINGS[mapping].required_columns()
    return rejected_rows.write(text, report.problems, required=required)


def _write_loans(loan_import: LoanImport, portfolio: Portfolio, rows: list[LoanRow]) -> None:
    owing = _write_borrowers(portfolio, rows)
    loans: list[Loan] = []
    for row, borrower_id in zip(rows, owing, strict=True):
        loans.append(
            Loan(
                institution_id=portfolio.institution_id,
                portfolio=portfolio,
                loan_import=loan_import,
                borrower_id=borrower_id,
                reference=row.reference,
                currency=portfolio.currency,
                balance_minor=row.balance_minor,
                rate_ppm=row.rate_ppm,
                opened_on=row.opened_on,
                last_payment_on=row.last_payment_on,
                days_past_due=row.days_past_due,
                region=row.region,
                grade=row.grade,
            )
        )
    Loan.objects.bulk_create(loans, batch_size=ROWS_PER_STATEMENT)


def _write_borrowers(portfolio: Portfolio, rows: list[LoanRow]) -> list[uuid.UUID | None]:
    """Who owes the loan of each row: the person that its national identifier says, if there is one.

    What the bank knew of that person before stays as it was.
    """
    made = [_borrower(portfolio, row) for row in rows]
    institution_id = portfolio.institution_id
    phones = borrowers.indexes(
        institution_id=institution_id, field="phone", values=[row.phone for row in rows]
    )
    national_ids = borrowers.indexes(
        institution_id=institution_id, field="national_id", values=[row.national_id for row in rows]
    )
    for borrower, phone, national_id in zip(made, phones, national_ids, strict=True):
        if borrower is not None:
            borrower.phone_index, borrower.national_id_index = phone, national_id
    # The same person in two rows, or in an import beside this one: the first row makes them.
    Borrower.objects.bulk_create(
        (borrower for borrower in made if borrower is not None),
        batch_size=ROWS_PER_STATEMENT,
        ignore_conflicts=True,
    )
    there = borrowers.known(institution_id=institution_id, national_id_indexes=national_ids)
    return [
        known_id or (borrower.pk if borrower is not None else None)
        for borrower, known_id in zip(made, there, strict=True)
    ]


def _borrower(portfolio: Portfolio, row: LoanRow) -> Borrower | None:
    """The borrower of one row; none where the file says nothing about the person."""
    personal = {
        "name": row.borrower_name,
        "phone": row.phone,
        "email": row.email,
        "address": row.address,
        "national_id": row.national_id,
    }
    if not any(personal.values()):
        return None
    return Borrower(id=ids.uuid7(), institution_id=portfolio.institution_id, **personal)


def _write_problems(loan_import: LoanImport, problems: list[RowError]) -> None:
    ImportProblem.objects.bulk_create(
        (
            ImportProblem(
                institution_id=loan_import.institution_id,
                loan_import=loan_import,
                row=problem.row,
                column=problem.column,
                value=problem.value,
                code=problem.code,
                message=str(problem.message)[:300],
            )
            for problem in problems
        ),
        batch_size=ROWS_PER_STATEMENT,
    )
