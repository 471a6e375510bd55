"""Holds: collection of a loan paused, with a reason, and released with one."""

import datetime
import uuid
from collections.abc import Iterable, Mapping

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, errors
from portfolios.models import Complaint, Hold, Loan
from portfolios.selectors import visible_holds, visible_loans
from portfolios.services import changes

MAY_HOLD = policies.COMPLIANCE_OFFICERS | policies.VENDOR_MANAGERS
MAY_SWEEP = policies.SWEEPS
BATCH = 2000
RELEASE = """
    update portfolios_hold h set released_at = %s, release_reason = told.reason
    from unnest(%s::uuid[], %s::text[]) as told (hold_id, reason)
    where h.id = told.hold_id
"""

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
        raise unknown_kind()
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
) -> list[Hold]:
    """Pause the collection of loans for one reason, all of them or none; the holders are told.

    `kind` is a value of `Hold.Reason`; `review_on` and `expires_on` lie in the future. Raises
    `NotFound` where one of the loans is not there; `InvalidInput`: `UNKNOWN_CHOICE`, `REQUIRED`,
    `IN_THE_PAST`.
    """
    policies.demand(actor, MAY_HOLD)
    _check_kind(kind)
    reason = texts.reason(reason)
    _check_days(actor, review_on, expires_on)
    return _open(
        actor,
        set(loan_ids),
        kind=kind,
        reason=reason,
        review_on=review_on,
        expires_on=expires_on,
        complaint=complaint,
    )


def open_stated(*, actor: Actor, kind: str, reasons: Mapping[uuid.UUID, str]) -> list[Hold]:
    """Pause the collection of loans as a file of the bank says, each for its own reason.

    Loans on hold for this very kind stay as they are: a file may say it every day. Raises as
    `open_many`.
    """
    policies.demand(actor, MAY_HOLD | MAY_SWEEP)
    _check_kind(kind)
    checked = {loan_id: texts.reason(reason) for loan_id, reason in reasons.items()}
    with transaction.atomic():
        lock_loans(visible_loans(actor).filter(pk__in=checked))
        held = Hold.objects.filter(OPEN, loan__in=checked, kind=kind)
        fresh = set(checked) - set(held.values_list("loan", flat=True))
        return _open(actor, fresh, kind=kind, reasons=checked)


def open_automatic(*, actor: Actor, loan_ids: Iterable, kind: str, reason: str) -> list[Hold]:
    """Holds of the eligibility test, whose own permission covers them; one a loan and kind."""
    wanted = set(loan_ids)
    with transaction.atomic():
        lock_loans(Loan.objects.filter(pk__in=wanted))
        mine = Hold.objects.filter(OPEN, loan__in=wanted, kind=kind, is_automatic=True)
        wanted -= set(mine.values_list("loan", flat=True))
        return _open(actor, wanted, kind=kind, reason=reason, is_automatic=True)


