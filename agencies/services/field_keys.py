"""Encrypted fields brought under the current key: every `EncryptedField` of every table.

Runs on the owner's connection: it changes rows of every institution, and whoever has the owner's
password and the keys could read them anyhow. Nothing but the sealing changes, so nothing is
audited. It may be killed anywhere and run again: what is done is told by the values themselves.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from config import encryption, errors
from config.encryption import EncryptedField

BATCH_ROWS = 500
BATCH_BYTES = 32 * 1024 * 1024

# Not yet under the current key is told by the beginning of a value, without opening it.
LEFT = (
    "select count(*) from {table}"
    " where octet_length({column}) > 0 and substring({column} for {length}) <> %(header)s"
)
# As many as fit into one statement's memory, and always at least one.
BATCH = (
    "select id, value from (select id, value, sum(octet_length(value)) over (order by id) as bytes,"
    " row_number() over (order by id) as place from (select {pk} as id, {column} as value"
    " from {table} where octet_length({column}) > 0"
    " and substring({column} for {length}) <> %(header)s"
    " and (%(after)s::{pk_type} is null or {pk} > %(after)s::{pk_type})"
    " order by {pk} limit %(rows)s) as old) as sized"
    " where bytes <= %(bytes)s or place = 1 order by id"
)
# Compare-and-swap: what somebody has written meanwhile stays as they wrote it.
SWAP = (
    "update {table} as kept set {column} = fresh.value"
    " from unnest(%(ids)s::{pk_type}[], %(before)s::bytea[], %(after)s::bytea[])"
    " as fresh (id, before, value)"
    " where kept.{pk} = fresh.id and kept.{column} = fresh.before"
)
KEYS = (
    "select distinct substring({column} from {key_from} for {key_length}) from {table}"
    " where octet_length({column}) > 0"
)


@dataclasses.dataclass(frozen=True)
class Place:
    """One encrypted column of one table."""

    model: type[Model]
    column: str

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"

    def sql(self, template: str, connection: BaseDatabaseWrapper) -> str:
        pk: Any = self.model._meta.pk
        quote = connection.ops.quote_name
        return template.format(
            table=quote(self.table),
            column=quote(self.column),
            pk=quote(pk.column),
            pk_type=pk.db_type(connection),
            length=encryption.HEADER_BYTES,
            key_from=len(encryption.VERSION) + 1,
            key_length=encryption.KEY_ID_BYTES,
        )


def places() -> list[Place]:
    """Every encrypted column there is, found by looking at the models."""
    return [
        Place(model, field.attname)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedField)
    ]


def left(connection: BaseDatabaseWrapper) -> dict[Place, int]:
    """How many values of each place are under another key than the current one."""
    counts = {}
    with connection.cursor() as cursor:
        for place in places():
            cursor.execute(place.sql(LEFT, connection), {"header": encryption.current_header()})
            counts[place] = cursor.fetchone()[0]
    return counts


def rotate(connection: BaseDatabaseWrapper, told: Callable[[Place, int], None]) -> int:
    """Seal everything anew that is under an old key; answers how many values that were.

    `told` hears after every batch how many were sealed in it. It goes round until nothing is
    left: a process that has not heard of the new key may write under the old one meanwhile.
    Raises `InvalidState` with `KEY_MISSING` before anything is changed when a key is not there.
    """
    _demand_keys(connection)
    sealed: Counter[Place] = Counter()
    while any(left(connection).values()):
        for place in places():
            for count in _batches(place, connection):
                sealed[place] += count
                told(place, count)
    return sealed.total()


def _demand_keys(connection: BaseDatabaseWrapper) -> None:
    used: set[str] = set()
    with connection.cursor() as cursor:
        for place in places():
            cursor.execute(place.sql(KEYS, connection))
            used |= {bytes(row[0]).rstrip(b"\0").decode() for row in cursor.fetchall()}
    missing = sorted(used - settings.FIELD_KEYS.keys())
    if missing:
        raise errors.InvalidState(
            "KEY_MISSING",
            _("Values are under keys that FAIRPLACE_FIELD_KEYS does not have: %(keys)s.")
            % {"keys": ", ".join(missing)},
        )


def _batches(place: Place, connection: BaseDatabaseWrapper) -> Iterator[int]:
    """Seals one place from its first row to its last, each batch in a transaction of its own."""
    given: dict[str, Any] = {
        "header": encryption.current_header(),
        "rows": BATCH_ROWS,
        "bytes": BATCH_BYTES,
        "after": None,
    }
    while True:
        with connection.cursor() as cursor:
            cursor.execute(place.sql(BATCH, connection), given)
            rows = cursor.fetchall()
            if not rows:
                return
            yield _swap(place, connection, cursor, rows)
        given["after"] = rows[-1][0]


def _swap(
    place: Place, connection: BaseDatabaseWrapper, cursor: CursorWrapper, rows: Iterable[tuple]
) -> int:
    ids, before, after = [], [], []
    for key, value in rows:
        where = {"table": place.table, "column": place.column, "primary_key": key}
        ids.append(key)
        before.append(bytes(value))
        after.append(encryption.seal_bytes(encryption.unseal_bytes(value, **where), **where))
    cursor.execute(place.sql(SWAP, connection), {"ids": ids, "before": before, "after": after})
    return cursor.rowcount
