"""Complaints and what was left in the public form."""

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from agencies.actors import Actor
from portfolios.models import Complaint, ComplaintIntake
from portfolios.selectors.loans import visible_loans
from portfolios.selectors.scoping import institution_only


def visible_intakes(actor: Actor) -> QuerySet[ComplaintIntake]:
    return institution_only(ComplaintIntake, actor)


def visible_complaints(actor: Actor) -> QuerySet[Complaint]:
    """Also after a recall: an agency answers for its conduct."""
    if actor.kind == "agency":
        return Complaint.objects.filter(agency=actor.agency_id)
    return institution_only(Complaint, actor)


def shown_complaints(actor: Actor) -> QuerySet[Complaint]:
    """`visible_complaints` to be shown: without the complainant's words, which are revealed alone.

    An agency cannot be shown the loan or the placement: a join would hide what was taken back.
    """
    return visible_complaints(actor).defer("account").select_related("institution", "agency")


def narrow_complaints(
    complaints: QuerySet[Complaint],
    *,
    state: str | None = None,
    severity: str | None = None,
    agency_id=None,
    loan_reference: str | None = None,
) -> QuerySet[Complaint]:
    """Fewer of `shown_complaints`."""
    exact = {
        "state": state,
        "severity": severity,
        "agency": agency_id,
        "loan_reference": loan_reference,
    }
    return complaints.filter(**{name: value for name, value in exact.items() if value is not None})


def complaints_at(complaints: QuerySet[Complaint], stage: str, today: date) -> QuerySet[Complaint]:
    """Those at a stage: `to_answer` by an agency, `to_decide` by the bank, either of the two
    (`undecided`), either of them late on this day (`overdue`), or `decided`."""
    if stage == "decided":
        return complaints.filter(state=Complaint.State.DECIDED)
    undecided = complaints.exclude(state=Complaint.State.DECIDED)
    asked = Q(state=Complaint.State.OPEN, agency__isnull=False)
    return {
        "undecided": undecided,
        "overdue": undecided.filter(due_on__lt=today),
        "to_answer": undecided.filter(asked),
        "to_decide": undecided.exclude(asked),
    }[stage]


def shown_intakes(actor: Actor) -> QuerySet[ComplaintIntake]:
    """`visible_intakes` without what was written, and with `is_known`: a loan has the reference."""
    named = visible_loans(actor).filter(reference=OuterRef("loan_reference"))
    return visible_intakes(actor).defer("account", "contact").annotate(is_known=Exists(named))
