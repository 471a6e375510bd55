"""An import that is killed at random points, again and again, ends as if nothing had happened."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from agencies.scope import scope
from portfolios.models import Loan, LoanFilePart, LoanImport
from portfolios.services import imports
from tests import world
from tests.portfolios.importing import draft

ROWS = 60_000
KILLS = 6
HEADER = "贷款编号,客户姓名,手机号,身份证号,剩余本金,年利率,放款日期,最后还款日,省份\n"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def chinese_file(path: Path, rows: int, dice: random.Random) -> Path:
    """Loans under Chinese headers, in GB18030; every hundredth row has something wrong in it."""
    with path.open("w", encoding="gb18030", newline="") as file:
        file.write(HEADER)
        for number in range(rows):
            balance = "很多" if number % 100 == 7 else f"{dice.randrange(1, 10**7) / 100:.2f}"
            again = number - 40 if number % 100 == 57 and number > 100 else number
            file.write(
                f"DK{again:08d},王{number % 97},138{number:08d},,{balance},18.25,"
                f"20{dice.randrange(10, 24)}-0{dice.randrange(1, 10)}-15,,广东\n"
            )
    return path


def command(bank, file: Path, environment: dict) -> subprocess.Popen:
    return subprocess.Popen(
        [
            sys.executable,
            "manage.py",
            "import_loans",
            str(file),
            f"--institution={bank.institution.slug}",
            "--portfolio=Draft",
            f"--user={bank.users['vendor_manager'].email}",
            "--policy=good_rows_only",
        ],
        cwd=settings.BASE_DIR,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(bank) -> tuple:
    """What an import left: its counts, its loans, and the rows left out."""
    with scope(bank.actor("vendor_manager")) as actor:
        made = LoanImport.objects.get()
        assert made.state == LoanImport.State.IMPORTED
        assert not LoanFilePart.objects.filter(kind=LoanFilePart.Kind.FILE).exists()
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(*), count(distinct borrower_id), sum(balance_minor),"
                " md5(string_agg(reference || balance_minor || opened_on, ',' order by reference))"
                " from portfolios_loan"
            )
            loans = cursor.fetchone()
        text = imports.left_out(actor=actor, import_id=made.pk).read()
        counts = (made.rows_read, made.rows_good, made.rows_imported, made.balance_minor)
        assert Loan.objects.count() == made.rows_imported
        return counts, loans, text


def test_killed_at_random_points_it_ends_with_the_same_loans(tmp_path, database_environment):
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    file = chinese_file(tmp_path / "loans.csv", ROWS, random.Random(1))
    calm, troubled = world.make_bank(), world.make_bank()
    for bank in (calm, troubled):
        draft(bank)
    whole = command(calm, file, database_environment)
    out, err = whole.communicate(timeout=120)
    assert whole.returncode == 0, err
    assert f"{ROWS - 1_199} of {ROWS} rows imported" in out

    killed = 0
    while killed < KILLS:
        process = command(troubled, file, database_environment)
        try:
            process.wait(timeout=dice.uniform(1.0, 6.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        else:
            break
    process = command(troubled, file, database_environment)
    _out, err = process.communicate(timeout=120)
    # Killed after its last row, it has nothing left to do: then the file was imported before.
    assert process.returncode == 0 or "SAME_FILE" in err, err
    assert outcome(troubled) == outcome(calm)
