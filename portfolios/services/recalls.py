"""Recalls in two steps: announced with a notice, objected to, decided, final after N days.

`placements.recall` and `placements.recall_loans` take back at once and need none of this.
"""

import datetime
from collections.abc import Collection, Iterable, Sequence
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from config import clock, dberrors, errors
from portfolios.models import (
    Objection,
    PlacedLoan,
    Placement,
    Promise,
    Recall,
    RecalledLoan,
    Recovery,
)
from portfolios.selectors import (
    visible_objections,
    visible_placements,
    visible_recalled_loans,
    visible_recalls,
    with_reversed,
)
from portfolios.services import bulk, changes, placements, rules, work

BATCH = 2000
SHOWN_BY_DATA = {
    "PROMISE_OPEN": Objection.Kind.PROMISE_OPEN,
    "RECENT_PAYMENT": Objection.Kind.RECENT_PAYMENT,
}
"""The reasons that the portal's own data show, by their code in a plan."""

State = Recall.State


def preview(
    *,
    actor: Actor,
    placement_id,
    references: Sequence[str] | None = None,
    is_immediate: bool = False,
) -> bulk.Plan:
    """What a recall of a placement, or of the loans named, would take, skip and let stay.

    Announced ones let a loan stay where a promise is open or a payment came in lately; what is
    recalled immediately goes, whatever is announced about it.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    placement = selectors.find(visible_placements(actor), pk=placement_id)
    return _plan(actor, placement, references, is_immediate)


def _plan(
    actor: Actor, placement: Placement, references: Sequence[str] | None, is_immediate: bool
) -> bulk.Plan:
    spells = _open_spells(placement).annotate(is_pending=Exists(_pending()))
    skipped = []
    if references is not None:
        names = bulk.named(references)
        spells = spells.filter(loan__reference__in=names)
    rows = list(spells.values_list("pk", "loan", "loan__reference", "balance_minor", "is_pending"))
    if references is not None:
        found = {reference for _pk, _loan, reference, _minor, _pending in rows}
        skipped = [bulk.LeftOut(name, "NOT_IN_PLACEMENT") for name in names if name not in found]
    kept: list[bulk.LeftOut] = []
    if not is_immediate:
        skipped += [bulk.LeftOut(row[2], "RECALL_PENDING") for row in rows if row[4]]
        rows = [row for row in rows if not row[4]]
        shown = shown_by_data(actor, [row[0] for row in rows])
        kept = [bulk.LeftOut(row[2], shown[row[0]]) for row in rows if row[0] in shown]
    return bulk.Plan(
        loan_ids=[row[1] for row in rows],
        balance_minor=sum(row[3] for row in rows),
        currency=placement.currency,
        skipped=skipped,
        kept=kept,
    )


def _open_spells(placement: Placement) -> QuerySet[PlacedLoan]:
    return PlacedLoan.objects.filter(placement=placement, closed_at__isnull=True).order_by("pk")


def _pending() -> QuerySet[RecalledLoan]:
    """Rows of pending recalls about the spell of an outer query."""
    return RecalledLoan.objects.filter(spell=OuterRef("pk"), recall__state=State.PENDING)


def shown_by_data(actor: Actor, spell_ids: Collection) -> dict:
    """Spell → code of why its loan should stay, where the portal's own data show it."""
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


