"""Complaints: opened about conduct, answered by the agency, decided by the bank, never deleted.

A decision needs no answer: the deadline is the bank's, and an agency that keeps silent must not
be able to hold it up. What was not answered until then can be answered no more.
"""

import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, encryption, errors
from portfolios import conduct
from portfolios.models import Complaint, ComplaintIntake, Hold, Loan, PlacedLoan
from portfolios.selectors import (
    visible_complaints,
    visible_holds,
    visible_intakes,
    visible_loans,
    visible_spells,
)
from portfolios.services import holds, intakes
from portfolios.services.intakes import LONGEST_ACCOUNT, Words

MAY_HANDLE = policies.COMPLIANCE_OFFICERS
MAY_ANSWER = policies.AGENCY_WORKERS

LONGEST_ANSWER = 4000
SHORTEST_DECISION = 10


def open(
    *,
    actor: Actor,
    loan_reference: str,
    category: str,
    severity: str,
    happened_on: datetime.date,
    summary: str,
    account: str = "",
    intake_id=None,
) -> Complaint:
    """Open a complaint about what happened to a loan on a day, and put the loan on hold.

    It is addressed to the agency that had the loan on that day, if any had. `account` is in the
    complainant's words; with `intake_id` both those words and the day from which the deadline
    counts are the intake's. `summary` is what the agency reads.

    Raises `InvalidInput` for an unknown loan or choice, a day that cannot be, an empty or too long
    text or one with a card number in it; `InvalidState` when the intake was settled already.
    """
    policies.demand(actor, MAY_HANDLE)
    intakes.check_choice(category, Complaint.Category, "category")
    intakes.check_choice(severity, Complaint.Severity, "severity")
    summary = texts.checked(summary, field="summary")
    intake = selectors.find(visible_intakes(actor), pk=intake_id) if intake_id else None
    if intake:
        account = encryption.reveal(intake, "account")
    account = texts.checked(account, field="account", longest=LONGEST_ACCOUNT)
    loan = _loan(actor, loan_reference)
    zone = ZoneInfo(loan.institution.time_zone)
    with transaction.atomic():
        received_at = intake.received_at if intake else clock.now()
        intakes.check_day(happened_on, loan.institution.time_zone)
        spell = _spell_on(actor, loan, happened_on, zone)
        received_on = received_at.astimezone(zone).date()
        complaint = Complaint.objects.create(
            institution_id=loan.institution_id,
            loan=loan,
            loan_reference=loan.reference,
            agency_id=spell.agency_id if spell else None,
            placement_id=spell.placement_id if spell else None,
            spell=spell,
            category=category,
            severity=severity,
            happened_on=happened_on,
            account=account,
            summary=summary,
            received_at=received_at,
            due_on=conduct.due_on(received_on, severity, loan.portfolio.jurisdiction),
        )
        if intake:
            intakes.settle(intake, ComplaintIntake.State.OPENED, complaint=complaint)
        holds.open_hold(
            actor=actor,
            loan_id=loan.pk,
            kind=Hold.Reason.COMPLAINT,
            reason=gettext("A complaint is being looked into."),
            complaint=complaint,
        )
        audit.record(
            actor,
            "complaint.open",
            complaint,
            changes={
                "category": category,
                "severity": severity,
                "happened_on": happened_on.isoformat(),
                "due_on": complaint.due_on.isoformat(),
            },
            agency_id=complaint.agency_id,
        )
    return complaint


def answer(*, actor: Actor, complaint_id, answer: str) -> Complaint:
    """Give the agency's one answer to a complaint addressed to it, also after a recall.

    Raises `NotFound`; `InvalidInput` for an empty or too long text or one with a card number in
    it; `InvalidState` when it was answered or decided already.
    """
    policies.demand(actor, MAY_ANSWER)
    answer = texts.checked(answer, field="answer", longest=LONGEST_ANSWER)
    complaint = selectors.find(visible_complaints(actor), pk=complaint_id)
    with transaction.atomic():
        answered = Complaint.objects.filter(pk=complaint.pk, state=Complaint.State.OPEN).update(
            state=Complaint.State.ANSWERED, answer=answer, answered_at=clock.now()
        )
        if not answered:
            raise errors.InvalidState(
                "NOT_OPEN", _("This complaint has been answered or decided already.")
            )
        audit.record(
            actor, "complaint.answer", complaint, changes={"state": Complaint.State.ANSWERED}
        )
    complaint.refresh_from_db()
    return complaint


