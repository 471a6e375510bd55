"""Holds: collection of a loan paused, with a reason, and released with one."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from config import clock, errors
from portfolios.models import Complaint, Hold, Loan
from portfolios.selectors import visible_holds, visible_loans

MAY_HOLD = policies.COMPLIANCE_OFFICERS | policies.VENDOR_MANAGERS


def open_hold(
    *, actor: Actor, loan_id, kind: str, reason: str, complaint: Complaint | None = None
) -> Hold:
    """Pause the collection of one loan; whoever holds it sees that, and contacts are flagged.

    `kind` is a value of `Hold.Reason`; `complaint` only with a complaint, which then ends it.
    """
    policies.demand(actor, MAY_HOLD)
    if kind not in Hold.Reason.values or (kind == Hold.Reason.COMPLAINT) != bool(complaint):
        raise errors.InvalidInput("UNKNOWN_CHOICE", _("Choose one of the reasons."), field="kind")
    if not reason.strip():
        raise errors.InvalidInput("REQUIRED", _("Give a reason."), field="reason")
    loan = selectors.find(visible_loans(actor), pk=loan_id)
    with transaction.atomic():
        loan = Loan.objects.select_for_update().get(pk=loan.pk)
        hold = Hold.objects.create(
            institution_id=loan.institution_id,
            loan=loan,
            complaint=complaint,
            kind=kind,
            reason=reason.strip(),
            opened_at=clock.now(),
        )
        Loan.objects.filter(pk=loan.pk).update(is_on_hold=True)
        audit.record(
            actor,
            "loan.hold",
            loan,
            reason=reason.strip(),
            changes={"kind": kind},
            agency_id=loan.agency_id,
            placement_id=loan.placement_id,
        )
    return hold


def release(*, actor: Actor, hold_id, reason: str) -> Hold:
    """End one hold; collection goes on when no other is open on the loan.

    Raises `InvalidState` when it was released already, or while its complaint is undecided.
    """
    policies.demand(actor, MAY_HOLD)
    if not reason.strip():
        raise errors.InvalidInput("REQUIRED", _("Give a reason."), field="reason")
    hold = selectors.find(visible_holds(actor), pk=hold_id)
    with transaction.atomic():
        loan = Loan.objects.select_for_update().get(pk=hold.loan_id)
        if hold.complaint and hold.complaint.state != Complaint.State.DECIDED:
            raise errors.InvalidState(
                "COMPLAINT_OPEN", _("This hold ends when the complaint is decided.")
            )
        released = Hold.objects.filter(pk=hold.pk, released_at__isnull=True).update(
            released_at=clock.now(), release_reason=reason.strip()
        )
        if not released:
            raise errors.InvalidState("NOT_OPEN", _("This hold has been released already."))
        still = Hold.objects.filter(loan=loan, released_at__isnull=True).exists()
        Loan.objects.filter(pk=loan.pk).update(is_on_hold=still)
        audit.record(
            actor,
            "loan.release",
            loan,
            reason=reason.strip(),
            changes={"is_on_hold": still},
            agency_id=loan.agency_id,
            placement_id=loan.placement_id,
        )
    hold.refresh_from_db()
    return hold
