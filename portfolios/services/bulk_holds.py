"""Holds of many loans at once: what putting them on hold or releasing them would do, then that."""

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef

from agencies import policies, texts
from agencies.actors import Actor
from portfolios.models import Hold
from portfolios.selectors import visible_holds, visible_loans
from portfolios.services import bulk, holds


def preview(*, actor: Actor, references: Sequence[str], kind: str) -> bulk.Plan:
    """What putting these loans on a hold of this kind would take, and what it would skip."""
    policies.demand(actor, holds.MAY_HOLD)
    held = Hold.objects.filter(holds.OPEN, loan=OuterRef("pk"), kind=kind)
    rows = visible_loans(actor).annotate(is_left_out=Exists(held))
    return _plan(rows, references, "ALREADY_HELD")


def preview_release(*, actor: Actor, references: Sequence[str]) -> bulk.Plan:
    """What releasing every hold of these loans would take, and what it would skip."""
    policies.demand(actor, holds.MAY_HOLD)
    releasable = Hold.objects.filter(holds.OPEN, loan=OuterRef("pk")).exclude(holds.UNDECIDED)
    return _plan(
        visible_loans(actor).annotate(is_left_out=~Exists(releasable)), references, "NOT_HELD"
    )


def _plan(rows, references: Sequence[str], code: str) -> bulk.Plan:
    names = bulk.named(references)
    found = {loan.reference: loan for loan in rows.filter(reference__in=names)}
    skipped = [bulk.LeftOut(name, "UNKNOWN_LOAN") for name in names if name not in found]
    skipped += [bulk.LeftOut(name, code) for name, loan in found.items() if loan.is_left_out]
    taken = [loan for loan in found.values() if not loan.is_left_out]
    currencies = {loan.currency for loan in taken}
    return bulk.Plan(
        loan_ids=[loan.pk for loan in taken],
        balance_minor=sum(loan.balance_minor for loan in taken),
        currency=currencies.pop() if len(currencies) == 1 else "",
        skipped=skipped,
    )


def open_previewed(
    *,
    actor: Actor,
    references: Sequence[str],
    kind: str,
    reason: str,
    digest: str,
    review_on: datetime.date | None = None,
    expires_on: datetime.date | None = None,
) -> list[Hold]:
    """Carry out the plan that `preview` showed under this digest.

    Raises as `holds.open_many`, and `InvalidState`: `PLAN_CHANGED`, `NOTHING_TO_DO`.
    """
    policies.demand(actor, holds.MAY_HOLD)
    if kind == Hold.Reason.COMPLAINT:
        raise holds.unknown_kind()
    reason = texts.reason(reason)
    with transaction.atomic():
        holds.lock_loans(visible_loans(actor).filter(reference__in=bulk.named(references)))
        plan = preview(actor=actor, references=references, kind=kind)
        bulk.demand(plan, digest)
        return holds.open_many(
            actor=actor,
            loan_ids=plan.loan_ids,
            kind=kind,
            reason=reason,
            review_on=review_on,
            expires_on=expires_on,
        )


def release_previewed(*, actor: Actor, references: Sequence[str], reason: str, digest: str) -> int:
    """Carry out the plan that `preview_release` showed; answers how many holds were released.

    Raises `InvalidInput`, and `InvalidState`: `PLAN_CHANGED`, `NOTHING_TO_DO`.
    """
    policies.demand(actor, holds.MAY_HOLD)
    reason = texts.reason(reason)
    with transaction.atomic():
        holds.lock_loans(visible_loans(actor).filter(reference__in=bulk.named(references)))
        plan = preview_release(actor=actor, references=references)
        bulk.demand(plan, digest)
        mine = visible_holds(actor).filter(loan__in=plan.loan_ids).exclude(holds.UNDECIDED)
        reasons = dict.fromkeys(plan.loan_ids, reason)
        return len(holds.release_locked(actor, mine, reasons))