def decide(
    *, actor: Actor, complaint_id, outcome: str, is_agency_at_fault: bool, reason: str
) -> Complaint:
    """Uphold a complaint or not, say whether it was the agency's doing, and end its hold.

    It counts against the placement when it is upheld and the agency's doing. Raises `NotFound`;
    `InvalidInput` without a reason of 10 characters, and for a fault in what is not upheld or was
    nobody's spell; `InvalidState` when it was decided already.
    """
    policies.demand(actor, MAY_HANDLE)
    intakes.check_choice(outcome, Complaint.Outcome, "outcome")
    reason = texts.checked(reason, field="reason", shortest=SHORTEST_DECISION)
    complaint = selectors.find(visible_complaints(actor), pk=complaint_id)
    if is_agency_at_fault and (outcome != Complaint.Outcome.UPHELD or not complaint.agency_id):
        raise errors.InvalidInput(
            "NOBODY_AT_FAULT",
            _("Only what is upheld, and happened while an agency had the loan, is its doing."),
            field="is_agency_at_fault",
        )
    with transaction.atomic():
        undecided = Complaint.objects.filter(pk=complaint.pk).exclude(state=Complaint.State.DECIDED)
        decided = undecided.update(
            state=Complaint.State.DECIDED,
            outcome=outcome,
            is_agency_at_fault=is_agency_at_fault,
            decided_at=clock.now(),
            decision_reason=reason,
        )
        if not decided:
            raise errors.InvalidState("DECIDED", _("This complaint has been decided already."))
        for hold in visible_holds(actor).filter(complaint=complaint, released_at__isnull=True):
            holds.release(
                actor=actor, hold_id=hold.pk, reason=gettext("The complaint has been decided.")
            )
        audit.record(
            actor,
            "complaint.decide",
            complaint,
            reason=reason,
            changes={"outcome": outcome, "is_agency_at_fault": is_agency_at_fault},
            agency_id=complaint.agency_id,
        )
    complaint.refresh_from_db()
    return complaint


def reveal(*, actor: Actor, complaint_id, reason: str) -> Words:
    """The complainant's own words, for a reason that stays in the audit trail.

    Raises `NotFound`, and `InvalidInput` without a reason.
    """
    policies.demand(actor, MAY_HANDLE)
    reason = texts.reason(reason)
    complaint = selectors.find(visible_complaints(actor), pk=complaint_id)
    intake = visible_intakes(actor).filter(complaint=complaint).first()
    audit.record(actor, "complaint.reveal", complaint, reason=reason)
    return Words(
        account=encryption.reveal(complaint, "account"),
        contact=encryption.reveal(intake, "contact") if intake else "",
    )


def _loan(actor: Actor, reference: str) -> Loan:
    visible = visible_loans(actor).select_related("institution", "portfolio")
    loan = visible.filter(reference=reference.strip()).first()
    if loan is None:
        raise errors.InvalidInput(
            "UNKNOWN_LOAN", _("You have no loan with this reference."), field="loan_reference"
        )
    return loan


def _spell_on(actor: Actor, loan: Loan, day: datetime.date, zone: ZoneInfo) -> PlacedLoan | None:
    """The spell that was open at some moment of the day; the latest where one followed another."""
    begins = datetime.datetime.combine(day, datetime.time.min, zone)
    ends = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time.min, zone)
    spells = visible_spells(actor).filter(loan=loan, opened_at__lt=ends)
    spells = spells.filter(Q(closed_at__isnull=True) | Q(closed_at__gt=begins))
    return spells.order_by("-opened_at").first()
