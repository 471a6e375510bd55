"""Reading a loan file into a portfolio: the check against the csv module, the writing against COPY
of the very rows that it wrote, into tables with the same columns and indexes."""

import csv
import datetime
import io
import random
import tempfile

from django.db import connections

from agencies.scope import scope
from frontend.demonstration import borrowers
from portfolios.mappings import MAPPINGS
from portfolios.models import LoanImport
from portfolios.services import import_runs, imports
from tests import world

TODAY = datetime.date(2026, 1, 31)
TABLES = ("portfolios_borrower", "portfolios_loan")


def importing():
    """Ten times the rows should take ten times the time."""
    for rows in (100_000, 1_000_000):
        yield from _importing(world.make_bank(), rows)


def _importing(bank, rows: int):
    portfolio = world.make_portfolio(bank, balances_minor=[])
    content = borrowers.loan_file(random.Random(rows), f"B{rows}", rows, TODAY)
    with scope(bank.actor("vendor_manager")) as actor:
        made = imports.receive(
            actor=actor,
            portfolio_id=portfolio.pk,
            file_name="bench.csv",
            file=io.BytesIO(content),
        )
        imports.choose_mapping(actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"])

    def move_on():
        assert import_runs.move_on(actor=bank.sweep) == 1

    def read():
        assert sum(1 for _row in csv.reader(io.StringIO(content.decode()))) == rows + 1

    move_on.repeats = 1
    yield f"check {rows:,} rows of a loan file / the csv module", move_on, read
    with scope(bank.actor("vendor_manager")) as actor:
        imports.decide(actor=actor, import_id=made.pk, policy="all_or_nothing")
    yield f"write {rows:,} loans and borrowers / COPY", move_on, _copying(bank, made, rows)


def _copying(bank, made: LoanImport, rows: int):
    """COPY of the rows that the import wrote, into tables like theirs without row security."""
    files = {table: tempfile.TemporaryFile() for table in TABLES}  # noqa: SIM115 - for two calls

    def prepare():
        with scope(bank.actor("auditor")):
            made.refresh_from_db()
            assert made.rows_imported == rows
        with connections["owner"].cursor() as cursor:
            for table, file in files.items():
                cursor.execute(f"drop table if exists copied_{table}")
                cursor.execute(f"create table copied_{table} (like {table} including all)")
                chosen = f"select * from {table} where institution_id = '{bank.institution.pk}'"
                with cursor.copy(f"copy ({chosen}) to stdout") as copy:
                    for piece in copy:
                        file.write(piece)
        return ()

    def copy_rows():
        with connections["owner"].cursor() as cursor:
            for table, file in files.items():
                file.seek(0)
                with cursor.copy(f"copy copied_{table} from stdin") as copy:
                    while piece := file.read(1 << 20):
                        copy.write(piece)

    copy_rows.before = prepare
    copy_rows.repeats = 1
    return copy_rows


CASES = (importing,)
