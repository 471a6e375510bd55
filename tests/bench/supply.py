"""Reading a loan file into a portfolio, against the csv module and COPY."""

import csv
import datetime
import io
import random

import psycopg
from django.db import connections

from agencies.scope import scope
from config import ids
from frontend.demonstration import borrowers
from portfolios.services import imports
from tests import databases, world

TODAY = datetime.date(2026, 1, 31)


def importing():
    """Twice the rows should take twice the time."""
    bank = world.make_bank()
    yield from (_importing(bank, rows) for rows in (5_000, 10_000))


def _importing(bank, rows: int):
    prefixes = iter(f"B{rows}-{number}" for number in range(100))

    def fresh():
        content = borrowers.loan_file(random.Random(rows), next(prefixes), rows, TODAY)
        return world.make_portfolio(bank, balances_minor=[]), content

    def ours(portfolio, content):
        with scope(bank.actor("vendor_manager")) as actor:
            imports.run(
                actor=actor,
                portfolio_id=portfolio.pk,
                file_name="bench.csv",
                content=content,
                mapping="standard",
                policy="all_or_nothing",
            )

    def raw(portfolio, content):
        where = databases.keywords("owner", connections["owner"].settings_dict["NAME"])
        with psycopg.connect(**where) as connection:
            # COPY does not go into a table behind row-level security: one like it stands in.
            connection.execute("create temp table copied (like portfolios_loan including all)")
            copy_sql = (
                "copy copied (id, institution_id, portfolio_id, loan_import_id,"
                " reference, currency, balance_minor, rate_ppm, opened_on, last_payment_on,"
                " days_past_due, region, grade, is_on_hold) from stdin"
            )
            with connection.cursor() as cursor, cursor.copy(copy_sql) as copy:
                for row in csv.DictReader(io.StringIO(content.decode())):
                    copy.write_row(
                        (
                            ids.uuid7(),
                            bank.institution.pk,
                            portfolio.pk,
                            ids.uuid7(),
                            row["loan_reference"],
                            "USD",
                            round(float(row["balance"]) * 100),
                            round(float(row["rate"]) * 10_000),
                            row["opened_on"],
                            row["last_payment_on"],
                            100,
                            row["region"],
                            row["grade"],
                            False,
                        )
                    )

    ours.before = raw.before = fresh
    return f"import {rows:,} loans and borrowers, encrypted / COPY", ours, raw


CASES = (importing,)
