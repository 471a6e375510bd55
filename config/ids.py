"""UUIDv7 primary keys (RFC 9562 §5.7): ordered by time, and no count can be read from them."""

import secrets
import threading
import time
import uuid

from django.db import models

_RANDOM_BITS = 74
_STEP_BITS = 32
_lock = threading.Lock()
_last = (0, 0)


def uuid7() -> uuid.UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits.

    Within one process ids only grow (RFC 9562 §6.2, method 2): in the same millisecond the random
    part is increased by a random step, so rows made together sort as they were made.
    """
    global _last
    with _lock:
        milliseconds, tail = time.time_ns() // 1_000_000, secrets.randbits(_RANDOM_BITS - 1)
        if milliseconds <= _last[0]:
            milliseconds, tail = _last[0], _last[1] + 1 + secrets.randbits(_STEP_BITS)
        _last = (milliseconds, tail)
    high, low = tail >> 62, tail & ((1 << 62) - 1)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def primary_key() -> models.UUIDField:
    """The primary key of every table whose rows an outsider can name."""
    return models.UUIDField(primary_key=True, default=uuid7, editable=False)
