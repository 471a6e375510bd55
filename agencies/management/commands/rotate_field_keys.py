"""Seals borrowers' personal fields anew under the first key of FAIRPLACE_FIELD_KEYS."""

from collections import Counter

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from agencies.services import field_keys
from config import errors
from config.checks import OWNER_ALIAS


class Command(BaseCommand):
    help = (
        "Seals every encrypted field anew under the first key of FAIRPLACE_FIELD_KEYS, as the "
        "owner's role. Safe to stop and to run again; other processes may go on working."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--check",
            action="store_true",
            help="only say how many values are under older keys; exit status 1 for any",
        )

    def handle(self, *args, check: bool, **options) -> None:
        if OWNER_ALIAS not in connections:
            raise CommandError("Run it where DATABASE_OWNER_URL is set: it works as the owner.")
        connection = connections[OWNER_ALIAS]
        left = field_keys.left(connection)
        if not check:
            self._rotate(connection, left)
            left = field_keys.left(connection)
        for place, count in left.items():
            if count:
                self.stdout.write(f"{place}: {count} under older keys")
        if any(left.values()):
            raise CommandError(f"{sum(left.values())} values are under older keys.")
        self.stdout.write(f"All values of {len(left)} columns are under the current key.")

    def _rotate(self, connection, left: dict[field_keys.Place, int]) -> None:
        done: Counter[field_keys.Place] = Counter()

        def told(place: field_keys.Place, count: int) -> None:
            done[place] += count
            self.stdout.write(f"{place}: {done[place]} of {max(left[place], done[place])}")

        try:
            field_keys.rotate(connection, told)
        except errors.InvalidState as error:
            raise CommandError(str(error.message)) from error
