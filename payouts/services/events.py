"""Stripe's events: stored when they come, understood afterwards, never taken at their word."""

import logging
import uuid

from agencies import actors
from agencies.scope import scope
from config import clock
from payouts import gateway
from payouts.models import Payout, ProviderEvent
from payouts.services import payouts

logger = logging.getLogger(__name__)

OURS = ("transfer.created", "transfer.updated", "transfer.reversed")
PREFIX = payouts.transfer_group("")


def receive(*, payload: bytes, signature: str | None) -> bool:
    """Keep an event whose signature is right; answers whether it is new.

    Raises `gateway.InvalidSignature` for anything else, before anything is stored, and for an
    event of the other mode (live or test).
    """
    event = gateway.verify_webhook(payload, signature)
    if event.livemode != gateway.expects_livemode():
        logger.error("event %s is of the other mode", event.id)
        raise gateway.InvalidSignature("the other mode")
    known = ProviderEvent.objects.filter(remote_id=event.id).exists()
    subject = event.payload.get("data", {}).get("object", {})
    ProviderEvent.objects.bulk_create(
        [
            ProviderEvent(
                remote_id=event.id[:120],
                kind=event.type[:80],
                transfer_group=str(subject.get("transfer_group") or "")[:80],
                object_id=event.object_id[:80],
                received_at=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )
    return not known


def process_waiting(institution_ids: list[uuid.UUID]) -> int:
    """Fetch what the waiting events are about and settle it; answers how many were processed."""
    with scope(actors.sweep()):
        waiting = list(
            ProviderEvent.objects.filter(processed_at=None).order_by("received_at")[:200]
        )
    return sum(_process(event, institution_ids) for event in waiting)


def _process(event: ProviderEvent, institution_ids) -> int:
    code = ""
    if event.kind in OURS and event.transfer_group.startswith(PREFIX):
        try:
            code = _settle(event, institution_ids)
        except gateway.GatewayError as error:
            logger.warning("event %s waits: %s", event.remote_id, type(error).__name__)
            return 0
    with scope(actors.sweep()):
        return ProviderEvent.objects.filter(pk=event.pk, processed_at=None).update(
            processed_at=clock.now(), failure_code=code
        )


def _settle(event: ProviderEvent, institution_ids) -> str:
    """Settle the payout that the event's transfer belongs to; the code of what is wrong, or ""."""
    try:
        payout_id = uuid.UUID(event.transfer_group.removeprefix(PREFIX))
    except ValueError:
        return "NOT_OURS"
    for institution_id in institution_ids:
        actor = actors.sweep(institution_id)
        with scope(actor):
            mine = Payout.objects.filter(pk=payout_id).exists()
        if mine:
            payouts.settle(actor, payout_id, gateway.retrieve_transfer(event.object_id))
            return ""
    logger.error("event %s names a payout that we do not have", event.remote_id)
    return "UNKNOWN_PAYOUT"
