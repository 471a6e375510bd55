"""Draws an award's lots again and says whether they and the commitment agree."""

import uuid

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from agencies import actors
from agencies.models import Institution
from agencies.scope import scope
from marketplace.selectors import visible_awards
from marketplace.services import draws


class Command(BaseCommand):
    help = "Draws the lots of an award again: exit status 0 where all agrees, else 1 and why not."

    def add_arguments(self, parser):
        parser.add_argument("award_id", type=uuid.UUID, help="the award's identifier")

    def handle(self, *args, award_id: uuid.UUID, **options) -> None:
        actor = self._owner(award_id)
        with scope(actor):
            wrong = draws.verify(actor=actor, award_id=award_id)
        if wrong:
            raise CommandError(" ".join(wrong))
        self.stdout.write(_("The lots are those of the seed that was committed."))

    def _owner(self, award_id: uuid.UUID) -> actors.Actor:
        """The sweep of the institution whose award it is."""
        with scope(actors.sweep()):
            institutions = list(Institution.objects.values_list("pk", flat=True))
        for institution_id in institutions:
            actor = actors.sweep(institution_id)
            with scope(actor):
                if visible_awards(actor).filter(pk=award_id).exists():
                    return actor
        raise CommandError(_("There is no such award."))
