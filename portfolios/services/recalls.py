"""Recalls in two steps: announced with a notice, objected to, decided, final after N days.

`placements.recall` and `placements.recall_loans` take back at once and need none of this.
"""

import datetime
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, errors, ids, plans
from portfolios.models import (
    PlacedLoan,
    Placement,
    Recall,
    RecalledLoan,
)
from portfolios.selectors import (
    visible_placements,
    visible_recalls,
)
from portfolios.services import bulk, changes, objections, placements, rules

State = Recall.State
RECALLED = """
    insert into portfolios_recalledloan (
        id, institution_id, agency_id, placement_id, recall_id, spell_id, loan_id, is_kept)
    select given.id, s.institution_id, s.agency_id, s.placement_id, %(recall)s, s.id, s.loan_id,
        false
    from unnest(%(ids)s::uuid[], %(loans)s::uuid[]) as given (id, loan_id)
    join portfolios_placedloan s on s.loan_id = given.loan_id
    where s.placement_id = %(placement)s and s.closed_at is null
"""


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
        shown = objections.shown_by_data(actor, spells.order_by().values("pk"))
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
    reason = texts.reason(reason)
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
        _record_loans(recall, plan.loan_ids)
        _tell(actor, recall)
        objections.keep_what_data_show(actor, recall)
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


def _record_loans(recall: Recall, loan_ids: Sequence) -> None:
    """The open spells of these loans are in the recall."""
    given: dict[str, Any] = {
        "recall": recall.pk,
        "placement": recall.placement_id,
        "ids": ids.uuid7s(len(loan_ids)),
        "loans": list(loan_ids),
    }
    with plans.without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(RECALLED, given)


def _tell(actor: Actor, recall: Recall) -> None:
    due_on = business_day(actor, recall.final_at)
    if recall.is_whole:
        changes.record_placements(changes.Kind.RECALL_ANNOUNCED, [recall.placement], due_on=due_on)
    else:
        named = RecalledLoan.objects.filter(recall=recall).values("spell")
        spells = objections.open_spells(named)
        changes.record_loans(
            changes.Kind.RECALL_ANNOUNCED, spells, due_on=due_on, note=recall.reason
        )


def business_day(actor: Actor, moment: datetime.datetime) -> datetime.date:
    """The day of a moment in the institution's time zone."""
    return moment.astimezone(ZoneInfo(selectors.time_zone_of(actor))).date()


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
    reason = texts.reason(reason)
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


def withdraw(*, actor: Actor, recall_id, reason: str) -> Recall:
    """Give an announced recall up; the loans stay. Raises `InvalidState` when it is not pending."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    reason = texts.reason(reason)
    recall = selectors.find(visible_recalls(actor).select_related("placement"), pk=recall_id)
    with transaction.atomic():
        withdrawn = Recall.objects.filter(pk=recall.pk, state=State.PENDING).update(
            state=State.WITHDRAWN, settled_at=clock.now()
        )
        if not withdrawn:
            raise objections.not_pending()
        if recall.is_whole:
            changes.record_placements(changes.Kind.RECALL_WITHDRAWN, [recall.placement])
        else:
            rows = RecalledLoan.objects.filter(recall=recall).values("spell")
            changes.record_loans(
                changes.Kind.RECALL_WITHDRAWN, objections.open_spells(rows), note=reason
            )
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
    objections.accept_shown(actor=actor)
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
    spells = objections.open_spells(going.values("spell"))
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
