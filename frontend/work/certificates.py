"""Certificates that files of placements that are over are destroyed."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agencies.actors import Actor
from frontend.work.items import Item
from portfolios.services import certificates


def certificates_owed(actor: Actor) -> Iterable[Item]:
    """Placements that are over and whose exported files nobody has certified to be gone."""
    placements = certificates.owed(actor).order_by().values("placement").distinct()
    count = placements.count()
    yield Item(
        label=ngettext("deletion certificate owed", "deletion certificates owed", count),
        count=count,
        url=reverse("certificates"),
        tone="warning",
        icon="file-check",
        note=_("Destroy your copies of the loans and certify it.")
        if actor.agency_id
        else _("The agency exported loans and has not certified that they are destroyed."),
    )
