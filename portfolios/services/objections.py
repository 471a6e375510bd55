"""Objections: why an agency should keep loans that are being recalled, and what is decided."""

import datetime
from collections.abc import Collection, Iterable, Sequence

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, dberrors, errors
from portfolios.models import Objection, PlacedLoan, Promise, Recall, RecalledLoan, Recovery
from portfolios.selectors import (
    visible_objections,
    visible_recalled_loans,
    visible_recalls,
    with_reversed,
)
from portfolios.services import bulk, changes, rules

BATCH = 2000
SHOWN_BY_DATA = {
    "PROMISE_OPEN": Objection.Kind.PROMISE_OPEN,
    "RECENT_PAYMENT": Objection.Kind.RECENT_PAYMENT,
}
"""The reasons that the portal's own data show, by their code in a plan."""


def shown_by_data(actor: Actor, spell_ids: Collection | QuerySet) -> dict:
    """Spell → code of why its loan should stay, where the portal's own data show it.

    Of thousands of spells give a query: it stays in the database.
    """
    spells = PlacedLoan.objects.filter(pk__in=spell_ids)
    today = clock.business_date(selectors.time_zone_of(actor))
    since = today - datetime.timedelta(days=rules.current(actor=actor).recent_payment_days)
    lately = Recovery.objects.filter(spell=OuterRef("pk"), value_on__gte=since)
    paid: QuerySet = with_reversed(lately)
    promised = Promise.objects.filter(spell=OuterRef("pk"), due_on__gte=today)
    found: dict = {}
    for code, rows in (
        ("RECENT_PAYMENT", paid.filter(reversed_minor__lt=F("amount_minor"))),
        ("PROMISE_OPEN", promised),
    ):
        found |= dict.fromkeys(spells.filter(Exists(rows)).values_list("pk", flat=True), code)
    return found


def submit(
    *, actor: Actor, recall_id, kind: str, note: str = "", references: Sequence[str] = ()
) -> int:
    """An agency says why it should keep loans of a recall that is not final; answers how many.

    One objection for each loan. What the portal's own data show is accepted by a sweep, the rest
    waits for the bank. Raises `NotFound`; `InvalidInput`: `UNKNOWN_CHOICE`, `REQUIRED`,
    `TOO_MANY`, `TOO_LONG`, `CARD_NUMBER`, `NOT_IN_RECALL`; `InvalidState`: `NOT_PENDING`,
    `OBJECTED`.
    """
    policies.demand(actor, policies.AGENCY_WORKERS)
    if kind not in Objection.Kind.values:
        raise errors.InvalidInput("UNKNOWN_CHOICE", _("Choose one of the list."), field="kind")
    note = texts.checked(note, field="note", shortest=0)
    names = bulk.named(references)
    recall = selectors.find(visible_recalls(actor), pk=recall_id)
    with dberrors.translated(), transaction.atomic():
        moment = clock.now()
        if recall.state != Recall.State.PENDING or recall.final_at <= moment:
            raise not_pending()
        found = visible_recalled_loans(actor).filter(recall=recall, loan__reference__in=names)
        rows = list(found.select_related("objection").order_by("pk"))
        if len(rows) != len(names):
            raise errors.InvalidInput(
                "NOT_IN_RECALL",
                _("Some of these loans are not in this recall."),
                field="references",
            )
        if any(hasattr(row, "objection") for row in rows):
            raise errors.InvalidState(
                "OBJECTED", _("There is an objection for one of these loans already.")
            )
        made = [
            Objection(
                institution_id=row.institution_id,
                agency_id=row.agency_id,
                placement_id=row.placement_id,
                recalled_loan=row,
                spell_id=row.spell_id,
                loan_id=row.loan_id,
                kind=kind,
                note=note,
                made_at=moment,
                made_by=actor.label,
            )
            for row in rows
        ]
        Objection.objects.bulk_create(made, batch_size=BATCH)
        audit.record_many(
            [
                audit.entry(
                    actor,
                    "recall.object",
                    objection,
                    changes={"kind": kind},
                    placement_id=objection.placement_id,
                    at=moment,
                )
                for objection in made
            ]
        )
    return len(made)


def not_pending() -> errors.InvalidState:
    """The refusal for a recall that is settled."""
    return errors.InvalidState("NOT_PENDING", _("This recall is final or withdrawn."))


def may_be_decided(objection: Objection) -> bool:
    """Whether the bank still has a word in it: it is open, or only the portal has accepted it.

    With its `recalled_loan` and `recall`.
    """
    if objection.recalled_loan.recall.state != Recall.State.PENDING:
        return False
    by_portal = objection.is_automatic and objection.state == Objection.State.ACCEPTED
    return by_portal or objection.state == Objection.State.OPEN


