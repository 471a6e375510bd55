"""Imports a file of loans from the command line, as a person of the bank."""

from pathlib import Path

from django.core.management import BaseCommand, CommandError

from agencies import actors
from agencies.models import Institution, User
from agencies.scope import scope
from config import errors
from portfolios.mappings import MAPPINGS
from portfolios.selectors import visible_portfolios
from portfolios.services import imports


class Command(BaseCommand):
    help = "Imports a CSV file of loans into a draft portfolio."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--institution", required=True, help="its short name in addresses")
        parser.add_argument("--portfolio", required=True, help="the portfolio's name")
        parser.add_argument("--mapping", required=True, choices=sorted(MAPPINGS))
        parser.add_argument("--user", required=True, help="e-mail of a vendor manager")
        parser.add_argument(
            "--policy",
            choices=imports.Policy.values,
            default=imports.Policy.ALL_OR_NOTHING.value,
            help="what becomes of the good rows when some are bad",
        )

    def handle(self, *, file, institution, portfolio, mapping, user, policy, **options):
        try:
            content = Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        try:
            with scope(_person(institution, user)) as actor:
                found = visible_portfolios(actor).filter(name=portfolio).first()
                if found is None:
                    raise CommandError(f"There is no portfolio called {portfolio}.")
                made = imports.run(
                    actor=actor,
                    portfolio_id=found.pk,
                    file_name=Path(file).name,
                    content=content,
                    mapping=mapping,
                    policy=policy,
                )
        except errors.DomainError as error:
            where = f"row {error.row}: " if error.row else ""
            raise CommandError(f"{where}{error.message} ({error.code})") from error
        self.stdout.write(
            f"{made.rows_imported} of {made.rows_read} rows imported: "
            f"{made.balance_minor} minor units of {found.currency}."
        )


def _person(slug: str, email: str) -> actors.Actor:
    """The active person of that institution."""
    with scope(actors.LOGIN):
        institution = Institution.objects.filter(slug=slug).first()
        person = User.objects.filter(
            email__iexact=email, institution=institution, is_active=True
        ).first()
    if institution is None or person is None:
        raise CommandError(f"Nobody called {email} works at {slug}.")
    return actors.for_user(person)
