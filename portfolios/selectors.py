"""What an actor may see of what is owed: the only way from an id to an object of this chapter.

A bank sees its own. An agency sees what belongs to placements that are live for it at this
statement (`portfolios.access`), and of those only loans whose spell is open.
"""

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from agencies.actors import Actor
from portfolios import access
from portfolios.models import (
    Borrower,
    Complaint,
    ComplaintIntake,
    Confirmation,
    Contact,
    Hold,
    ImportProblem,
    LateReceipt,
    Loan,
    LoanImport,
    LoanUpload,
    PlacedLoan,
    Placement,
    Portfolio,
    Promise,
    ReceiptFile,
    ReceiptLine,
    Recovery,
    Reversal,
)


def _institution_only(model, actor: Actor) -> QuerySet:
    if actor.kind in ("institution", "sweep"):
        return model.objects.filter(institution=actor.institution_id)
    return model.objects.none()


def visible_portfolios(actor: Actor) -> QuerySet[Portfolio]:
    return _institution_only(Portfolio, actor)


def visible_imports(actor: Actor) -> QuerySet[LoanImport]:
    return _institution_only(LoanImport, actor)


def visible_uploads(actor: Actor) -> QuerySet[LoanUpload]:
    return _institution_only(LoanUpload, actor)


def visible_import_problems(actor: Actor) -> QuerySet[ImportProblem]:
    return _institution_only(ImportProblem, actor)


def visible_receipt_files(actor: Actor) -> QuerySet[ReceiptFile]:
    return _institution_only(ReceiptFile, actor)


def visible_receipt_lines(actor: Actor) -> QuerySet[ReceiptLine]:
    return _institution_only(ReceiptLine, actor)


def visible_holds(actor: Actor) -> QuerySet[Hold]:
    return _institution_only(Hold, actor)


def visible_intakes(actor: Actor) -> QuerySet[ComplaintIntake]:
    return _institution_only(ComplaintIntake, actor)


def visible_placements(actor: Actor) -> QuerySet[Placement]:
    if actor.kind == "agency":
        return access.live_placements(actor)
    return _institution_only(Placement, actor)


def visible_loans(actor: Actor) -> QuerySet[Loan]:
    if actor.kind == "agency":
        return Loan.objects.filter(
            agency=actor.agency_id, placement__in=access.live_placements(actor).values("pk")
        )
    return _institution_only(Loan, actor)


def visible_borrowers(actor: Actor) -> QuerySet[Borrower]:
    if actor.kind == "agency":
        return Borrower.objects.filter(pk__in=visible_loans(actor).values("borrower"))
    return _institution_only(Borrower, actor)


def visible_spells(actor: Actor) -> QuerySet[PlacedLoan]:
    if actor.kind == "agency":
        return PlacedLoan.objects.filter(
            agency=actor.agency_id,
            placement__in=access.live_placements(actor).values("pk"),
            closed_at__isnull=True,
        )
    return _institution_only(PlacedLoan, actor)


def _events(model, actor: Actor) -> QuerySet:
    """Events of spells that the actor may see."""
    if actor.kind == "agency":
        return model.objects.filter(
            agency=actor.agency_id,
            placement__in=access.live_placements(actor).values("pk"),
            spell__closed_at__isnull=True,
        )
    return _institution_only(model, actor)


def visible_contacts(actor: Actor) -> QuerySet[Contact]:
    return _events(Contact, actor)


def visible_promises(actor: Actor) -> QuerySet[Promise]:
    return _events(Promise, actor)


def visible_recoveries(actor: Actor) -> QuerySet[Recovery]:
    return _events(Recovery, actor)


def visible_reversals(actor: Actor) -> QuerySet[Reversal]:
    return _events(Reversal, actor)


def visible_confirmations(actor: Actor) -> QuerySet[Confirmation]:
    return _events(Confirmation, actor)


def visible_late_receipts(actor: Actor) -> QuerySet[LateReceipt]:
    """Also after a recall: an agency keeps what it submitted itself."""
    if actor.kind == "agency":
        return LateReceipt.objects.filter(agency=actor.agency_id)
    return _institution_only(LateReceipt, actor)


def visible_complaints(actor: Actor) -> QuerySet[Complaint]:
    """Also after a recall: an agency answers for its conduct."""
    if actor.kind == "agency":
        return Complaint.objects.filter(agency=actor.agency_id)
    return _institution_only(Complaint, actor)


def _total(model, amount: str, **of):
    totals = model.objects.filter(**of).order_by().values(*of).annotate(total=Sum(amount))
    return Coalesce(Subquery(totals.values("total")), 0)


def with_reversed(recoveries: QuerySet[Recovery]) -> QuerySet[Recovery]:
    """Adds `reversed_minor`: what was taken back of each recovery."""
    return recoveries.annotate(
        reversed_minor=_total(Reversal, "amount_minor", recovery=OuterRef("pk"))
    )


def confirmed_net_minor(spells: Q) -> int:
    """Confirmed money less reversals over the recoveries that match `spells`."""
    recoveries = with_reversed(Recovery.objects.filter(spells, confirmation__isnull=False))
    totals = recoveries.aggregate(whole=Sum("amount_minor"), back=Sum("reversed_minor"))
    return (totals["whole"] or 0) - (totals["back"] or 0)
