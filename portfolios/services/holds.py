"""Holds: collection of a loan paused, with a reason, and released with one."""

import datetime
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, errors
from portfolios.models import Complaint, Hold, Loan
from portfolios.selectors import visible_holds, visible_loans
from portfolios.services import bulk, changes

MAY_HOLD = policies.COMPLIANCE_OFFICERS | policies.VENDOR_MANAGERS
MAY_SWEEP = policies.SWEEPS
BATCH = 2000

OPEN = Q(released_at__isnull=True)
UNDECIDED = Q(complaint__isnull=False) & ~Q(complaint__state=Complaint.State.DECIDED)


def open_hold(
    *,
    actor: Actor,
    loan_id,
    kind: str,
    reason: str,
    review_on: datetime.date | None = None,
    expires_on: datetime.date | None = None,
    complaint: Complaint | None = None,
) -> Hold:
    """Pause the collection of one loan; whoever holds it sees that, and contacts are flagged.

    `complaint` only with the kind of that name, and then it ends the hold. Raises as `open_many`.
    """
    if (kind == Hold.Reason.COMPLAINT) != bool(complaint):
        raise _unknown_kind()
    (hold,) = open_many(
        actor=actor,
        loan_ids=[loan_id],
        kind=kind,
        reason=reason,
        review_on=review_on,
        expires_on=expires_on,
        complaint=complaint,
    )
    return hold


def open_many(
    *,
    actor: Actor,
    loan_ids: Iterable,
    kind: str,
    reason: str,
    review_on: datetime.date | None = None,
    expires_on: datetime.date | None = None,
    complaint: Complaint | None = None,
    skips_held: bool = False,
) -> list[Hold]:
    """Pause the collection of loans for one reason, all of them or none; the holders are told.

    `kind` is a value of `Hold.Reason`; `review_on` and `expires_on` lie in the future. With
    `skips_held` loans on hold for this very kind stay as they are: a file may say it every day.
    Raises `NotFound` where one of the loans is not there; `InvalidInput`: `UNKNOWN_CHOICE`,
    `REQUIRED`, `IN_THE_PAST`.
    """
    policies.demand(actor, MAY_HOLD)
    _check_kind(kind)
    reason = texts.reason(reason)
    _check_days(actor, review_on, expires_on)
    wanted = set(loan_ids)
    with transaction.atomic():
        if skips_held:
            _locked(visible_loans(actor).filter(pk__in=wanted))
            held = Hold.objects.filter(OPEN, loan__in=wanted, kind=kind)
            wanted -= set(held.values_list("loan", flat=True))
        return _open(
            actor,
            wanted,
            kind=kind,
            reason=reason,
            review_on=review_on,
            expires_on=expires_on,
            complaint=complaint,
        )


def open_automatic(*, actor: Actor, loan_ids: Iterable, kind: str, reason: str) -> list[Hold]:
    """Holds of the eligibility test, whose own permission covers them; one a loan and kind."""
    wanted = set(loan_ids)
    with transaction.atomic():
        _locked(Loan.objects.filter(pk__in=wanted))
        mine = Hold.objects.filter(OPEN, loan__in=wanted, kind=kind, is_automatic=True)
        wanted -= set(mine.values_list("loan", flat=True))
        return _open(actor, wanted, kind=kind, reason=reason, is_automatic=True)


def _open(actor: Actor, wanted: set, *, kind: str, reason: str, **given) -> list[Hold]:
    with transaction.atomic():
        loans = _locked(visible_loans(actor).filter(pk__in=wanted))
        if len(loans) != len(wanted):
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
        moment = clock.now()
        opened = [
            Hold(
                institution_id=loan.institution_id,
                loan=loan,
                kind=kind,
                reason=reason,
                opened_at=moment,
                **given,
            )
            for loan in loans
        ]
        Hold.objects.bulk_create(opened, batch_size=BATCH)
        Loan.objects.filter(pk__in=wanted).update(is_on_hold=True)
        changes.record_loans(
            changes.Kind.HELD,
            changes.holders(wanted),
            detail=kind,
            note=reason,
            due_on=given.get("review_on"),
        )
        days = {name: given.get(name) for name in ("review_on", "expires_on")}
        told = {"kind": kind} | {name: day.isoformat() for name, day in days.items() if day}
        _audit(actor, "loan.hold", loans, reason, told)
    return opened


def _check_kind(kind: str) -> None:
    if kind not in Hold.Reason.values:
        raise _unknown_kind()


def _check_days(actor: Actor, review_on, expires_on) -> None:
    today = clock.business_date(selectors.time_zone_of(actor))
    for field, day in (("review_on", review_on), ("expires_on", expires_on)):
        if day is not None and day <= today:
            raise errors.InvalidInput(
                "IN_THE_PAST", _("This day must lie in the future."), field=field
            )


def _unknown_kind() -> errors.InvalidInput:
    return errors.InvalidInput("UNKNOWN_CHOICE", _("Choose one of the reasons."), field="kind")


def _locked(loans: QuerySet[Loan]) -> list[Loan]:
    """The loans in the order in which everybody locks them."""
    return list(loans.select_for_update().order_by("pk"))


def _audit(actor: Actor, action: str, loans: Iterable[Loan], reason: str, told: dict) -> None:
    moment = clock.now()
    audit.record_many(
        [
            audit.entry(
                actor,
                action,
                loan,
                reason=reason,
                changes=told,
                agency_id=loan.agency_id,
                placement_id=loan.placement_id,
                at=moment,
            )
            for loan in loans
        ]
    )


