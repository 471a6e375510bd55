"""Computes the money again and says where it does not agree."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import ngettext

from agencies import actors
from agencies.models import Institution
from agencies.scope import scope
from payouts.services import books


class Command(BaseCommand):
    help = "Checks the books of every institution: one line per difference, exit status 1 for any."

    def add_arguments(self, parser):
        parser.add_argument(
            "--stripe",
            action="store_true",
            help="also compare every payout with the transfers that Stripe lists for it",
        )

    def handle(self, *args, stripe: bool, **options) -> None:
        with scope(actors.sweep()):
            institutions = list(Institution.objects.order_by("slug").values_list("pk", "slug"))
        count = 0
        for institution_id, slug in institutions:
            for difference in self._found(institution_id, stripe):
                count += 1
                self.stdout.write(f"{slug}: {difference}")
        if count:
            raise CommandError(
                ngettext(
                    "The books do not agree: %(count)d difference.",
                    "The books do not agree: %(count)d differences.",
                    count,
                )
                % {"count": count}
            )
        agree = ngettext(
            "The books of %(count)d institution agree.",
            "The books of %(count)d institutions agree.",
            len(institutions),
        )
        self.stdout.write(agree % {"count": len(institutions)})

    def _found(self, institution_id, stripe: bool) -> list[books.Difference]:
        actor = actors.sweep(institution_id)
        with scope(actor):
            found = books.differences(actor=actor)
        return found + (books.differences_from_stripe(institution_id) if stripe else [])
