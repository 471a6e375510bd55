"""The bank's receipts, what they confirm, and money that came another way."""

from django.db.models import QuerySet

from agencies.actors import Actor
from portfolios.models import Confirmation, DirectPayment, LateReceipt, ReceiptFile, ReceiptLine
from portfolios.selectors.scoping import events, institution_only


def visible_receipt_files(actor: Actor) -> QuerySet[ReceiptFile]:
    return institution_only(ReceiptFile, actor)


def visible_receipt_lines(actor: Actor) -> QuerySet[ReceiptLine]:
    return institution_only(ReceiptLine, actor)


def visible_direct_payments(actor: Actor) -> QuerySet[DirectPayment]:
    return institution_only(DirectPayment, actor)


def visible_confirmations(actor: Actor) -> QuerySet[Confirmation]:
    return events(Confirmation, actor)


def visible_late_receipts(actor: Actor) -> QuerySet[LateReceipt]:
    """Also after a recall: an agency keeps what it submitted itself."""
    if actor.kind == "agency":
        return LateReceipt.objects.filter(agency=actor.agency_id)
    return institution_only(LateReceipt, actor)
