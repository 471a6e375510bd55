"""An agency's worklist: loans that wait for it, each list with the day by which."""

import datetime

from django.db.models import (
    DateField,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    QuerySet,
    Subquery,
    TextChoices,
)
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.utils.translation import gettext_lazy as _

from agencies.actors import Actor
from config import clock
from portfolios.models import PlacementChange, Recall
from portfolios.selectors import (
    visible_changes,
    visible_contacts,
    visible_loans,
    visible_objections,
    visible_promises,
    visible_recalled_loans,
    visible_recoveries,
    visible_spells,
)


class Reason(TextChoices):
    """Why a loan is on the list."""

    PROMISE = "promise", _("Promise due or broken")
    RECALL = "recall", _("Recall to object to")
    HOLD = "hold", _("Hold to be reviewed")
    UNTOUCHED = "untouched", _("No contact for too long")


def of(actor: Actor, reason: str) -> QuerySet:
    """The agency's loans that wait for this reason, with `due_on`, the most urgent first.

    `promise`: promised for today or earlier, and nothing came since the promise. `recall`: in an
    announced recall, nothing objected. `hold`: on hold, to be reviewed by the bank on that day.
    `untouched`: not on hold, and no contact for as many days as the placement says.
    """
    lists = {
        Reason.PROMISE: _promised,
        Reason.RECALL: _recalled,
        Reason.HOLD: _held,
        Reason.UNTOUCHED: _untouched,
    }
    found = lists[Reason(reason)](actor, clock.business_date("UTC"))
    return found.select_related("placement", "institution").order_by("due_on", "reference")


def _promised(actor: Actor, today: datetime.date) -> QuerySet:
    paid = visible_recoveries(actor).filter(
        spell=OuterRef("spell"), value_on__gte=OuterRef("made_on")
    )
    promises = visible_promises(actor).annotate(made_on=TruncDate("logged_at"))
    waiting = promises.filter(loan=OuterRef("pk"), due_on__lte=today)
    newest = waiting.exclude(Exists(paid)).order_by("-due_on").values("due_on")[:1]
    return visible_loans(actor).annotate(due_on=Subquery(newest)).filter(due_on__isnull=False)


def _recalled(actor: Actor, today: datetime.date) -> QuerySet:
    pending = visible_recalled_loans(actor).filter(
        loan=OuterRef("pk"), is_kept=False, recall__state=Recall.State.PENDING
    )
    objected = visible_objections(actor).filter(recalled_loan=OuterRef("pk"))
    first = (
        pending.exclude(Exists(objected))
        .order_by("recall__final_at")
        .values(day=TruncDate("recall__final_at"))[:1]
    )
    return visible_loans(actor).annotate(due_on=Subquery(first)).filter(due_on__isnull=False)


def _held(actor: Actor, today: datetime.date) -> QuerySet:
    told = visible_changes(actor).filter(
        loan=OuterRef("pk"), kind=PlacementChange.Kind.HELD, due_on__isnull=False
    )
    last = told.order_by("-at", "-pk").values("due_on")[:1]
    held = visible_loans(actor).filter(is_on_hold=True)
    return held.annotate(due_on=Subquery(last)).filter(due_on__isnull=False)


def _untouched(actor: Actor, today: datetime.date) -> QuerySet:
    of_loan = {"loan": OuterRef("pk")}
    contacts = visible_contacts(actor).filter(**of_loan).order_by().values("loan")
    spells = visible_spells(actor).filter(**of_loan).order_by().values("loan")
    since = Coalesce(
        Subquery(contacts.annotate(at=Max("happened_at")).values("at")),
        Subquery(spells.annotate(at=Max("opened_at")).values("at")),
        output_field=DateTimeField(),
    )
    due_on = ExpressionWrapper(
        Cast(since, DateField()) + F("placement__untouched_days"), output_field=DateField()
    )
    resting = visible_loans(actor).filter(is_on_hold=False)
    return resting.annotate(due_on=due_on).filter(due_on__lte=today)
