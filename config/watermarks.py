"""A moment before which nothing will be recorded any more."""

import time
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext_lazy as _

from config import clock, errors

LONGEST_SECONDS = 15.0
PAUSE_SECONDS = 0.02
# Transactions of others that were open when it was asked. One that waits for us will be later.
UNDER_WAY = """
    select l.virtualtransaction from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'virtualxid' and l.granted and l.pid <> pg_backend_pid()
        and a.datname = current_database() and a.backend_type = 'client backend'
        and not pg_backend_pid() = any (pg_blocking_pids(l.pid))
"""


def take() -> datetime:
    """The moment of the call, once every transaction that was open then has ended.

    What is recorded carries the moment at which its transaction read the clock, and is seen when it
    commits: without waiting, something from before the moment could appear after what was read up
    to it. The caller reads from its next statement on. Raises `InvalidState` `BUSY` where
    somebody's transaction takes too long.
    """
    moment = clock.now()
    waited_for = _under_way()
    until = time.monotonic() + LONGEST_SECONDS
    while waited_for:
        if time.monotonic() > until:
            raise errors.InvalidState(
                "BUSY", _("Other work is being recorded. Try again in a moment.")
            )
        time.sleep(PAUSE_SECONDS)
        waited_for &= _under_way()
    return moment


def _under_way() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(UNDER_WAY)
        return {transaction for (transaction,) in cursor.fetchall()}
