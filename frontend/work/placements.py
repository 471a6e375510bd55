"""What waits at recalls, objections, holds and on the worklist."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agencies import selectors
from agencies.actors import Actor
from config import clock
from frontend.work.items import Item
from portfolios.models import Objection, Recall
from portfolios.selectors import shown_holds, visible_objections
from portfolios.services import worklist


def objections_to_decide(actor: Actor) -> Iterable[Item]:
    """What agencies say against announced recalls and nobody has decided."""
    count = (
        visible_objections(actor)
        .filter(state=Objection.State.OPEN, recalled_loan__recall__state=Recall.State.PENDING)
        .count()
    )
    yield Item(
        label=ngettext("objection to decide", "objections to decide", count),
        count=count,
        url=reverse("placement_board"),
        tone="warning",
        icon="message-square",
        note=_("What is not decided goes back on the day on which its recall is final."),
    )


def holds_to_review(actor: Actor) -> Iterable[Item]:
    """Holds whose day of review has come."""
    today = clock.business_date(selectors.time_zone_of(actor))
    count = shown_holds(actor, today).filter(hold_state="to_review").count()
    yield Item(
        label=ngettext("hold to review", "holds to review", count),
        count=count,
        url=f"{reverse('holds')}?state=to_review",
        tone="warning",
        icon="pause",
        note=_("Release each, or leave it and say until when."),
    )


def recalls_to_object_to(actor: Actor) -> Iterable[Item]:
    """Loans that go back unless the agency says why it should keep them."""
    count = worklist.of(actor, worklist.Reason.RECALL).count()
    yield Item(
        label=ngettext("loan in an announced recall", "loans in announced recalls", count),
        count=count,
        url=f"{reverse('worklist')}?reason=recall",
        tone="warning",
        icon="undo-2",
        note=_("Object before they are final, if you have a reason to keep them."),
    )


def promises_due(actor: Actor) -> Iterable[Item]:
    """Promises for today or earlier after which nothing came."""
    count = worklist.of(actor, worklist.Reason.PROMISE).count()
    yield Item(
        label=ngettext("promise due or broken", "promises due or broken", count),
        count=count,
        url=f"{reverse('worklist')}?reason=promise",
        icon="handshake",
        note=_("Report what came in, or call."),
    )
