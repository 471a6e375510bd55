"""Sweeps of the portfolios. Each calls a service; running one twice, or late, changes nothing."""

from celery import shared_task

from agencies import actors
from agencies.scope import scope
from agencies.selectors import visible_institutions
from portfolios.services import (
    eligibility,
    holds,
    import_runs,
    imports,
    placements,
    portfolios,
    recalls,
    receipts,
    spells,
)

# A broker that waits for an answer gives up after 30 minutes (RabbitMQ's consumer timeout).
LONGEST_IMPORT_SECONDS = 1500


def _institution_ids() -> list:
    with scope(actors.sweep()) as actor:
        return list(visible_institutions(actor).order_by("pk").values_list("pk", flat=True))


@shared_task
def rematch_receipts() -> None:
    """Pair receipts that waited with reports that came since, bank by bank."""
    for institution_id in _institution_ids():
        with scope(actors.sweep(institution_id)) as actor:
            receipts.rematch(actor=actor)


@shared_task(soft_time_limit=LONGEST_IMPORT_SECONDS - 60, time_limit=LONGEST_IMPORT_SECONDS)
def move_imports() -> None:
    """Check, write or undo what waits for it, bank by bank; what is not done in time goes on with
    the next call."""
    for institution_id in _institution_ids():
        import_runs.move_on(actor=actors.sweep(institution_id))


@shared_task
def cancel_old_imports() -> None:
    """Throw away files of loans that nobody decided about, bank by bank."""
    for institution_id in _institution_ids():
        with scope(actors.sweep(institution_id)) as actor:
            imports.cancel_old(actor=actor)


@shared_task
def close_ended_spells() -> None:
    """Free the loans of large placements that have ended, bank by bank, some at a time."""
    for institution_id in _institution_ids():
        closed = 1
        while closed:
            with scope(actors.sweep(institution_id)) as actor:
                closed = spells.close_ended(actor=actor)


@shared_task
def fold_tallies() -> None:
    """Put together what changes of loans have left in the tallies of portfolios."""
    with scope(actors.sweep()) as actor:
        portfolios.fold_tallies(actor=actor)


@shared_task
def move_placements_on() -> None:
    """Make due recalls final, end placements whose term is over, release holds that have run out,
    bank by bank."""
    for institution_id in _institution_ids():
        with scope(actors.sweep(institution_id)) as actor:
            recalls.finalise_due(actor=actor)
        with scope(actors.sweep(institution_id)) as actor:
            placements.expire_due(actor=actor)
        with scope(actors.sweep(institution_id)) as actor:
            holds.release_expired(actor=actor)


@shared_task
def check_eligibility() -> None:
    """Put placed loans that may not be collected on hold, bank by bank."""
    for institution_id in _institution_ids():
        with scope(actors.sweep(institution_id)) as actor:
            eligibility.enforce(actor=actor)
