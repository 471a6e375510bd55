"""Draws an award's lots again and says whether they and the commitment agree."""

import uuid

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from agencies.scope import scope
from marketplace.management.owners import owner_of
from marketplace.selectors import visible_awards
from marketplace.services import draws


class Command(BaseCommand):
    help = "Draws the lots of an award again: exit status 0 where all agrees, else 1 and why not."

    def add_arguments(self, parser):
        parser.add_argument("award_id", type=uuid.UUID, help="the award's identifier")

    def handle(self, *args, award_id: uuid.UUID, **options) -> None:
        actor = owner_of(visible_awards, award_id, _("There is no such award."))
        with scope(actor):
            wrong = draws.verify(actor=actor, award_id=award_id)
        if wrong:
            raise CommandError(" ".join(wrong))
        self.stdout.write(_("The lots are those of the seed that was committed."))
