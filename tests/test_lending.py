"""The journey's loans: the made-up file is read just as the real one is."""

import csv
import datetime
import io

import pytest

from portfolios import loan_files, tables
from portfolios.mappings import MAPPINGS
from tests import lending

needs_real_file = pytest.mark.skipif(
    not lending.REAL.exists(), reason="../shared/data is not beside this project"
)
TODAY = datetime.date(2026, 3, 2)


def imported(file: lending.LoanFile) -> dict[str, int]:
    """Reference → balance as the product reads them; any bad row is a failure."""
    table = tables.open_table(io.BytesIO(file.content))
    balances: dict[str, int] = {}
    for batch in loan_files.read(table, MAPPINGS["lendingclub"], currency="USD", as_of=TODAY):
        assert batch.problems == []
        balances |= zip(batch.columns["reference"], batch.columns["balance_minor"], strict=True)
    return balances


def known(file: lending.LoanFile) -> dict[str, int]:
    return {reference: loan.balance_minor for reference, loan in file.loans.items()}


def test_the_product_reads_the_made_up_file_to_the_cent():
    file = lending.made_up()
    assert imported(file) == known(file)
    assert len(file.loans) == lending.MADE_UP_ROWS


@needs_real_file
def test_the_product_reads_the_real_file_to_the_cent():
    file = lending.real()
    assert imported(file) == known(file)
    assert (len(file.loans), file.balance_minor) == (6_431, 4_874_126_227)


@needs_real_file
def test_the_made_up_file_has_the_columns_of_the_real_one():
    headers = [
        next(csv.reader(io.StringIO(file.content.decode())))
        for file in (lending.real(), lending.made_up())
    ]
    assert headers[0] == headers[1]


def test_it_is_the_real_file_where_there_is_one(monkeypatch, tmp_path):
    monkeypatch.delenv("FAIRPLACE_MADE_UP_LOANS", raising=False)
    if lending.REAL.exists():
        assert lending.loan_file() == lending.real()
    monkeypatch.setattr(lending, "REAL", tmp_path / "moved.csv")
    assert lending.loan_file() == lending.made_up()
