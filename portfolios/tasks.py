"""Sweeps of the portfolios. Each calls a service; running one twice, or late, changes nothing."""

from celery import shared_task

from agencies import actors
from agencies.scope import scope
from agencies.selectors import visible_institutions
from portfolios.services import receipts


@shared_task
def rematch_receipts() -> None:
    """Pair receipts that waited with reports that came since, bank by bank."""
    with scope(actors.sweep()) as actor:
        institution_ids = list(
            visible_institutions(actor).order_by("pk").values_list("pk", flat=True)
        )
    for institution_id in institution_ids:
        with scope(actors.sweep(institution_id)) as actor:
            receipts.rematch(actor=actor)
