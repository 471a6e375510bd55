"""What waits on the panel."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agencies import selectors
from agencies.actors import Actor
from agencies.models import PanelMembership
from frontend.templatetags import fairplace
from frontend.work.items import Figure, Item


def applications(actor: Actor) -> Iterable[Item]:
    """Agencies that ask for a place on the panel."""
    waiting = selectors.visible_memberships(actor).filter(state=PanelMembership.State.APPLIED)
    count = waiting.count()
    yield Item(
        label=ngettext("application to decide", "applications to decide", count),
        count=count,
        url=f"{reverse('panel')}?state=applied",
        icon="building-2",
        note=_("Read the documents, then approve or reject with a reason."),
    )


def first_application(actor: Actor) -> Iterable[Item]:
    """An agency that is on nobody's panel has to apply first."""
    alive = selectors.visible_memberships(actor).exclude(state=PanelMembership.State.REJECTED)
    yield Item(
        label=_("Apply to a bank"),
        count=0 if alive.exists() else 1,
        url=reverse("institutions"),
        icon="landmark",
        note=_("Only agencies that a bank has admitted to its panel may bid for its loans."),
        is_counted=False,
    )


def panel_figures(actor: Actor) -> Iterable[Figure]:
    """How many agencies work for a bank, or banks for which an agency works."""
    approved = selectors.visible_memberships(actor).filter(state=PanelMembership.State.APPROVED)
    if actor.agency_id:
        label, url = _("Banks you work for"), reverse("institutions")
    else:
        label, url = _("Agencies on the panel"), f"{reverse('panel')}?state=approved"
    yield Figure(label=label, value=fairplace.integer(approved.count()), url=url)
