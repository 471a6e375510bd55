"""What waits for an answer or a decision about conduct."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Min, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agencies import selectors
from agencies.actors import Actor
from config import clock
from frontend.templatetags import fairplace
from frontend.work.items import Item
from portfolios.models import Complaint, ComplaintIntake
from portfolios.selectors import (
    complaints_at,
    visible_complaints,
    visible_intakes,
)

SOON_DAYS = 3


def complaints_to_answer(actor: Actor) -> Iterable[Item]:
    """Complaints about the agency that it has not answered."""
    rows = complaints_at(visible_complaints(actor), "to_answer", _today(actor))
    count = rows.count()
    yield Item(
        label=ngettext("complaint to answer", "complaints to answer", count),
        count=count,
        url=f"{reverse('complaints')}?state=to_answer",
        icon="message-square-warning",
        **_first_due(rows, actor),
    )


def complaints_to_decide(actor: Actor) -> Iterable[Item]:
    """Complaints that wait for a decision, and those that are late with or without an answer."""
    today = _today(actor)
    rows = visible_complaints(actor)
    late = complaints_at(rows, "overdue", today)
    to_decide = complaints_at(rows, "to_decide", today).exclude(due_on__lt=today)
    for found, stage, label in (
        (late, "overdue", ngettext("complaint overdue", "complaints overdue", late.count())),
        (
            to_decide,
            "to_decide",
            ngettext("complaint to decide", "complaints to decide", to_decide.count()),
        ),
    ):
        yield Item(
            label=label,
            count=found.count(),
            url=f"{reverse('complaints')}?state={stage}",
            icon="message-square-warning",
            **_first_due(found, actor),
        )


def intakes_waiting(actor: Actor) -> Iterable[Item]:
    """What people left in the public form and nobody has read to its end."""
    count = visible_intakes(actor).filter(state=ComplaintIntake.State.RECEIVED).count()
    yield Item(
        label=ngettext("message from the public form", "messages from the public form", count),
        count=count,
        url=f"{reverse('intakes')}?state=received",
        icon="inbox",
        note=_("Open each as a complaint, or dismiss it with a reason."),
    )


def _first_due(rows: QuerySet[Complaint], actor: Actor) -> dict:
    """The note and tone of an item: when the first of these complaints is due."""
    due_on = rows.aggregate(first=Min("due_on"))["first"]
    if due_on is None:
        return {}
    left = (due_on - _today(actor)).days
    tone = "danger" if left < 0 else "warning" if left <= SOON_DAYS else "accent"
    note = _("The first was due on %(day)s.") if left < 0 else _("The first is due on %(day)s.")
    return {"tone": tone, "note": note % {"day": fairplace.day_text(due_on)}}


def _today(actor: Actor) -> date:
    return clock.business_date(selectors.time_zone_of(actor))
