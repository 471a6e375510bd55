"""Files of loans to import, and the ways of importing them."""

import io

from django.core.files.uploadedfile import SimpleUploadedFile

from agencies.models import AuditEntry
from agencies.scope import scope
from portfolios.mappings import MAPPINGS
from portfolios.models import (
    Borrower,
    Loan,
    LoanFilePart,
    LoanImport,
    Portfolio,
)
from portfolios.services import (
    import_files,
    import_uploads,
    imports,
)
from portfolios.services import portfolios as portfolio_services

HEADER = (
    "loan_reference,borrower_name,phone,email,address,national_id,"
    "balance,rate,opened_on,last_payment_on,region,grade"
)
GOOD = (
    'A-1,María López,+1 212 555 0100,maria@example.com,"1 Main St, NY",123-45-6789,'
    "1200.50,18.5,2024-03-01,2025-11-20,NY,B",
    "A-2,王小明,13800001234,,,110101199001011237,800.00,0,2024-05-17,,CA,",
)
BAD = (
    "A-3,Nobody,,,,,-5.00,18.5,2024-03-01,,NY,B",
    "A-4,Nobody,,,,,12.345,18.5,2024-03-01,,NY,B",
    "A-5,Nobody,,,,,12.00,18.5,2999-01-01,,NY,B",
    "A-1,Nobody,,,,,12.00,18.5,2024-01-01,,NY,B",
    "A-6,Nobody,,,,,12.00,18.5",
)
BAD_FOUND = [
    (4, "balance", "-5.00", "NEGATIVE_AMOUNT"),
    (5, "balance", "12.345", "TOO_MANY_DECIMALS"),
    (6, "opened_on", "2999-01-01", "FUTURE_DATE"),
    (7, "loan_reference", "A-1", "DUPLICATE_REFERENCE"),
    (8, "", "8", "WRONG_COLUMN_COUNT"),
]


def file_of(*rows: str, header: str = HEADER) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


def draft(bank, name: str = "Draft", currency: str = "USD") -> Portfolio:
    with scope(bank.actor("vendor_manager")) as actor:
        return portfolio_services.create(
            actor=actor, name=name, currency=currency, jurisdiction="US", product="personal loan"
        )


def run(actor, portfolio, content: bytes, policy="all_or_nothing", mapping="standard", **more):
    return import_files.run(
        actor=actor,
        portfolio_id=portfolio.pk,
        file_name="loans.csv",
        file=io.BytesIO(content),
        mapping=MAPPINGS[mapping] if mapping else None,
        policy=policy,
        **more,
    )


def receive(actor, portfolio, content: bytes, **more) -> LoanImport:
    return import_uploads.receive(
        actor=actor,
        portfolio_id=portfolio.pk,
        file_name="loans.csv",
        file=io.BytesIO(content),
        **more,
    )


def left_out(actor, made: LoanImport) -> str:
    return imports.left_out(actor=actor, import_id=made.pk).read().decode()


def assert_nothing_there():
    """No loan, no borrower and no part of a file; of an import only that it was cancelled."""
    for model in (Loan, Borrower, LoanFilePart):
        assert not model.objects.exists()
    assert set(LoanImport.objects.values_list("state", flat=True)) <= {"cancelled"}
    assert not AuditEntry.objects.filter(action="loans.import").exists()


def upload_of(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("loans.csv", content, content_type="text/csv")


CHOSEN = {
    "source_reference": "column:loan_reference",
    "source_balance": "column:balance",
    "source_rate": "column:rate",
    "source_opened_on": "column:opened_on",
    "source_borrower_name": "column:borrower_name",
    "rate_unit": "percent",
    "amount_unit": "major",
    "date_format": "%Y-%m-%d",
    "decimal_mark": ".",
    "grouping": "",
}