def release(*, actor: Actor, hold_id, reason: str) -> Hold:
    """End one hold; collection goes on when no other is open on the loan.

    Raises `InvalidState` when it was released already, or while its complaint is undecided.
    """
    policies.demand(actor, MAY_HOLD)
    reason = texts.reason(reason)
    hold = selectors.find(visible_holds(actor), pk=hold_id)
    with transaction.atomic():
        _locked(Loan.objects.filter(pk=hold.loan_id))
        if Hold.objects.filter(UNDECIDED, pk=hold.pk).exists():
            raise errors.InvalidState(
                "COMPLAINT_OPEN", _("This hold ends when the complaint is decided.")
            )
        if not _release(actor, Hold.objects.filter(pk=hold.pk), reason):
            raise errors.InvalidState("NOT_OPEN", _("This hold has been released already."))
    hold.refresh_from_db()
    return hold


def _release(actor: Actor, holds: QuerySet[Hold], reason: str) -> int:
    """Release those of `holds` that are open; answers how many. Their loans are locked."""
    ended = list(holds.filter(OPEN).values_list("pk", "loan_id", "kind"))
    loan_ids = {loan_id for _pk, loan_id, _kind in ended}
    Hold.objects.filter(pk__in=[pk for pk, _loan, _kind in ended]).update(
        released_at=clock.now(), release_reason=reason
    )
    still = Hold.objects.filter(OPEN, loan=OuterRef("pk"))
    Loan.objects.filter(pk__in=loan_ids).update(is_on_hold=Exists(still))
    loans = {loan.pk: loan for loan in Loan.objects.filter(pk__in=loan_ids).order_by("pk")}
    free = [pk for pk, loan in loans.items() if not loan.is_on_hold]
    changes.record_loans(changes.Kind.RELEASED, changes.holders(free), note=reason)
    for is_on_hold in (False, True):
        some = [loan for loan in loans.values() if loan.is_on_hold is is_on_hold]
        _audit(actor, "loan.release", some, reason, {"is_on_hold": is_on_hold})
    return len(ended)


def release_many(*, actor: Actor, loan_ids: Iterable, kind: str, reason: str) -> int:
    """Release the open holds of one kind on these loans; answers how many there were.

    Holds of undecided complaints stay. Raises `NotFound` where one of the loans is not there;
    `InvalidInput`: `UNKNOWN_CHOICE`, `REQUIRED`.
    """
    policies.demand(actor, MAY_HOLD)
    _check_kind(kind)
    reason = texts.reason(reason)
    wanted = set(loan_ids)
    with transaction.atomic():
        if len(_locked(visible_loans(actor).filter(pk__in=wanted))) != len(wanted):
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
        mine = visible_holds(actor).filter(loan__in=wanted, kind=kind).exclude(UNDECIDED)
        return _release(actor, mine, reason)


def release_expired(*, actor: Actor) -> int:
    """Release the holds whose last day is over; answers how many. Safe at any time."""
    policies.demand(actor, MAY_SWEEP)
    today = clock.business_date(selectors.time_zone_of(actor))
    over = visible_holds(actor).filter(OPEN, expires_on__lte=today).exclude(UNDECIDED)
    with transaction.atomic():
        _locked(Loan.objects.filter(pk__in=over.values("loan")))
        return _release(actor, over, gettext("Its last day is over."))


def release_automatic(*, actor: Actor, holds: QuerySet[Hold]) -> int:
    """Release holds of the eligibility test whose cause is gone."""
    with transaction.atomic():
        _locked(Loan.objects.filter(pk__in=holds.values("loan")))
        return _release(actor, holds, gettext("Its cause is gone."))


def preview(*, actor: Actor, references: Sequence[str], kind: str) -> bulk.Plan:
    """What putting these loans on a hold of this kind would take, and what it would skip."""
    policies.demand(actor, MAY_HOLD)
    held = Hold.objects.filter(OPEN, loan=OuterRef("pk"), kind=kind)
    rows = visible_loans(actor).annotate(is_left_out=Exists(held))
    return _plan(rows, references, "ALREADY_HELD")


def preview_release(*, actor: Actor, references: Sequence[str]) -> bulk.Plan:
    """What releasing every hold of these loans would take, and what it would skip."""
    policies.demand(actor, MAY_HOLD)
    releasable = Hold.objects.filter(OPEN, loan=OuterRef("pk")).exclude(UNDECIDED)
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


def hold_previewed(
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

    Raises as `open_many`, and `InvalidState`: `PLAN_CHANGED`, `NOTHING_TO_DO`.
    """
    policies.demand(actor, MAY_HOLD)
    if kind == Hold.Reason.COMPLAINT:
        raise _unknown_kind()
    reason = texts.reason(reason)
    with transaction.atomic():
        _locked(visible_loans(actor).filter(reference__in=bulk.named(references)))
        plan = preview(actor=actor, references=references, kind=kind)
        bulk.demand(plan, digest)
        return open_many(
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
    policies.demand(actor, MAY_HOLD)
    reason = texts.reason(reason)
    with transaction.atomic():
        _locked(visible_loans(actor).filter(reference__in=bulk.named(references)))
        plan = preview_release(actor=actor, references=references)
        bulk.demand(plan, digest)
        mine = visible_holds(actor).filter(loan__in=plan.loan_ids).exclude(UNDECIDED)
        return _release(actor, mine, reason)