def announce(
    *,
    actor: Actor,
    placement_id,
    reason: str,
    digest: str,
    references: Sequence[str] | None = None,
    notice_days: int | None = None,
) -> Recall:
    """Announce what will be taken back when the notice is over; the plan that `preview` showed.

    `notice_days` defaults to the institution's. Loans that the data show reason to keep get an
    accepted objection at once. Raises `NotFound`; `InvalidInput`: `REQUIRED`, `OUT_OF_RANGE`;
    `InvalidState`: `NOT_LIVE`, `PLAN_CHANGED`, `NOTHING_TO_DO`.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    reason = work.checked_text(reason, field="reason", required=True)
    days = rules.current(actor=actor).recall_notice_days if notice_days is None else notice_days
    if not 1 <= days <= 365:
        raise errors.InvalidInput(
            "OUT_OF_RANGE", _("The notice is between 1 and 365 days."), field="notice_days"
        )
    placement = selectors.find(visible_placements(actor), pk=placement_id)
    with transaction.atomic():
        _demand_live(placements.lock(placement))
        plan = _plan(actor, placement, references, False)
        bulk.demand(plan, digest)
        moment = clock.now()
        recall = Recall.objects.create(
            institution_id=placement.institution_id,
            agency_id=placement.agency_id,
            placement=placement,
            reason=reason,
            is_whole=references is None,
            loan_count=plan.loan_count,
            balance_minor=plan.balance_minor,
            announced_at=moment,
            final_at=moment + datetime.timedelta(days=days),
        )
        spells = list(_open_spells(placement).filter(loan__in=plan.loan_ids).select_related("loan"))
        rows = _rows(recall, spells)
        _tell(actor, recall, spells)
        _keep_what_data_show(actor, rows)
        audit.record(
            actor,
            "recall.announce",
            recall,
            reason=reason,
            changes={"loans": plan.loan_count, "kept": len(plan.kept), "notice_days": days},
            agency_id=recall.agency_id,
            placement_id=placement.pk,
        )
    return recall


def _rows(recall: Recall, spells: Iterable[PlacedLoan]) -> list[RecalledLoan]:
    return RecalledLoan.objects.bulk_create(
        [
            RecalledLoan(
                institution_id=recall.institution_id,
                agency_id=recall.agency_id,
                placement_id=recall.placement_id,
                recall=recall,
                spell=spell,
                loan=spell.loan,
            )
            for spell in spells
        ],
        batch_size=BATCH,
    )


def _tell(actor: Actor, recall: Recall, spells: list[PlacedLoan]) -> None:
    due_on = business_day(actor, recall.final_at)
    if recall.is_whole:
        changes.record_placements(changes.Kind.RECALL_ANNOUNCED, [recall.placement], due_on=due_on)
    else:
        changes.record_loans(
            changes.Kind.RECALL_ANNOUNCED, spells, due_on=due_on, note=recall.reason
        )


def business_day(actor: Actor, moment: datetime.datetime) -> datetime.date:
    """The day of a moment in the institution's time zone."""
    return moment.astimezone(ZoneInfo(selectors.time_zone_of(actor))).date()


def _keep_what_data_show(actor: Actor, rows: list[RecalledLoan]) -> None:
    shown = shown_by_data(actor, [row.spell_id for row in rows])
    moment = clock.now()
    kept = [row for row in rows if row.spell_id in shown]
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
        changes.record_loans(changes.Kind.OBJECTION_ACCEPTED, _spells(some), detail=kind)


def _spells(spell_ids: Iterable) -> list[PlacedLoan]:
    found = PlacedLoan.objects.filter(pk__in=spell_ids, closed_at__isnull=True)
    return list(found.select_related("loan").order_by("pk"))


def _demand_live(placement: Placement) -> None:
    if placement.state != Placement.State.LIVE:
        raise errors.InvalidState("NOT_LIVE", _("This placement has ended already."))


def recall_now(
    *,
    actor: Actor,
    placement_id,
    reason: str,
    digest: str,
    references: Sequence[str] | None = None,
) -> int:
    """Take back at once what `preview` showed as an immediate recall; answers how many loans.

    Raises as `announce`.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    reason = work.checked_text(reason, field="reason", required=True)
    placement = selectors.find(visible_placements(actor), pk=placement_id)
    with transaction.atomic():
        _demand_live(placements.lock(placement))
        plan = _plan(actor, placement, references, True)
        bulk.demand(plan, digest)
        if references is None:
            placements.recall(actor=actor, placement_id=placement_id, reason=reason)
        else:
            placements.recall_loans(
                actor=actor,
                placement_id=placement_id,
                loan_ids=list(plan.loan_ids),
                reason=reason,
            )
    return plan.loan_count


def object_to(
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
    note = work.checked_text(note, field="note")
    names = bulk.named(references)
    recall = selectors.find(visible_recalls(actor), pk=recall_id)
    with dberrors.translated(), transaction.atomic():
        moment = clock.now()
        if recall.state != State.PENDING or recall.final_at <= moment:
            raise _not_pending()
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


def _not_pending() -> errors.InvalidState:
    return errors.InvalidState("NOT_PENDING", _("This recall is final or withdrawn."))


def decide(*, actor: Actor, objection_ids: Iterable, accept: bool, reason: str) -> int:
    """Accept objections, and the loans stay, or refuse them; answers how many.

    Also what was accepted automatically can still be refused. Raises `NotFound`; `InvalidInput`:
    `REQUIRED`; `InvalidState`: `NOT_PENDING`, `DECIDED`.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    reason = work.checked_text(reason, field="reason", required=True)
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
    if any(recall.state != State.PENDING for recall in list(locked)):
        raise _not_pending()


