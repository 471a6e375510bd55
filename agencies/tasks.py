"""Sweeps of who is logged in. Each calls a service; running one twice, or late, changes nothing."""

from celery import shared_task

from agencies import actors
from agencies.scope import scope
from agencies.services import leftovers


@shared_task
def forget_expired() -> None:
    """Delete sessions and tokens that have run out."""
    with scope(actors.sweep()) as actor:
        leftovers.forget_expired(actor=actor)
