"""What waits for somebody: each chapter says in a function what its people have to do.

A source takes the actor and yields `Item`s; `of` asks those whose roles match. To add one, write
a function below its chapter's heading and enter it in `SOURCES`.
"""

import dataclasses
from collections.abc import Callable, Iterable

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agencies import policies, selectors
from agencies.actors import Actor
from agencies.models import PanelMembership


@dataclasses.dataclass(frozen=True)
class Item:
    """One thing to do: `label` says what in words, `count` how many wait, `url` where.

    `tone` is accent (do it), warning (soon), danger (late) or info (good to know); an item with
    a `count` of 0 is not shown.
    """

    label: str
    count: int
    url: str
    tone: str = "accent"
    icon: str = "circle-check"
    note: str = ""


# --- agencies


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
        note=_("Banks invite to bid those whom they have admitted to their panel."),
    )


# --- portfolios

# --- marketplace

# --- payouts


SOURCES: list[tuple[frozenset[str], Callable[[Actor], Iterable[Item]]]] = [
    (policies.COMPLIANCE_OFFICERS, applications),
    (policies.AGENCY_ADMINISTRATORS, first_application),
]


def of(actor: Actor) -> list[Item]:
    """Everything that waits for this actor, in the order of `SOURCES`."""
    found = []
    for roles, source in SOURCES:
        if actor.role in roles:
            found.extend(item for item in source(actor) if item.count)
    return found
