"""Sweeps of the market. Each calls a service; running one twice, or late, changes nothing."""

import logging

from celery import shared_task

from agencies import actors
from agencies.scope import scope
from agencies.selectors import visible_institutions
from marketplace.services import rankings

logger = logging.getLogger(__name__)


@shared_task
def compute_rankings() -> None:
    """Once a day, on the day of each institution, its rankings in every currency."""
    with scope(actors.sweep()) as actor:
        institution_ids = list(
            visible_institutions(actor).order_by("pk").values_list("pk", flat=True)
        )
    for institution_id in institution_ids:
        try:
            with scope(actors.sweep(institution_id)) as actor:
                rankings.compute_due(actor=actor)
        except Exception:
            # One bank's fault is not the next one's; it is tried again with the next wake-up.
            logger.exception("the rankings of institution %s failed", institution_id)
