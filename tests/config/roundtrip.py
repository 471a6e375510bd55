"""Tasks for a real worker to run in tests; their effect is a row that the test can read."""

import os
import signal

from celery import shared_task
from django.core.cache import cache


@shared_task(name="tests.remember")
def remember(key: str) -> None:
    cache.set(key, os.getpid())


@shared_task(name="tests.die_once")
def die_once(key: str) -> None:
    """Killed in the middle the first time, finished the second."""
    if cache.add(f"{key}-started", "yes"):
        os.kill(os.getpid(), signal.SIGKILL)
    cache.set(key, "finished")
