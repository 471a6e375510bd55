"""Pages of a list, by keyset: no offset to count through, no row shown twice or skipped.

The order is that of the primary key, which for UUIDv7 is the order of creation.
"""

import base64

import graphene
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from config import errors
from config.graphql import rules

PAGE_MAX = 100


class Connection(graphene.relay.Connection):
    """A page of a list, and the list it is of."""

    class Meta:
        abstract = True

    total_count = graphene.Int(
        required=True, description="How many there are on all pages; counted when asked for."
    )

    def resolve_total_count(root, info):
        return root.everything.count()


rules.declare(graphene.relay.PageInfo, rules.EVERYONE)


def make(node, name: str, allow: frozenset[str]) -> type[Connection]:
    """The connection type `<name>Connection` of a node type, with its rules."""
    connection = Connection.create_type(f"{name}Connection", node=node, strict_types=True)
    rules.declare(connection, allow)
    rules.declare(connection.Edge, allow)
    return connection


def page(
    connection: type[Connection],
    everything: QuerySet,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    newest_first: bool = False,
    along: tuple[str, ...] = (),
) -> Connection:
    """The `first` after a cursor or the `last` before one, at most 100, in order of the key.

    `along` names columns that are the same in every row; naming them picks the index to read by.
    Raises `InvalidInput` with `PAGE_SIZE` or `INVALID_CURSOR`.
    """
    size = _size(first, last)
    backwards = last is not None
    model = everything.model
    later, earlier = ("pk__lt", "pk__gt") if newest_first else ("pk__gt", "pk__lt")
    queryset = everything
    if after is not None:
        queryset = queryset.filter(**{later: _key(model, after, "after")})
    if before is not None:
        queryset = queryset.filter(**{earlier: _key(model, before, "before")})
    sign = "" if backwards == newest_first else "-"
    queryset = queryset.order_by(*(f"{sign}{column}" for column in (*along, "pk")))
    rows = list(queryset[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    answer = connection(
        edges=[_edge(connection, row, rows) for row in rows],
        page_info=graphene.relay.PageInfo(
            has_next_page=before is not None if backwards else more,
            has_previous_page=more if backwards else after is not None,
            start_cursor=_cursor(rows[0]) if rows else None,
            end_cursor=_cursor(rows[-1]) if rows else None,
        ),
    )
    answer.everything = everything
    return answer


def peers(row: Model) -> list[Model]:
    """The rows of the page that `row` came with: what is looked up for one is for all."""
    return getattr(row, "_page_of_connection", [row])


def _edge(connection, row, rows):
    row._page_of_connection = rows
    return connection.Edge(node=row, cursor=_cursor(row))


def _size(first: int | None, last: int | None) -> int:
    size = last if first is None else first
    if size is None or (first is not None and last is not None) or not 1 <= size <= PAGE_MAX:
        raise errors.InvalidInput(
            "PAGE_SIZE",
            _("Say with either `first` or `last` how many you want, from 1 to 100."),
            field="last" if first is None and last is not None else "first",
        )
    return size


def _cursor(row: Model) -> str:
    return base64.urlsafe_b64encode(str(row.pk).encode()).decode().rstrip("=")


def _key(model: type[Model], cursor: str, field: str):
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return model._meta.pk.to_python(text)
    except (ValueError, ValidationError) as error:
        raise errors.InvalidInput(
            "INVALID_CURSOR", _("This is not a cursor of this list."), field=field
        ) from error