def decide(*, actor: Actor, objection_ids: Iterable, accept: bool, reason: str) -> int:
    """Accept objections, and the loans stay, or refuse them; answers how many.

    Also what was accepted automatically can still be refused. Raises `NotFound`; `InvalidInput`:
    `REQUIRED`; `InvalidState`: `NOT_PENDING`, `DECIDED`.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    reason = texts.reason(reason)
    wanted = set(objection_ids)
    with transaction.atomic():
        found = visible_objections(actor).filter(pk__in=wanted)
        rows = list(found.select_related("recalled_loan__recall").order_by("pk"))
        if not wanted or len(rows) != len(wanted):
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
        _lock_pending({row.recalled_loan.recall_id for row in rows})
        undecided = Q(state=Objection.State.OPEN)
        if not accept:
            undecided |= Q(state=Objection.State.ACCEPTED, is_automatic=True)
        decided = Objection.objects.filter(undecided, pk__in=wanted).update(
            state=Objection.State.ACCEPTED if accept else Objection.State.REFUSED,
            decided_at=clock.now(),
            decision_reason=reason,
        )
        if decided != len(rows):
            raise errors.InvalidState("DECIDED", _("This has been decided already."))
        _apply(actor, rows, accept, reason)
    return len(rows)


def _lock_pending(recall_ids: Collection) -> None:
    locked = Recall.objects.select_for_update().filter(pk__in=recall_ids).order_by("pk")
    if any(recall.state != Recall.State.PENDING for recall in list(locked)):
        raise not_pending()


def _apply(actor: Actor, rows: list[Objection], accept: bool, reason: str) -> None:
    """What a decision about objections means for the loans, the feed and the trail."""
    loans = [row.recalled_loan for row in rows]
    if accept:
        _keep(loans, {row.spell_id: row.kind for row in rows})
    else:
        RecalledLoan.objects.filter(pk__in=[loan.pk for loan in loans]).update(is_kept=False)
        changes.record_loans(
            changes.Kind.OBJECTION_REFUSED, open_spells([row.spell_id for row in rows]), note=reason
        )
    moment = clock.now()
    audit.record_many(
        [
            audit.entry(
                actor,
                "recall.accept_objection" if accept else "recall.refuse_objection",
                row,
                reason=reason,
                agency_id=row.agency_id,
                placement_id=row.placement_id,
                at=moment,
            )
            for row in rows
        ]
    )


def accept_shown(*, actor: Actor) -> int:
    """Accept what agencies object and the portal's own data show; answers how many."""
    policies.demand(actor, policies.SWEEPS)
    with transaction.atomic():
        waiting = visible_objections(actor).filter(
            state=Objection.State.OPEN,
            kind__in=SHOWN_BY_DATA.values(),
            recalled_loan__recall__state=Recall.State.PENDING,
        )
        rows = list(waiting.select_related("recalled_loan").select_for_update(of=("self",)))
        shown = shown_by_data(actor, [row.spell_id for row in rows])
        rows = [row for row in rows if SHOWN_BY_DATA.get(shown.get(row.spell_id, "")) == row.kind]
        reason = gettext("The portal's own data show it.")
        Objection.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=Objection.State.ACCEPTED,
            is_automatic=True,
            decided_at=clock.now(),
            decision_reason=reason,
        )
        _apply(actor, rows, True, reason)
    return len(rows)


def keep_what_data_show(actor: Actor, recall: Recall) -> None:
    """Accepted objections, made by the portal, for loans that its own data show reason to keep."""
    rows = RecalledLoan.objects.filter(recall=recall)
    shown = shown_by_data(actor, rows.values("spell"))
    moment = clock.now()
    kept = list(rows.filter(spell__in=list(shown)).order_by("pk"))
    Objection.objects.bulk_create(
        [
            Objection(
                institution_id=row.institution_id,
                agency_id=row.agency_id,
                placement_id=row.placement_id,
                recalled_loan=row,
                spell_id=row.spell_id,
                loan_id=row.loan_id,
                kind=SHOWN_BY_DATA[shown[row.spell_id]],
                is_automatic=True,
                state=Objection.State.ACCEPTED,
                made_at=moment,
                made_by=actor.label,
                decided_at=moment,
                decision_reason=gettext("The portal's own data show it."),
            )
            for row in kept
        ],
        batch_size=BATCH,
    )
    _keep(kept, {row.spell_id: SHOWN_BY_DATA[shown[row.spell_id]] for row in kept})


def _keep(rows: list[RecalledLoan], kinds: dict) -> None:
    """Let these loans stay with the agency, and tell it; `kinds` maps spells to reasons."""
    RecalledLoan.objects.filter(pk__in=[row.pk for row in rows]).update(is_kept=True)
    for kind in sorted(set(kinds.values())):
        some = [row.spell_id for row in rows if kinds[row.spell_id] == kind]
        changes.record_loans(changes.Kind.OBJECTION_ACCEPTED, open_spells(some), detail=kind)


def open_spells(spell_ids: Iterable) -> list[PlacedLoan]:
    """Those of the spells that are open, with their `loan`."""
    found = PlacedLoan.objects.filter(pk__in=spell_ids, closed_at__isnull=True)
    return list(found.select_related("loan").order_by("pk"))
