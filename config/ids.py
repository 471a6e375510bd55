"""UUIDv7 primary keys (RFC 9562 §5.7): ordered by time, and no count can be read from them."""

import secrets
import time
import uuid

from django.db import models


def uuid7() -> uuid.UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= secrets.randbits(12) << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return uuid.UUID(int=value)


def primary_key() -> models.UUIDField:
    """The primary key of every table whose rows an outsider can name."""
    return models.UUIDField(primary_key=True, default=uuid7, editable=False)
