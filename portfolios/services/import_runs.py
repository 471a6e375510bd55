"""What moves an import on: checking its file, writing its loans, or undoing them.

Each works through the file in chunks, one transaction each, and writes how far it came in the
same transaction, so that it can be killed anywhere. A check begins again; a writing goes on after
the last row written, and ends with the same loans. The imports of one bank run one after the
other, under a lock that ends with the session that holds it.
"""

import contextlib
import datetime
import gc
from collections.abc import Iterator

from django.db import DatabaseError, connection
from django.db.models import F

from agencies import policies
from agencies.actors import Actor
from agencies.scope import scope
from config import clock
from portfolios.models import LoanImport
from portfolios.selectors import visible_imports
from portfolios.services.import_checks import check
from portfolios.services.import_chunks import State, Watcher
from portfolios.services.import_writes import undo, write

ROWS_AMONG_COLLECTIONS = 200_000
MOVING = (State.CHECKING, State.IMPORTING, State.CANCELLING)


def move_on(*, actor: Actor, import_id=None, watch: Watcher = lambda _import: None) -> int:
    """Work until no import of the actor's bank (or this one) can be moved on; answers how many.

    Call it outside any transaction: each chunk has its own. `watch` is told after each chunk.
    Another process that is at work on the bank's imports is left alone: then the answer is 0.
    Raises what went wrong for a reason of ours; called again, it begins with the others.
    """
    policies.demand(actor, policies.SWEEPS | policies.VENDOR_MANAGERS)
    moved = 0
    with _alone(actor) as alone, _collecting_seldom():
        while alone and (found := _next(actor, import_id)) is not None:
            _step(actor, found, watch)
            with scope(actor):
                found.refresh_from_db()
            watch(found)
            moved += 1
    return moved


def _step(actor: Actor, found: LoanImport, watch: Watcher) -> None:
    """Do what one import waits for. An error of ours is remembered, so that the next call begins
    with the bank's other imports, and raised for whoever watches the workers."""
    step = {State.CHECKING: check, State.IMPORTING: write, State.CANCELLING: undo}
    try:
        step[State(found.state)](actor, found, watch)
    except Exception:
        with contextlib.suppress(DatabaseError), scope(actor):
            _remember(found, clock.now())
        raise
    if found.stumbled_at is not None:
        with scope(actor):
            _remember(found, None)


def _remember(found: LoanImport, stumbled_at: datetime.datetime | None) -> None:
    LoanImport.objects.filter(pk=found.pk).update(stumbled_at=stumbled_at)


def _next(actor: Actor, import_id) -> LoanImport | None:
    with scope(actor):
        waiting = (
            visible_imports(actor)
            .filter(state__in=MOVING)
            .select_related("portfolio", "institution")
        )
        if import_id is not None:
            waiting = waiting.filter(pk=import_id)
        return waiting.order_by(F("stumbled_at").asc(nulls_first=True), "uploaded_at", "pk").first()


@contextlib.contextmanager
def _alone(actor: Actor) -> Iterator[bool]:
    """Whether this session is the one that works on the bank's imports. It may be so twice."""
    key = f"loan imports of {actor.institution_id}"
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        alone = cursor.fetchone()[0]
    try:
        yield alone
    finally:
        if alone and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [key])


@contextlib.contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Rows are lists by the thousand, none of which refers to itself: looked at by the collector of
    cycles as often as usual, they would cost a fifth more."""
    usual = gc.get_threshold()
    gc.set_threshold(ROWS_AMONG_COLLECTIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
