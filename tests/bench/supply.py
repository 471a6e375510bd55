"""Importing a file in Chinese headers and GB18030 with wrong rows among them, by the command.

The whole of it, and its writing, stand against COPY of the very rows that it wrote into tables with
the same columns and indexes; its check against the csv module.
"""

import csv
import io
import tempfile
from pathlib import Path

from django.core.management import call_command
from django.db import connections

from agencies.scope import scope
from portfolios.mappings import Mapping
from portfolios.models import LoanImport, Portfolio
from portfolios.services import import_runs, import_uploads, imports
from tests import chinese_loans, world
from tests.bench.figures import Figure
from tests.portfolios.importing import draft

SIZES = (100_000, 1_000_000)
TABLES = ("portfolios_borrower", "portfolios_loan")


def importing():
    for rows in SIZES:
        content = chinese_loans.content(rows)
        yield _by_the_command(world.make_bank(), rows, content)
        yield from _by_phases(world.make_bank(), rows, content)
        for table in TABLES:
            _owner(f"drop table copied_{table}")


def _by_the_command(bank: world.Bank, rows: int, content: bytes) -> Figure:
    portfolio = draft(bank, currency="CNY")
    folder = tempfile.TemporaryDirectory()
    file, rejected = Path(folder.name) / "loans.csv", Path(folder.name) / "rejected.csv"
    file.write_bytes(content)

    def command():
        call_command(
            "import_loans",
            str(file),
            institution=bank.institution.slug,
            portfolio=portfolio.name,
            user=bank.users["vendor_manager"].email,
            policy="good_rows_only",
            rejected=rejected,
            stdout=io.StringIO(),
        )

    def before_copying():
        _assert_imported(bank, portfolio, rows)
        with rejected.open(encoding="utf-8-sig", newline="") as found:
            assert sum(1 for _row in csv.reader(found)) == chinese_loans.rejected(rows) + 1
        folder.cleanup()
        return _unloaded(bank)

    command.repeats = 1
    copy = _copying(before_copying)
    return Figure("import loans by the command / COPY", rows, command, copy, at_most=3)


def _by_phases(bank: world.Bank, rows: int, content: bytes):
    """The parts of the same, moved on by a worker."""
    portfolio = draft(bank, currency="CNY")
    with scope(bank.actor("vendor_manager")) as actor:
        made = import_uploads.receive(
            actor=actor, portfolio_id=portfolio.pk, file_name="b.csv", file=io.BytesIO(content)
        )
        guessed = Mapping.from_dict(made.mapping)
        imports.choose_mapping(actor=actor, import_id=made.pk, mapping=guessed)

    def move_on():
        assert import_runs.move_on(actor=bank.sweep) == 1

    def read():
        text = io.StringIO(content.decode("gb18030"), newline="")
        assert sum(1 for _row in csv.reader(text)) == rows + 1

    def before_copying():
        _assert_imported(bank, portfolio, rows)
        return _unloaded(bank)

    move_on.repeats = 1
    yield Figure("  of it, the check / the csv module", rows, move_on, read)
    with scope(bank.actor("vendor_manager")) as actor:
        imports.decide(actor=actor, import_id=made.pk, policy="good_rows_only")
    copy = _copying(before_copying)
    yield Figure("  of it, the writing / COPY", rows, move_on, copy, at_most=3)


def _assert_imported(bank: world.Bank, portfolio: Portfolio, rows: int) -> None:
    good = rows - chinese_loans.rejected(rows)
    with scope(bank.actor("vendor_manager")):
        made = LoanImport.objects.get(portfolio=portfolio)
        assert (made.rows_read, made.rows_good, made.rows_imported) == (rows, good, good)
        kinds = {code: count for _column, code, _warns, _params, count in made.report["kinds"]}
    assert kinds == dict.fromkeys(chinese_loans.CODES, rows // 400), kinds


def _unloaded(bank: world.Bank) -> tuple[dict]:
    """The rows of a bank as COPY reads them, by table, and empty tables like those."""
    files = {table: tempfile.TemporaryFile() for table in TABLES}  # noqa: SIM115 - for its caller
    for table, file in files.items():
        _owner(f"drop table if exists copied_{table}")
        _owner(f"create table copied_{table} (like {table} including all)")
        chosen = f"select * from {table} where institution_id = '{bank.institution.pk}'"
        with (
            connections["owner"].cursor() as cursor,
            cursor.copy(f"copy ({chosen}) to stdout") as copy,
        ):
            for piece in copy:
                file.write(piece)
        file.seek(0)
    return (files,)


def _copying(before):
    def copy_rows(files: dict) -> None:
        with connections["owner"].cursor() as cursor:
            for table, file in files.items():
                with cursor.copy(f"copy copied_{table} from stdin") as copy:
                    while piece := file.read(1 << 20):
                        copy.write(piece)

    copy_rows.before = before
    copy_rows.repeats = 1
    return copy_rows


def _owner(statement: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)


CASES = (importing,)