def _apply(actor: Actor, rows: list[Objection], accept: bool, reason: str) -> None:
    """What a decision about objections means for the loans, the feed and the trail."""
    loans = [row.recalled_loan for row in rows]
    if accept:
        _keep(loans, {row.spell_id: row.kind for row in rows})
    else:
        RecalledLoan.objects.filter(pk__in=[loan.pk for loan in loans]).update(is_kept=False)
        changes.record_loans(
            changes.Kind.OBJECTION_REFUSED, _spells([row.spell_id for row in rows]), note=reason
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
            recalled_loan__recall__state=State.PENDING,
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


def withdraw(*, actor: Actor, recall_id, reason: str) -> Recall:
    """Give an announced recall up; the loans stay. Raises `InvalidState` when it is not pending."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    reason = work.checked_text(reason, field="reason", required=True)
    recall = selectors.find(visible_recalls(actor).select_related("placement"), pk=recall_id)
    with transaction.atomic():
        withdrawn = Recall.objects.filter(pk=recall.pk, state=State.PENDING).update(
            state=State.WITHDRAWN, settled_at=clock.now()
        )
        if not withdrawn:
            raise _not_pending()
        if recall.is_whole:
            changes.record_placements(changes.Kind.RECALL_WITHDRAWN, [recall.placement])
        else:
            rows = RecalledLoan.objects.filter(recall=recall).values("spell")
            changes.record_loans(changes.Kind.RECALL_WITHDRAWN, _spells(rows), note=reason)
        audit.record(
            actor,
            "recall.withdraw",
            recall,
            reason=reason,
            agency_id=recall.agency_id,
            placement_id=recall.placement_id,
        )
    recall.refresh_from_db()
    return recall


def finalise_due(*, actor: Actor) -> int:
    """Take back what is due; answers how many recalls became final. Safe at any time.

    Loans without an accepted objection go. A recall of the whole placement that keeps none ends
    the placement.
    """
    policies.demand(actor, policies.SWEEPS)
    accept_shown(actor=actor)
    due = visible_recalls(actor).filter(state=State.PENDING, final_at__lte=clock.Now())
    finalised = 0
    for recall in due.select_related("placement").order_by("pk"):
        with transaction.atomic():
            finalised += _finalise(actor, recall)
    return finalised


def _finalise(actor: Actor, recall: Recall) -> bool:
    placement = placements.lock(recall.placement)
    settled = Recall.objects.filter(pk=recall.pk, state=State.PENDING).update(
        state=State.FINAL, settled_at=clock.now()
    )
    if not settled:
        return False
    going = RecalledLoan.objects.filter(recall=recall, is_kept=False)
    spells = _spells(going.values("spell"))
    left = _open_spells(placement).exclude(pk__in=[spell.pk for spell in spells])
    if placement.state == Placement.State.LIVE and recall.is_whole and not left.exists():
        placements.end(actor, placement, Placement.State.RECALLED, "recalled", recall.reason)
    elif spells:
        placements.take_back(actor, placement, spells, recall.reason)
    audit.record(
        actor,
        "recall.finalise",
        recall,
        changes={"loans": len(spells)},
        placement_id=placement.pk,
        agency_id=recall.agency_id,
    )
    return True
