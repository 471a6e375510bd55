"""Scores the agencies in a bank's own history, from two files and without a database."""

import csv
import json
from pathlib import Path

from django.core.management import BaseCommand, CommandError

from marketplace.success import history, table
from marketplace.success.book import Policy
from marketplace.success.scores import score


class Command(BaseCommand):
    help = (
        "Compares agencies on the same loans: what each recovered against what an average one would"
        " have. LOANS has loan, agency, balance, exposure_months, a lot where there is one, random"
        " (yes where chance decided who got it), and the columns named by --strata; PAYMENTS has"
        " loan, month_on_book (0 for the first), net_cash."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser):
        parser.add_argument("--loans", type=Path, required=True, help="CSV, or CSV gzipped")
        parser.add_argument("--payments", type=Path, required=True, help="CSV, or CSV gzipped")
        parser.add_argument(
            "--strata",
            default="",
            help="columns by which loans are alike, such as product,age_band; none: all are",
        )
        parser.add_argument(
            "--columns",
            default="",
            help="other names of columns, such as loan=account_id,month_on_book=mob",
        )
        parser.add_argument("--out", type=Path, help="where the scores go as CSV; none: printed")
        parser.add_argument("--json", action="store_true", help="print scores and fit as JSON")
        parser.add_argument(
            "--least-payment",
            type=float,
            default=Policy.least_payment,
            help="a month counts as paying from this amount on",
        )

    def handle(self, *, loans, payments, strata, columns, out, json: bool, **options):
        try:
            found = history.read(
                loans,
                payments,
                strata=[name for name in strata.split(",") if name],
                columns=_pairs(columns),
                told=self._told,
            )
        except history.Unreadable as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"scoring {len(found.agencies)} agencies")
        result = score(found.book, Policy(least_payment=options["least_payment"]))
        rows = table.rows(found.agencies, result)
        if out:
            _write(out, rows)
        if json:
            self._print_json(rows, table.diagnostics(result))
        elif not out:
            _print(self.stdout, rows)

    def _told(self, name: str, rows: int) -> None:
        self.stderr.write(f"{name}: {rows:,} rows read")

    def _print_json(self, rows: list, fit: dict) -> None:
        self.stdout.write(json.dumps({"scores": rows, "fit": fit}, ensure_ascii=False, indent=1))


def _pairs(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    if not all(name and mark and column for name, mark, column in pairs):
        raise CommandError("Name columns as loan=account_id,agency=agency_id.")
    return {name: column for name, _mark, column in pairs}


def _write(path: Path, rows: list[dict]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            _print(file, rows)
    except OSError as error:
        raise CommandError(f"{path.name} cannot be written: {error.strerror}.") from error


def _print(file, rows: list[dict]) -> None:
    writer = csv.DictWriter(file, table.SCORE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
