"""Sweeps of the portfolios. Each calls a service; running one twice, or late, changes nothing."""

from celery import shared_task

from agencies import actors
from agencies.scope import scope
from agencies.selectors import visible_institutions
from portfolios.services import eligibility, holds, placements, recalls, receipts, uploads


def _institution_ids() -> list:
    with scope(actors.sweep()) as actor:
        return list(visible_institutions(actor).order_by("pk").values_list("pk", flat=True))


@shared_task
def rematch_receipts() -> None:
    """Pair receipts that waited with reports that came since, bank by bank."""
    for institution_id in _institution_ids():
        with scope(actors.sweep(institution_id)) as actor:
            receipts.rematch(actor=actor)


@shared_task
def discard_old_uploads() -> None:
    """Throw away checked files of loans that nobody decided about, bank by bank."""
    for institution_id in _institution_ids():
        with scope(actors.sweep(institution_id)) as actor:
            uploads.discard_old(actor=actor)


@shared_task
def move_placements_on() -> None:
    """Make due recalls final, close what has ended, release holds that have run out, bank by
    bank."""
    for institution_id in _institution_ids():
        with scope(actors.sweep(institution_id)) as actor:
            recalls.finalise_due(actor=actor)
        with scope(actors.sweep(institution_id)) as actor:
            placements.expire_due(actor=actor)
        with scope(actors.sweep(institution_id)) as actor:
            placements.close_ended(actor=actor)
        with scope(actors.sweep(institution_id)) as actor:
            holds.release_expired(actor=actor)


@shared_task
def check_eligibility() -> None:
    """Put placed loans that may not be collected on hold, bank by bank."""
    for institution_id in _institution_ids():
        with scope(actors.sweep(institution_id)) as actor:
            eligibility.enforce(actor=actor)
