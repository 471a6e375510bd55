"""Balances: what is owed, as the bank states it anew."""

import dataclasses
import uuid
from collections.abc import Sequence

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies
from agencies.actors import Actor
from config import clock, errors
from portfolios.selectors import visible_loans
from portfolios.services import changes, eligibility, work

MAY_CORRECT = policies.VENDOR_MANAGERS | policies.FINANCE_PREPARERS
UPDATE = """
    update portfolios_loan l
    set balance_minor = stated.balance_minor, balance_stated_at = %s
    from unnest(%s::uuid[], %s::bigint[]) as stated (loan_id, balance_minor)
    where l.id = stated.loan_id
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Correction:
    """What one loan owes now, in minor units; 0 where it is paid."""

    loan_id: uuid.UUID
    balance_minor: int


def correct_many(*, actor: Actor, corrections: Sequence[Correction]) -> int:
    """State the balances of loans anew, all or none; answers how many changed.

    The agency that holds a loan is told; a loan that owes nothing any more is put on hold. What
    was frozen when a loan was placed stays. Raises `NotFound` where one is not there;
    `InvalidInput`: `NEGATIVE`, `AMOUNT_TOO_LARGE`, `TWICE`, with the row counted from 1.
    """
    policies.demand(actor, MAY_CORRECT | policies.SWEEPS)
    _check(corrections)
    wanted = {one.loan_id: one.balance_minor for one in corrections}
    with transaction.atomic():
        found = visible_loans(actor).filter(pk__in=wanted)
        loans = list(found.select_for_update().order_by("pk"))
        if len(loans) != len(wanted):
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
        changed = [loan for loan in loans if loan.balance_minor != wanted[loan.pk]]
        moment = clock.now()
        with connection.cursor() as cursor:
            cursor.execute(UPDATE, [moment, list(wanted), list(wanted.values())])
        changes.record_loans(
            changes.Kind.BALANCE_CORRECTED,
            changes.holders([loan.pk for loan in changed]),
            amounts_minor=wanted,
        )
        audit.record_many(
            [
                audit.entry(
                    actor,
                    "loan.correct_balance",
                    loan,
                    changes={"balance_minor": wanted[loan.pk], "currency": loan.currency},
                    agency_id=loan.agency_id,
                    placement_id=loan.placement_id,
                    at=moment,
                )
                for loan in changed
            ]
        )
        eligibility.enforce(actor=actor, loan_ids=wanted)
    return len(changed)


def _check(corrections: Sequence[Correction]) -> None:
    seen = set()
    for row, one in enumerate(corrections, 1):
        if one.balance_minor < 0:
            raise errors.InvalidInput(
                "NEGATIVE", _("A balance is not below zero."), field="balance_minor", row=row
            )
        if one.balance_minor > work.LARGEST_AMOUNT_MINOR:
            raise errors.InvalidInput(
                "AMOUNT_TOO_LARGE",
                _("This is more than any loan can owe."),
                field="balance_minor",
                row=row,
            )
        if one.loan_id in seen:
            raise errors.InvalidInput(
                "TWICE", _("Each loan can be named once."), field="loan_id", row=row
            )
        seen.add(one.loan_id)
