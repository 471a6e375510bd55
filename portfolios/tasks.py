"""Sweeps of the portfolios. Each calls a service; running one twice, or late, changes nothing."""

from celery import shared_task

from agencies import actors
from agencies.scope import scope
from agencies.selectors import visible_institutions
from portfolios.services import placements, portfolios, receipts, uploads


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
def close_ended_spells() -> None:
    """Free the loans of large placements that were recalled, bank by bank, some at a time."""
    for institution_id in _institution_ids():
        closed = 1
        while closed:
            with scope(actors.sweep(institution_id)) as actor:
                closed = placements.close_ended(actor=actor)


@shared_task
def fold_tallies() -> None:
    """Put together what changes of loans have left in the tallies of portfolios."""
    with scope(actors.sweep()) as actor:
        portfolios.fold_tallies(actor=actor)
