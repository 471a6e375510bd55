"""Imports a file of loans from the command line, as a person of the bank."""

from django.core.management import CommandError

from agencies.scope import scope
from portfolios.management.file_command import FileCommand
from portfolios.models import LoanImport
from portfolios.selectors import visible_portfolios


class Command(FileCommand):
    help = (
        "Imports a CSV or XLSX file of loans into a draft portfolio. When it is killed, call it"
        " again with the same file: it goes on, and so does a running worker."
    )

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--portfolio", required=True, help="the portfolio's name")
        parser.add_argument(
            "--balance-minor",
            dest="sum_minor",
            type=int,
            help="control total: their balances in minor units",
        )

    def place(self, actor, options):
        with scope(actor):
            found = visible_portfolios(actor).filter(name=options["portfolio"]).first()
        if found is None:
            raise CommandError(f"There is no portfolio called {options['portfolio']}.")
        return {"portfolio_id": found.pk}

    def told(self, made: LoanImport) -> str:
        return (
            f"{made.rows_imported} of {made.rows_read} rows imported: "
            f"{made.balance_minor} minor units."
        )
