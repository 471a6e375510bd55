"""Does what a maintenance file says, from the command line, as a person of the bank."""

from portfolios.management.file_command import FileCommand
from portfolios.models import LoanImport


class Command(FileCommand):
    help = (
        "Reads a CSV or XLSX file with the day's news of loans (balances, payments, deaths,"
        " disputes, …) and does what it says. When it is killed, call it again with the same file:"
        " it goes on, and nothing is done twice."
    )
    kind = LoanImport.Kind.MAINTENANCE

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--currency", required=True, help="of every amount, such as EUR")
        parser.add_argument(
            "--payments-minor",
            dest="sum_minor",
            type=int,
            help="control total: the payments in minor units",
        )

    def place(self, actor, options):
        return {"currency": options["currency"]}

    def told(self, made: LoanImport) -> str:
        changed = sum(counts[0] for counts in made.outcome.values())
        return (
            f"{made.rows_imported} of {made.rows_read} rows applied: {changed} changed something, "
            f"{made.rows_imported - changed} said what was so already."
        )
