"""Computes a ranking again from what is recorded, and says whether it comes out the same."""

import uuid

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from agencies.scope import scope
from marketplace.management.owners import owner_of
from marketplace.selectors import visible_runs
from marketplace.services import rankings


class Command(BaseCommand):
    help = (
        "Counts again what was recorded before a ranking's watermark and scores it: exit status 0"
        " where what went in and what came out have the digests that were kept, else 1."
    )

    def add_arguments(self, parser):
        parser.add_argument("run_id", type=uuid.UUID, help="the ranking's identifier")

    def handle(self, *args, run_id: uuid.UUID, **options) -> None:
        actor = owner_of(visible_runs, run_id, _("There is no such ranking."))
        with scope(actor):
            found = rankings.verify(actor=actor, run_id=run_id)
        if not found["code"]:
            self.stderr.write(_("It was computed by another version of the code."))
        if not found["inputs"]:
            raise CommandError(_("What is recorded now is not what went in."))
        if not found["results"]:
            raise CommandError(_("The same went in, and something else comes out."))
        self.stdout.write(_("The ranking comes out again to the last bit."))
