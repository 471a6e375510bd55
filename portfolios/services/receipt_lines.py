"""Receipt lines settled by hand: linked to the report that they prove, or dismissed."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import errors
from portfolios.models import ReceiptLine, Recovery
from portfolios.selectors import reported_recoveries, visible_receipt_lines
from portfolios.services import idempotency, receipts

NEARBY_DAYS = 7
State = ReceiptLine.State


def candidates(actor: Actor, line: ReceiptLine) -> QuerySet[Recovery]:
    """Reports that an open receipt may be linked to: of its amount, and of its loan.

    Where the loan has none, the receipt may name a wrong loan: then those of other loans with a
    value date within a week.
    """
    policies.demand(actor, policies.INSTITUTION_PEOPLE)
    alike = reported_recoveries(actor).filter(
        amount_minor=line.amount_minor, currency=line.currency
    )
    of_loan = alike.filter(loan__reference=line.loan_reference)
    if of_loan.exists():
        return of_loan.select_related("loan", "agency").order_by("value_on", "pk")
    day = line.value_on.toordinal()
    nearby = Q(
        value_on__range=(
            line.value_on.fromordinal(day - NEARBY_DAYS),
            line.value_on.fromordinal(day + NEARBY_DAYS),
        )
    )
    return alike.filter(nearby).select_related("loan", "agency").order_by("value_on", "pk")


def link(*, actor: Actor, line_id, recovery_id, reason: str) -> ReceiptLine:
    """Settle an open receipt by hand: it proves this one of its candidates.

    Raises `NotFound` for a receipt or a candidate that is none; `InvalidInput`: `REQUIRED`,
    `CARD_NUMBER`; `InvalidState`: `SETTLED`.
    """
    policies.demand(actor, policies.FINANCE_PREPARERS)
    reason = texts.reason(reason)
    with transaction.atomic():
        idempotency.lock("receipts", actor.institution_id)
        line = _open_line(actor, line_id)
        recovery = selectors.find(candidates(actor, line), pk=recovery_id)
        _settle(line, State.MATCHED, reason)
        receipts.confirm_pairs(actor, [(line, recovery)], reason)
        audit.record(
            actor,
            "receipt.link",
            line,
            reason=reason,
            changes={"recovery": recovery.reference, "state": State.MATCHED},
        )
    return line


def dismiss(*, actor: Actor, line_id, reason: str) -> ReceiptLine:
    """Settle an open receipt by hand: it proves no report. Raises as `link`."""
    policies.demand(actor, policies.FINANCE_PREPARERS)
    reason = texts.reason(reason)
    with transaction.atomic():
        idempotency.lock("receipts", actor.institution_id)
        line = _open_line(actor, line_id)
        _settle(line, State.DISMISSED, reason)
        audit.record(
            actor, "receipt.dismiss", line, reason=reason, changes={"state": State.DISMISSED}
        )
    return line


def _open_line(actor: Actor, line_id) -> ReceiptLine:
    line = selectors.find(visible_receipt_lines(actor), pk=line_id)
    if line.state not in receipts.OPEN:
        raise errors.InvalidState("SETTLED", _("This receipt has been settled already."))
    return line


def _settle(line: ReceiptLine, state: str, reason: str) -> None:
    still_open = ReceiptLine.objects.filter(pk=line.pk, state__in=receipts.OPEN)
    still_open.update(state=state, reason=reason)
    line.state, line.reason = state, reason
