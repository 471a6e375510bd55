"""`manage.py create_institution`: the first institution, or one more, and its administrator."""

from django.core.management import BaseCommand, CommandError

from agencies import actors
from agencies.scope import scope
from agencies.services import institutions
from config import errors, ids


class Command(BaseCommand):
    help = (
        "Makes an institution and invites its administrator. Prints the link, which works once "
        "and for seven days, with which the administrator chooses a password."
    )

    def add_arguments(self, parser):
        parser.add_argument("--name", required=True, help="what people call the institution")
        parser.add_argument("--slug", required=True, help="its short name in addresses")
        parser.add_argument("--time-zone", required=True, help="such as Europe/London")
        parser.add_argument("--admin-email", required=True, help="the administrator's address")
        parser.add_argument("--admin-name", required=True, help="the administrator's name")

    def handle(self, *args, **options):
        try:
            with scope(actors.founder_of_institution(ids.uuid7())) as founder:
                invited = institutions.create(
                    actor=founder,
                    name=options["name"],
                    slug=options["slug"],
                    time_zone=options["time_zone"],
                    administrator_email=options["admin_email"],
                    administrator_name=options["admin_name"],
                )
        except errors.DomainError as error:
            raise CommandError(f"{error.field}: {error.message}") from None
        self.stdout.write(invited.link)
