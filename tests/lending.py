"""The loans of the journey: LendingClub's real file, or a made-up one with the same columns.

Figures are computed here from the file itself, in fractions and without the product's code, so
that the product can be held to them.
"""

import csv
import dataclasses
import datetime
import functools
import io
import os
import random
from fractions import Fraction
from pathlib import Path

REAL = Path(__file__).resolve().parents[2] / "shared/data/loans/lendingclub_charged_off.csv"
MADE_UP_ROWS = 600
FIRST_ISSUE = datetime.date(2009, 1, 1)

HEADER = (
    "id loan_amnt funded_amnt funded_amnt_inv term int_rate installment grade sub_grade "
    "emp_length home_ownership annual_inc verification_status issue_d loan_status pymnt_plan "
    "purpose zip_code addr_state dti delinq_2yrs earliest_cr_line inq_last_6mths "
    "mths_since_last_delinq mths_since_last_record open_acc pub_rec revol_bal revol_util "
    "total_acc initial_list_status out_prncp out_prncp_inv total_pymnt total_pymnt_inv "
    "total_rec_prncp total_rec_int total_rec_late_fee recoveries collection_recovery_fee "
    "last_pymnt_d last_pymnt_amnt last_credit_pull_d collections_12_mths_ex_med policy_code "
    "application_type acc_now_delinq chargeoff_within_12_mths delinq_amnt pub_rec_bankruptcies "
    "tax_liens hardship_flag disbursement_method debt_settlement_flag "
    "debt_settlement_flag_date settlement_status settlement_date settlement_amount "
    "settlement_percentage settlement_term issue_year"
)
COLUMNS = HEADER.split()


@dataclasses.dataclass(frozen=True)
class Loan:
    """What the journey knows of a loan: what was owed, and what came in after its charge-off."""

    reference: str
    balance_minor: int
    recovered_minor: int
    region: str


@dataclasses.dataclass(frozen=True)
class LoanFile:
    """A CSV file and the loans in it by reference."""

    name: str
    content: bytes
    loans: dict[str, Loan]

    @property
    def balance_minor(self) -> int:
        return sum(loan.balance_minor for loan in self.loans.values())


def half_away(value: Fraction) -> int:
    """A whole number, halves rounded away from zero."""
    whole = int(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def loan_file() -> LoanFile:
    """The real file where `../shared` is present, unless FAIRPLACE_MADE_UP_LOANS is set."""
    return made_up() if os.environ.get("FAIRPLACE_MADE_UP_LOANS") or not REAL.exists() else real()


def real() -> LoanFile:
    """6,431 personal loans, charged off by LendingClub between 2007 and 2011."""
    return _read(REAL.name, REAL.read_bytes())


@functools.cache
def made_up(rows: int = MADE_UP_ROWS) -> LoanFile:
    """Loans that never were, the same ones each time."""
    dice = random.Random(20_260_302)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for number in range(1, rows + 1):
        writer.writerow(dict.fromkeys(COLUMNS, "") | _row(number, dice))
    return _read("made_up_charged_off.csv", text.getvalue().encode())


def _row(number: int, dice: random.Random) -> dict[str, object]:
    """The columns that somebody reads; sums of floats are written out in full, as in the real file.

    The principal received stays below what was funded, and about as many payments came in after
    the charge-off as with real loans.
    """
    funded = dice.randrange(1_000, 35_001, 25)
    received_minor = dice.randrange(0, funded * 100 - 5_000)
    unpaid_minor = funded * 100 - received_minor
    recovered_minor = dice.randrange(100, unpaid_minor // 2) if dice.random() < 0.95 else 0
    issued_on = FIRST_ISSUE + datetime.timedelta(days=dice.randrange(900))
    paid_on = issued_on + datetime.timedelta(days=dice.randrange(30, 900))
    return {
        "id": f"MU{number:06d}",
        "loan_amnt": funded,
        "funded_amnt": funded,
        "term": 36,
        "int_rate": dice.choice(["0.0775", "0.11539999999999999", "0.147", "0.2198"]),
        "grade": dice.choice("ABCDEFG"),
        "issue_d": issued_on,
        "loan_status": "Charged Off",
        "addr_state": dice.choice(["CA", "NY", "TX", "IL", "WA"]),
        "total_rec_prncp": f"{received_minor / 100 + 1e-10:.12f}",
        "recoveries": f"{recovered_minor / 100:.2f}",
        "last_pymnt_d": dice.choice([paid_on, ""]) if number % 50 == 0 else paid_on,
        "issue_year": issued_on.year,
    }


def _read(name: str, content: bytes) -> LoanFile:
    rows = csv.DictReader(io.StringIO(content.decode()))
    loans = {row["id"]: _loan(row) for row in rows}
    return LoanFile(name, content, loans)


def _loan(row: dict[str, str]) -> Loan:
    unpaid = Fraction(row["funded_amnt"]) - Fraction(row["total_rec_prncp"])
    return Loan(
        reference=row["id"],
        balance_minor=half_away(unpaid * 100),
        recovered_minor=half_away(Fraction(row["recoveries"] or "0") * 100),
        region=row["addr_state"],
    )
