"""`manage.py score_agencies`: a bank's own history in two files, as it comes."""

import csv
import gzip
import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from marketplace.success import table

AGENCIES = ("Alpha", "Bravo", "Charlie", "Delta", "Echo")
SKILL = {"Alpha": 0.8, "Bravo": 1.3, "Charlie": 1.0, "Delta": 0.9, "Echo": 1.05}
EASY = {"Alpha": 0.9, "Bravo": 0.1, "Charlie": 0.5, "Delta": 0.5, "Echo": 0.5}
"""The part of each agency's loans that anybody would collect on: Alpha was given the easy ones."""
EXPOSURE = 6


def history(loans_each: int = 4000) -> tuple[list[dict], list[dict]]:
    dice = np.random.default_rng(3)
    loans, payments = [], []
    for agency in AGENCIES:
        for number in range(loans_each):
            is_easy = number < EASY[agency] * loans_each
            name = f"{agency[0]}-{number}"
            balance = int(dice.integers(200, 3000))
            loans.append(
                {
                    "loan": name,
                    "agency": agency,
                    "lot": number % 4,
                    "balance": balance,
                    "exposure_months": EXPOSURE,
                    "product": "card" if is_easy else "loan",
                    "age_band": number % 3,
                }
            )
            chance = (0.06 if is_easy else 0.015) * SKILL[agency]
            payments += [
                {"loan": name, "month_on_book": month, "net_cash": round(balance * 0.1, 2)}
                for month in np.flatnonzero(dice.random(EXPOSURE) < chance)
            ]
    return loans, payments


def text_of(rows: list[dict], **names: str) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([names.get(name, name) for name in rows[0]])
    writer.writerows(row.values() for row in rows)
    return file.getvalue()


@pytest.fixture(scope="module")
def rows():
    return history()


@pytest.fixture
def given(rows, tmp_path):
    loans, payments = tmp_path / "loans.csv", tmp_path / "payments.csv"
    loans.write_text(text_of(rows[0]))
    payments.write_text(text_of(rows[1]))
    return {"loans": loans, "payments": payments, "strata": "product,age_band"}


def test_the_best_agency_leads_although_its_loans_are_the_hardest(given, tmp_path, capsys):
    out = tmp_path / "scores.csv"
    call_command("score_agencies", **given, out=out)
    told = capsys.readouterr()
    assert told.out == ""
    assert "loans.csv: 20,000 rows read" in told.err
    with out.open() as file:
        found = {row["agency"]: row for row in csv.DictReader(file)}
    assert list(next(iter(found.values()))) == table.SCORE_COLUMNS
    assert next(iter(found)) == "Bravo"
    assert float(found["Alpha"]["raw_index"]) > float(found["Bravo"]["raw_index"])
    assert float(found["Alpha"]["index"]) < 1 < float(found["Bravo"]["index"])
    for row in found.values():
        assert row["status"] == "ranked"
        explained = float(row["exposure_factor"]) * float(row["mix_factor"])
        explained *= float(row["observed"]) / float(row["expected"])
        assert explained == pytest.approx(float(row["raw_index"]), abs=0.001)
        assert float(row["low"]) < float(row["index"]) < float(row["high"])


def test_other_names_gzip_and_json_tell_the_same(given, rows, tmp_path, capsys):
    call_command("score_agencies", **given, json=True)
    plain = json.loads(capsys.readouterr().out)
    loans, payments = tmp_path / "accounts.csv.gz", tmp_path / "cash.csv.gz"
    loans.write_bytes(gzip.compress(text_of(rows[0], loan="account_id", agency="who").encode()))
    payments.write_bytes(
        gzip.compress(text_of(rows[1], loan="account_id", month_on_book="mob").encode())
    )
    call_command(
        "score_agencies",
        loans=loans,
        payments=payments,
        strata="product,age_band",
        columns="loan=account_id,agency=who,month_on_book=mob",
        json=True,
    )
    assert json.loads(capsys.readouterr().out) == plain
    assert plain["fit"]["groups"] == 1
    assert plain["fit"]["basis"] == "adjusted for recorded differences only"
    assert plain["scores"][0]["agency"] == "Bravo"


