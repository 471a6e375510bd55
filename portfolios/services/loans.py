"""Loans and who owes them: personal fields are masked, and revealed one by one with a reason."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import encryption, errors
from portfolios import masks
from portfolios.models import Borrower, Loan
from portfolios.selectors import visible_borrowers, visible_loans

MAY_REVEAL = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS | policies.AGENCY_WORKERS


def masked_fields(borrower: Borrower | None) -> dict[str, str]:
    """What everybody who sees the loan may see of the borrower; empty where nothing is known."""
    if borrower is None:
        return dict.fromkeys(masks.BY_FIELD, "")
    return {name: masks.masked(name, encryption.reveal(borrower, name)) for name in masks.BY_FIELD}


def reveal(*, actor: Actor, loan_id, field: str, reason: str) -> str:
    """One personal field in clear, for a reason that stays in the audit trail.

    Raises `NotFound` for a loan that the actor does not see or a borrower nothing is known of,
    `InvalidInput` without a reason or for an unknown field.
    """
    policies.demand(actor, MAY_REVEAL)
    if field not in masks.BY_FIELD:
        raise errors.InvalidInput("UNKNOWN_FIELD", _("There is no such field."), field="field")
    reason = texts.reason(reason)
    loan = selectors.find(visible_loans(actor), pk=loan_id)
    borrower = selectors.find(visible_borrowers(actor), pk=loan.borrower_id)
    audit.record(
        actor,
        "borrower.reveal",
        loan,
        reason=reason,
        changes={"field": field},
        placement_id=loan.placement_id,
    )
    return encryption.reveal(borrower, field)


def find_by_reference(*, actor: Actor, reference: str, institution: str | None = None) -> Loan:
    """The one visible loan with the bank's reference; `institution` is the short name of a bank.

    Raises `NotFound`, or `InvalidInput` with `AMBIGUOUS_LOAN` where two banks use the reference.
    """
    found: QuerySet[Loan] = visible_loans(actor).filter(reference=reference)
    if institution:
        found = found.filter(institution__slug=institution)
    loans = list(found[:2])
    if len(loans) > 1:
        raise errors.InvalidInput(
            "AMBIGUOUS_LOAN",
            _("Two institutions use this loan reference. Name the institution too."),
            field="institution",
        )
    if not loans:
        raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
    return loans[0]
