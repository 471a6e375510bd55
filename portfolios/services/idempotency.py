"""One effect however often a call is sent: the first answer is kept under the caller's key."""

import hashlib
import json
from typing import Any

from django.db import OperationalError, connection
from django.utils.translation import gettext_lazy as _

from agencies.actors import Actor
from agencies.models import IdempotentCall
from config import clock, errors

LONGEST_KEY = 80
LOCK_NOT_AVAILABLE = "55P03"


def lock(what: str, owner_id) -> None:
    """Wait for whoever else works on `what` of this owner, until the transaction ends.

    Raises `InvalidState` with `BUSY` when that takes too long.
    """
    digest = hashlib.sha256(f"{what}:{owner_id}".encode()).digest()
    with connection.cursor() as cursor:
        number = int.from_bytes(digest[:8], signed=True)
        try:
            cursor.execute("select pg_advisory_xact_lock(%s)", [number])
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            raise errors.InvalidState(
                "BUSY", _("Other work of yours is being recorded. Try again in a moment.")
            ) from error


def first_answer(actor: Actor, operation: str, key: str, body) -> list | None:
    """The answer that this key was given before, None if it is new; call it under a lock.

    Raises `InvalidInput`: `REQUIRED`, `TOO_LONG`, or `KEY_REUSED` when the key came with another
    body before.
    """
    if not key.strip():
        raise errors.InvalidInput(
            "REQUIRED", _("Give a key that names this batch."), field="idempotency_key"
        )
    if len(key) > LONGEST_KEY:
        raise errors.InvalidInput(
            "TOO_LONG", _("The key has more than 80 characters."), field="idempotency_key"
        )
    call = IdempotentCall.objects.filter(
        agency=actor.agency_id, operation=operation, key=key
    ).first()
    if call is None:
        return None
    if call.body_sha256 != _hash(body):
        raise errors.InvalidInput(
            "KEY_REUSED",
            _("This key was used for another batch. Send a new batch under a new key."),
            field="idempotency_key",
        )
    return call.answer


def keep(actor: Actor, operation: str, key: str, body, answer: list) -> None:
    """Keep the first answer, in the transaction of what it tells about."""
    owner: Any = actor.agency_id
    IdempotentCall(
        agency_id=owner,
        operation=operation,
        key=key,
        body_sha256=_hash(body),
        answer=answer,
        answered_at=clock.now(),
    ).save(force_insert=True)


def _hash(body) -> str:
    text = json.dumps(body, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
