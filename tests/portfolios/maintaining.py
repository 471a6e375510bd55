"""Maintenance files, and doing what they say."""

import io

from portfolios.models import LoanImport
from portfolios.services import import_files

HEADER = (
    "loan_reference,event,amount,value_date,payment_reference,balance,borrower_name,phone,email,"
    "address,note"
)


def news(reference: str, event: str, **cells: str) -> str:
    """A row; `cells` by the names of the header."""
    row = {"loan_reference": reference, "event": event} | cells
    return ",".join(row.get(name, "") for name in HEADER.split(","))


def file_of(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


def run(actor, *rows: str, policy: str = "all_or_nothing", currency: str = "USD") -> LoanImport:
    """All steps at once, the worker's too."""
    return import_files.run(
        actor=actor,
        currency=currency,
        file_name="news.csv",
        file=io.BytesIO(file_of(*rows)),
        policy=policy,
    )
