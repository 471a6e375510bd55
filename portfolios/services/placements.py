"""Placements: opened at an award, ended by a recall, loan by loan or all at once."""

from collections.abc import Set
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from agencies.models import Agency
from config import clock, errors
from portfolios import access
from portfolios.models import Loan, PlacedLoan, Placement, Portfolio
from portfolios.selectors import free_loans, visible_placements


def open_placement(
    *,
    actor: Actor,
    portfolio: Portfolio,
    agency: Agency,
    title: str,
    rate_ppm: int,
    ends_at: datetime,
    loan_ids: list,
    comparison_loan_ids: Set = frozenset(),
) -> Placement:
    """Give a lot to an agency under frozen terms; the caller has decided that it may have it.

    Runs inside the award's transaction. Spells of `comparison_loan_ids` are marked. Raises
    `InvalidState` when one of the loans is held by somebody, on hold, held out or of another
    portfolio: a lot is placed whole or not at all.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    moment = clock.now()
    with transaction.atomic():
        free = free_loans(actor, portfolio.pk).select_for_update().filter(pk__in=loan_ids)
        loans = list(free.order_by("pk"))
        if not loans or len(loans) != len(loan_ids):
            raise errors.InvalidState(
                "LOANS_NOT_FREE", _("Some of these loans are placed or on hold. Look again.")
            )
        placement = Placement.objects.create(
            institution_id=portfolio.institution_id,
            agency=agency,
            portfolio=portfolio,
            title=title,
            currency=portfolio.currency,
            jurisdiction=portfolio.jurisdiction,
            rate_ppm=rate_ppm,
            loan_count=len(loans),
            balance_minor=sum(loan.balance_minor for loan in loans),
            opened_at=moment,
            ends_at=ends_at,
        )
        _open_spells(placement, loans, comparison_loan_ids)
        access.grant(placement)
        audit.record(
            actor,
            "placement.open",
            placement,
            changes={
                "loans": placement.loan_count,
                "balance_minor": placement.balance_minor,
                "currency": placement.currency,
                "rate_ppm": rate_ppm,
            },
            agency_id=agency.pk,
            placement_id=placement.pk,
        )
    return placement


def _open_spells(placement: Placement, loans: list[Loan], comparison_loan_ids: Set) -> None:
    PlacedLoan.objects.bulk_create(
        (
            PlacedLoan(
                institution_id=placement.institution_id,
                agency_id=placement.agency_id,
                placement=placement,
                loan=loan,
                balance_minor=loan.balance_minor,
                days_past_due=loan.days_past_due,
                is_comparison=loan.pk in comparison_loan_ids,
                opened_at=placement.opened_at,
            )
            for loan in loans
        ),
        batch_size=2000,
    )
    Loan.objects.filter(pk__in=[loan.pk for loan in loans]).update(
        placement=placement, agency=placement.agency_id
    )


def recall(*, actor: Actor, placement_id, reason: str) -> Placement:
    """Take a whole placement back. From the next statement the agency sees nothing of it.

    Raises `InvalidInput` without a reason, `InvalidState` when it is not live any more.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    _demand_reason(reason)
    placement = selectors.find(visible_placements(actor), pk=placement_id)
    with transaction.atomic():
        moment = clock.now()
        recalled = Placement.objects.filter(pk=placement.pk, state=Placement.State.LIVE).update(
            state=Placement.State.RECALLED, recalled_at=moment, recall_reason=reason.strip()
        )
        if not recalled:
            raise errors.InvalidState("NOT_LIVE", _("This placement has been recalled already."))
        _close_spells(PlacedLoan.objects.filter(placement=placement), reason)
        access.revoke(placement)
        audit.record(
            actor,
            "placement.recall",
            placement,
            reason=reason.strip(),
            changes={"state": Placement.State.RECALLED},
        )
    placement.refresh_from_db()
    return placement


def recall_loans(*, actor: Actor, placement_id, loan_ids: list, reason: str) -> int:
    """Take single loans back; answers how many. All of them must be in the placement now."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    _demand_reason(reason)
    placement = selectors.find(visible_placements(actor), pk=placement_id)
    with transaction.atomic():
        # Writers hold this row FOR SHARE: none of them is between its check and its commit.
        Placement.objects.select_for_update().get(pk=placement.pk)
        spells = PlacedLoan.objects.filter(
            placement=placement, loan__in=loan_ids, closed_at__isnull=True
        )
        if not loan_ids or spells.count() != len(set(loan_ids)):
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
        _close_spells(spells, reason)
        audit.record(
            actor,
            "placement.recall_loans",
            placement,
            reason=reason.strip(),
            changes={"loans": [str(loan_id) for loan_id in loan_ids]},
        )
    return len(set(loan_ids))


def _demand_reason(reason: str) -> None:
    if not reason.strip():
        raise errors.InvalidInput("REQUIRED", _("Give a reason."), field="reason")


def _close_spells(spells, reason: str) -> None:
    open_spells = spells.filter(closed_at__isnull=True)
    Loan.objects.filter(pk__in=open_spells.values("loan")).update(placement=None, agency=None)
    open_spells.update(closed_at=clock.now(), close_reason=reason.strip())


def open_balance_minor(placement: Placement) -> int:
    """The balance at placement of the loans that are still in it."""
    spells = PlacedLoan.objects.filter(placement=placement, closed_at__isnull=True)
    return spells.aggregate(total=Sum("balance_minor"))["total"] or 0
