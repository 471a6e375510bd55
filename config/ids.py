"""UUIDv7 primary keys (RFC 9562 §5.7): ordered by time, and no count can be read from them."""

import itertools
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
    return uuid.UUID(int=_values(1)[0])


def uuid7s(count: int) -> list[str]:
    """`count` new ids as text, each above the one before, at a fraction of their price one by
    one."""
    digits = [f"{value:032x}" for value in _values(count)]
    return [f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}" for d in digits]


def _values(count: int) -> list[int]:
    """The 128 bits of the next ids."""
    global _last
    steps = memoryview(secrets.token_bytes(_STEP_BITS // 8 * count)).cast("I")
    with _lock:
        milliseconds, tail = time.time_ns() // 1_000_000, secrets.randbits(_RANDOM_BITS - 1)
        if milliseconds <= _last[0]:
            milliseconds, tail = _last[0], _last[1] + 1
        tails = list(itertools.accumulate(steps, lambda at, step: at + step + 1, initial=tail))
        _last = (milliseconds, tails[-1])
    head = milliseconds << 80 | 0x7 << 76 | 0b10 << 62
    return [head | tail >> 62 << 64 | tail & ((1 << 62) - 1) for tail in tails[1:]]


def primary_key() -> models.UUIDField:
    """The primary key of every table whose rows an outsider can name."""
    return models.UUIDField(primary_key=True, default=uuid7, editable=False)