def test_random_lots_are_used_where_the_file_tells_them(rows, tmp_path, capsys):
    loans = [row | {"random": "yes" if row["lot"] == 3 else "no"} for row in rows[0]]
    given = {"loans": tmp_path / "loans.csv", "payments": tmp_path / "payments.csv"}
    given["loans"].write_text(text_of(loans))
    given["payments"].write_text(text_of(rows[1]))
    call_command("score_agencies", **given, strata="product,age_band", json=True)
    told = json.loads(capsys.readouterr().out)
    assert "random lots" in told["fit"]["basis"]
    assert told["fit"]["pull"] >= 0
    assert told["scores"][0]["agency"] == "Bravo"


LOAN = "loan,agency,lot,balance,exposure_months\n"
PAYMENT = "loan,month_on_book,net_cash\n"
TWO = LOAN + "1,A,1,100,3\n2,B,1,100,3\n"


@pytest.mark.parametrize(
    ("loans", "payments", "sentence"),
    [
        (TWO, PAYMENT + "1,0,5\n3,0,5\n", "payments.csv, row 3: there is no loan 3."),
        (TWO, PAYMENT, "payments.csv has no payment"),
        (TWO, PAYMENT + "1,zero,5\n", "“zero” is not a number"),
        (TWO, PAYMENT + "1,-1,5\n", "a month on book is negative"),
        (TWO, "loan,cash\n1,5\n", "payments.csv has no column month_on_book, net_cash."),
        (LOAN, PAYMENT + "1,0,5\n", "loans.csv has no loan."),
        (TWO + "1,B,1,100,3\n", PAYMENT + "1,0,5\n", "loans.csv has the loan 1 twice."),
        (TWO + "3,B,1,100,-3\n", PAYMENT + "1,0,5\n", "an exposure is negative"),
        (TWO + "3,B,1,0,3\n", PAYMENT + "1,0,5\n", "a balance is not above zero"),
        (TWO + "3,B,1,inf,3\n", PAYMENT + "1,0,5\n", "a balance is not above zero"),
        (TWO + "3,B,1,100,7e4\n", PAYMENT + "1,0,5\n", "an exposure is longer than 600 months"),
        (TWO + "3,B,1,1O0,3\n", PAYMENT + "1,0,5\n", "column balance: “1O0” is not a number"),
        (TWO + ",B,1,100,3\n", PAYMENT + "1,0,5\n", "a loan has no reference"),
        (TWO + "3,B,1\n", PAYMENT + "1,0,5\n", "loans.csv, row 4: 3 cells, but the header has 5."),
        (LOAN + "1,A,1,100,3\n", PAYMENT + "1,0,5\n", "There is a single agency"),
        ("", PAYMENT + "1,0,5\n", "loans.csv has no column loan"),
        ("\x00\x01", PAYMENT + "1,0,5\n", "loans.csv"),
    ],
)
def test_what_cannot_be_scored_is_told_in_a_sentence(loans, payments, sentence, tmp_path):
    given = {"loans": tmp_path / "loans.csv", "payments": tmp_path / "payments.csv"}
    given["loans"].write_text(loans)
    given["payments"].write_text(payments)
    with pytest.raises(CommandError) as refused:
        call_command("score_agencies", **given)
    assert sentence in str(refused.value)


def test_files_that_are_not_there_or_damaged(given, tmp_path):
    with pytest.raises(CommandError, match=r"nowhere\.csv cannot be read: No such file"):
        call_command("score_agencies", **given | {"loans": tmp_path / "nowhere.csv"})
    damaged = tmp_path / "damaged.csv.gz"
    damaged.write_bytes(gzip.compress(TWO.encode())[:-12])
    with pytest.raises(CommandError, match=r"damaged\.csv\.gz cannot be read"):
        call_command("score_agencies", **given | {"loans": damaged, "strata": ""})
    with pytest.raises(CommandError, match="Name columns as"):
        call_command("score_agencies", **given, columns="loan")
