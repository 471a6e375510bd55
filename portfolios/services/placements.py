"""Placements: opened at an award, ended by a recall, a return or their term."""

from collections.abc import Sequence, Set
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Count, Sum
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.models import Agency
from config import clock, dberrors, errors, plans
from portfolios import access
from portfolios.models import Loan, PlacedLoan, Placement, Portfolio, Recall
from portfolios.selectors import visible_placements
from portfolios.services import changes, eligibility, rules, spells

CloseKind = PlacedLoan.CloseKind
State = Placement.State


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
    tail_days: int | None = None,
) -> Placement:
    """Give a lot to an agency under frozen terms; the caller has decided that it may have it.

    Runs inside the award's transaction. Spells of `comparison_loan_ids` are marked. `tail_days` are
    those that bidders were told, the bank's rule of today if None. Raises
    `InvalidState` when one of the loans is held by somebody, not eligible or of another portfolio:
    a lot is placed whole or not at all.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    frozen = rules.current(actor=actor)
    moment = clock.now()
    with transaction.atomic():
        named = Loan.objects.filter(pk__in=loan_ids, portfolio=portfolio)
        list(named.select_for_update().order_by("pk").values_list("pk"))
        with plans.without_nested_loops():
            able = eligibility.placeable(actor, named).aggregate(
                count=Count("pk"), balance_minor=Sum("balance_minor", default=0)
            )
        if not loan_ids or able["count"] != len(loan_ids):
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
            loan_count=able["count"],
            balance_minor=able["balance_minor"],
            tail_days=frozen.tail_days if tail_days is None else tail_days,
            untouched_days=frozen.untouched_days,
            opened_at=moment,
            ends_at=ends_at,
        )
        spells.open_all(placement, loan_ids, comparison_loan_ids)
        access.grant(placement)
        changes.record_placements(changes.Kind.PLACED, [placement])
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


def recall(*, actor: Actor, placement_id, reason: str) -> Placement:
    """Take a whole placement back. From the next statement the agency sees nothing of it.

    Of a placement of more than `spells.CLOSED_AT_ONCE` loans the spells are closed, and the loans
    free again, when `spells.close_ended` has come by.

    Raises `InvalidInput` without a reason, `InvalidState` when it is not live any more.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    reason = texts.reason(reason)
    placement = selectors.find(visible_placements(actor), pk=placement_id)
    with transaction.atomic():
        end(actor, placement, State.RECALLED, CloseKind.RECALLED, reason)
    placement.refresh_from_db()
    return placement


def end(
    actor: Actor,
    placement: Placement,
    state: str,
    kind: str,
    reason: str,
    *,
    closed_at: datetime | None = None,
) -> None:
    """End a live placement and what is left in it, inside the caller's transaction.

    Of many loans the spells are still open afterwards, and are closed by `spells.close_ended`.
    Raises `InvalidState` when it is not live any more.
    """
    moment = closed_at or clock.now()
    ended = Placement.objects.filter(pk=placement.pk, state=State.LIVE).update(
        state=state, closed_at=moment, close_reason=reason
    )
    if not ended:
        raise errors.InvalidState("NOT_LIVE", _("This placement has ended already."))
    left = PlacedLoan.objects.filter(placement=placement, closed_at__isnull=True)
    if left[: spells.CLOSED_AT_ONCE + 1].count() <= spells.CLOSED_AT_ONCE:
        spells.close(placement, kind, reason, moment)
    Recall.objects.filter(placement=placement, state=Recall.State.PENDING).update(
        state=Recall.State.FINAL, settled_at=moment
    )
    access.revoke(placement)
    changes.record_placements(kind, [placement])
    verb = {State.RECALLED: "recall", State.EXPIRED: "expire"}[State(state)]
    audit.record(actor, f"placement.{verb}", placement, reason=reason, changes={"state": state})


def recall_loans(*, actor: Actor, placement_id, loan_ids: list, reason: str) -> int:
    """Take single loans back; answers how many. All of them must be in the placement now."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    reason = texts.reason(reason)
    placement = selectors.find(visible_placements(actor), pk=placement_id)
    with transaction.atomic():
        lock(placement)
        found = spells.of_loans(actor, placement, loan_ids)
        take_back(actor, placement, found, reason)
    return len(found)


def lock(placement: Placement) -> Placement:
    """The placement's row for the rest of the transaction.

    Writers hold it FOR SHARE: none of them is between its check and its commit.
    """
    return Placement.objects.select_for_update().get(pk=placement.pk)


def take_back(actor: Actor, placement: Placement, taken: Sequence[PlacedLoan], reason: str) -> None:
    """Close these spells of a locked placement as recalled; spells with their `loan`."""
    ids = [spell.pk for spell in taken]
    spells.close(placement, CloseKind.RECALLED, reason, clock.now(), spell_ids=ids)
    changes.record_loans(changes.Kind.RECALLED, taken)
    audit.record(
        actor,
        "placement.recall_loans",
        placement,
        reason=reason,
        changes={"loans": [str(spell.loan_id) for spell in taken]},
    )


def give_back(*, actor: Actor, placement_id, reason: str, loan_ids: list | None = None) -> int:
    """An agency returns a placement, or single loans of it; answers how many loans.

    From the next statement it sees nothing of them. Raises `NotFound` unless all of them are in
    the placement now; `InvalidInput`: `REQUIRED`, `TOO_LONG`, `CARD_NUMBER`.
    """
    policies.demand(actor, policies.AGENCY_WORKERS)
    reason = texts.reason(reason)
    with dberrors.translated(), transaction.atomic():
        placement = selectors.find(visible_placements(actor), pk=placement_id)
        if loan_ids is None:
            changes.record_placements(changes.Kind.RETURNED, [placement])
        else:
            found = spells.of_loans(actor, placement, loan_ids)
            changes.record_loans(changes.Kind.RETURNED, found)
        audit.record(
            actor,
            "placement.return" if loan_ids is None else "placement.return_loans",
            placement,
            reason=reason,
            changes={"loans": [str(loan_id) for loan_id in loan_ids or []]},
            placement_id=placement.pk,
        )
        with connection.cursor() as cursor:
            cursor.execute("select return_placed(%s, %s, %s)", [placement.pk, loan_ids, reason])
            (count,) = cursor.fetchone()
        if loan_ids is not None and count != len(set(loan_ids)):
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
    return count


def expire_due(*, actor: Actor) -> int:
    """Close the placements whose term is over; answers how many. Access has ended by itself."""
    policies.demand(actor, policies.SWEEPS)
    due = visible_placements(actor).filter(state=State.LIVE, ends_at__lte=clock.Now())
    expired = 0
    for placement in due.order_by("pk"):
        with transaction.atomic():
            if lock(placement).state == State.LIVE:
                reason = gettext("The term is over.")
                end(
                    actor,
                    placement,
                    State.EXPIRED,
                    CloseKind.EXPIRED,
                    reason,
                    closed_at=placement.ends_at,
                )
                expired += 1
    return expired