def _open(
    actor: Actor,
    wanted: set,
    *,
    kind: str,
    reason: str = "",
    reasons: Mapping[uuid.UUID, str] | None = None,
    **given,
) -> list[Hold]:
    """Holds of one kind on loans, all for one reason or each for its own."""
    with transaction.atomic():
        loans = lock_loans(visible_loans(actor).filter(pk__in=wanted))
        if len(loans) != len(wanted):
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
        reasons = reasons or dict.fromkeys([loan.pk for loan in loans], reason)
        moment = clock.now()
        opened = [
            Hold(
                institution_id=loan.institution_id,
                loan=loan,
                kind=kind,
                reason=reasons[loan.pk],
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
            notes=reasons,
            due_on=given.get("review_on"),
        )
        days = {name: given.get(name) for name in ("review_on", "expires_on")}
        told = {"kind": kind} | {name: day.isoformat() for name, day in days.items() if day}
        _audit(actor, "loan.hold", loans, reasons, told)
    return opened


def _check_kind(kind: str) -> None:
    if kind not in Hold.Reason.values:
        raise unknown_kind()


def _check_days(actor: Actor, review_on, expires_on) -> None:
    today = clock.business_date(selectors.time_zone_of(actor))
    for field, day in (("review_on", review_on), ("expires_on", expires_on)):
        if day is not None and day <= today:
            raise errors.InvalidInput(
                "IN_THE_PAST", _("This day must lie in the future."), field=field
            )


def unknown_kind() -> errors.InvalidInput:
    return errors.InvalidInput("UNKNOWN_CHOICE", _("Choose one of the reasons."), field="kind")


def lock_loans(loans: QuerySet[Loan]) -> list[Loan]:
    """The loans in the order in which everybody locks them."""
    return list(loans.select_for_update().order_by("pk"))


def _audit(
    actor: Actor,
    action: str,
    loans: Iterable[Loan],
    reasons: Mapping[uuid.UUID, str],
    told: dict,
) -> None:
    moment = clock.now()
    audit.record_many(
        [
            audit.entry(
                actor,
                action,
                loan,
                reason=reasons[loan.pk],
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
        lock_loans(Loan.objects.filter(pk=hold.loan_id))
        if Hold.objects.filter(UNDECIDED, pk=hold.pk).exists():
            raise errors.InvalidState(
                "COMPLAINT_OPEN", _("This hold ends when the complaint is decided.")
            )
        if not release_locked(actor, Hold.objects.filter(pk=hold.pk), {hold.loan_id: reason}):
            raise errors.InvalidState("NOT_OPEN", _("This hold has been released already."))
    hold.refresh_from_db()
    return hold


def release_locked(
    actor: Actor, holds: QuerySet[Hold], reasons: Mapping[uuid.UUID, str]
) -> list[uuid.UUID]:
    """Release those of `holds` that are open, of loans that the caller has locked.

    `reasons` has one for each of the loans. Answers the loan of each hold that was released.
    """
    ended = list(holds.filter(OPEN).values_list("pk", "loan_id"))
    loan_ids = [loan_id for _pk, loan_id in ended]
    with connection.cursor() as cursor:
        cursor.execute(
            RELEASE,
            [clock.now(), [pk for pk, _loan in ended], [reasons[loan_id] for loan_id in loan_ids]],
        )
    still = Hold.objects.filter(OPEN, loan=OuterRef("pk"))
    Loan.objects.filter(pk__in=loan_ids).update(is_on_hold=Exists(still))
    loans = list(Loan.objects.filter(pk__in=loan_ids).order_by("pk"))
    free = [loan.pk for loan in loans if not loan.is_on_hold]
    changes.record_loans(changes.Kind.RELEASED, changes.holders(free), notes=reasons)
    for is_on_hold in (False, True):
        some = [loan for loan in loans if loan.is_on_hold is is_on_hold]
        _audit(actor, "loan.release", some, reasons, {"is_on_hold": is_on_hold})
    return loan_ids


def release_stated(
    *, actor: Actor, kinds: Iterable[str], reasons: Mapping[uuid.UUID, str]
) -> list[uuid.UUID]:
    """Release the holds of these kinds on loans of which a file of the bank says so, each for its
    own reason; answers the loan of each hold that was released.

    Holds of undecided complaints and of the eligibility test stay. Raises `NotFound` where one of
    the loans is not there; `InvalidInput`: `UNKNOWN_CHOICE`, `REQUIRED`.
    """
    policies.demand(actor, MAY_HOLD | MAY_SWEEP)
    kinds = list(kinds)
    for kind in kinds:
        _check_kind(kind)
    checked = {loan_id: texts.reason(reason) for loan_id, reason in reasons.items()}
    with transaction.atomic():
        if len(lock_loans(visible_loans(actor).filter(pk__in=checked))) != len(checked):
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
        stated = visible_holds(actor).filter(loan__in=checked, kind__in=kinds, is_automatic=False)
        return release_locked(actor, stated.exclude(UNDECIDED), checked)


def release_expired(*, actor: Actor) -> int:
    """Release the holds whose last day is over; answers how many. Safe at any time."""
    policies.demand(actor, MAY_SWEEP)
    today = clock.business_date(selectors.time_zone_of(actor))
    over = visible_holds(actor).filter(OPEN, expires_on__lte=today).exclude(UNDECIDED)
    return _release(actor, over, gettext("Its last day is over."))


def release_automatic(*, actor: Actor, holds: QuerySet[Hold]) -> int:
    """Release holds of the eligibility test whose cause is gone."""
    return _release(actor, holds, gettext("Its cause is gone."))


def _release(actor: Actor, holds: QuerySet[Hold], reason: str) -> int:
    """Lock the loans of `holds` and release those that are open, all for one reason."""
    with transaction.atomic():
        loans = lock_loans(Loan.objects.filter(pk__in=holds.values("loan")))
        reasons = dict.fromkeys([loan.pk for loan in loans], reason)
        return len(release_locked(actor, holds.filter(loan__in=reasons), reasons))
