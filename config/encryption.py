"""Borrowers' personal fields at rest: AES-256-GCM, bound to the row and column they are in.

A stored value is `version (1 byte) | key id (8 bytes, zero-padded) | nonce (12) | ciphertext`.
The additional data is `table.column:primary key`, so that a ciphertext moved to another row or
column does not open. Keys live in settings (`FIELD_KEYS`: key id → 32 bytes, the first one
current), never in the database.

A value that must be found again also has a blind index: a keyed digest under a key of its own.
Whoever had that key could try all telephone numbers in hours, so it is kept as carefully.
"""

import functools
import hashlib
import hmac
import os
import unicodedata
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

VERSION = b"\x01"
KEY_ID_BYTES = 8
NONCE_BYTES = 12
HEADER_BYTES = len(VERSION) + KEY_ID_BYTES
BLIND_INDEX_BYTES = 16


@functools.lru_cache(maxsize=64)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def _bound_to(table: str, column: str, primary_key) -> bytes:
    return f"{table}.{column}:{primary_key}".encode()


def current_header() -> bytes:
    """What begins every value that is sealed now: the version and the current key's id."""
    key_id = next(iter(settings.FIELD_KEYS))
    return VERSION + key_id.encode().ljust(KEY_ID_BYTES, b"\0")


def seal(text: str, *, table: str, column: str, primary_key) -> bytes:
    """`text` encrypted under the current key for this one place."""
    return seal_bytes(text.encode(), table=table, column=column, primary_key=primary_key)


def seal_bytes(content: bytes, *, table: str, column: str, primary_key) -> bytes:
    """Bytes encrypted as `seal` does."""
    key = next(iter(settings.FIELD_KEYS.values()))
    nonce = os.urandom(NONCE_BYTES)
    header = current_header()
    place = _bound_to(table, column, primary_key)
    return header + nonce + _cipher(key).encrypt(nonce, content, header + place)


def seal_column(
    texts: Sequence[str], *, table: str, column: str, primary_keys: Sequence[object]
) -> list[bytes]:
    """`seal` for one column of many rows; an empty text stays empty."""
    key_id, key = next(iter(settings.FIELD_KEYS.items()))
    header = VERSION + key_id.encode().ljust(KEY_ID_BYTES, b"\0")
    encrypt = _cipher(key).encrypt
    before = header + f"{table}.{column}:".encode()
    nonces = os.urandom(NONCE_BYTES * len(texts))
    sealed = []
    for place, (text, primary_key) in enumerate(zip(texts, primary_keys, strict=True)):
        if text:
            nonce = nonces[place * NONCE_BYTES : (place + 1) * NONCE_BYTES]
            bound = before + str(primary_key).encode()
            sealed.append(header + nonce + encrypt(nonce, text.encode(), bound))
        else:
            sealed.append(b"")
    return sealed


def unseal(sealed: bytes, *, table: str, column: str, primary_key) -> str:
    """The text of what `seal` made for the same place. Raises as `unseal_bytes`."""
    return unseal_bytes(sealed, table=table, column=column, primary_key=primary_key).decode()


def unseal_bytes(sealed: bytes, *, table: str, column: str, primary_key) -> bytes:
    """The content of what `seal_bytes` made for the same place.

    Raises `cryptography.exceptions.InvalidTag` when it was altered or moved, `KeyError` when the
    key that its header names is gone.
    """
    sealed = bytes(sealed)
    header, rest = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
    key = settings.FIELD_KEYS[header[len(VERSION) :].rstrip(b"\0").decode()]
    nonce, ciphertext = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
    place = _bound_to(table, column, primary_key)
    return _cipher(key).decrypt(nonce, ciphertext, header + place)


class EncryptedField(models.BinaryField):
    """A text that is sealed when its row is saved; read it with `reveal`.

    Assign a `str` to change it. What comes from the database stays `bytes`: nothing is decrypted
    that nobody asked for.
    """

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("default", b"")
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def pre_save(self, model_instance, add):
        value = getattr(model_instance, self.attname)
        if isinstance(value, str):
            value = (
                seal(
                    value,
                    table=model_instance._meta.db_table,
                    column=self.column,
                    primary_key=model_instance.pk,
                )
                if value
                else b""
            )
            setattr(model_instance, self.attname, value)
        return value


def reveal(row: models.Model, field_name: str) -> str:
    """The plain text of one encrypted field of one row; empty when there is none."""
    value = getattr(row, field_name)
    if isinstance(value, str) or not value:
        return value or ""
    field = row._meta.get_field(field_name)
    return unseal(value, table=row._meta.db_table, column=field.column, primary_key=row.pk)


def blind_index(text: str, *, field: str, owner) -> bytes | None:
    """By what a value of one field of one owner (an institution's id) is found; None for nothing.

    HMAC-SHA-256, the first 16 bytes. Only letters and digits count, whatever their width and
    case: `+49 171 555-0101` and `491715550101` are one number. A number's way of dialling abroad
    is not guessed: `0049…` is another.
    """
    return blind_indexes([text], field=field, owner=owner)[0]


def blind_indexes(texts: Sequence[str], *, field: str, owner) -> list[bytes | None]:
    """`blind_index` for one column of many rows."""
    # What all have in common is digested once.
    begun = hmac.new(settings.BLIND_INDEX_KEY, f"{owner}:{field}:".encode(), hashlib.sha256)
    indexes: list[bytes | None] = []
    for text in texts:
        plain = _plain(text)
        if not plain:
            indexes.append(None)
            continue
        digest = begun.copy()
        digest.update(plain.encode())
        indexes.append(digest.digest()[:BLIND_INDEX_BYTES])
    return indexes


def _plain(text: str) -> str:
    """The letters and digits of a text, in one width and case."""
    plain = text.lower()
    if plain.isascii() and plain.isalnum():
        return plain
    wide = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in wide if character.isalnum())
