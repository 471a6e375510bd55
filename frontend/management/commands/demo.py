"""`manage.py demo`: the demonstration, into the empty embedded database of a developer."""

import datetime
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from frontend.demonstration import cast, story

SEED = 2026


class Command(BaseCommand):
    help = "Build the demonstration: one bank, eight agencies, a year of their work."

    def add_arguments(self, parser):
        parser.add_argument("--seed", type=int, default=SEED)
        parser.add_argument("--date", type=datetime.date.fromisoformat, help="the day it ends on")
        parser.add_argument("--loans", type=int, default=5000, help="loans per portfolio")

    def handle(self, *, seed, date, loans, **options):
        if not getattr(settings, "EMBEDDED_POSTGRES", False):
            raise CommandError("The demonstration goes into the embedded database alone.")
        with connections["owner"].cursor() as cursor:
            cursor.execute("select exists (select from agencies_user)")
            if cursor.fetchone()[0]:
                raise CommandError("Somebody is in this database already; nothing was changed.")
        started = time.monotonic()
        told = story.tell(
            seed=seed,
            today=date or datetime.date.today(),
            loans_per_portfolio=loans,
            say=lambda text: self.stderr.write(text),
        )
        self.stderr.write(f"{told.recoveries:,} recoveries in {time.monotonic() - started:.0f} s")
        self.stdout.write(f"Everybody's password: {cast.PASSWORD}")
        for role, email in told.cast.logins():
            self.stdout.write(f"  {role:<22} {email}")
        credentials = told.cast.credentials
        self.stdout.write(
            f"Machine client of {told.cast.players[0].agency.name}: "
            f"{credentials.machine.client_id} {credentials.secret}"
        )
