"""How things are read: fields with a declared rule.

For the root (`class Query`) and, where something belongs to a row, inside a `Node`. All may be
null: outside the rule a field answers null and an error with the code `NOT_ALLOWED`.
"""

from collections.abc import Callable

import graphene
from django.utils.translation import gettext_lazy as _

from config import errors
from config.graphql import connections, rules, scalars


class GuardedField(graphene.Field):
    """A field that runs its resolver only for the roles that `allow()` names.

    With `plain` (the default) each `ID` among the arguments reaches the resolver as a UUID.
    """

    def __init__(self, type_, *, allow: Callable[[], frozenset[str]], plain=True, **options):
        super().__init__(type_, **options)
        self.allow = allow
        self.plain = plain

    def wrap_resolve(self, parent_resolver):
        resolver = super().wrap_resolve(parent_resolver)

        def resolve(root, info, **arguments):
            if self.plain:
                arguments = scalars.plain_arguments(info, arguments)
            return resolver(root, info, **arguments)

        return rules.guard(resolve, self.allow())


def field(
    type_, *, allow: frozenset[str], resolver=None, description=None, **arguments
) -> GuardedField:
    """A field for the roles in `allow`; `resolver(root, info, **arguments)`, or `resolve_<name>`.

    Every `ID` among the arguments arrives as a UUID. A `NotFound` out of the resolver is null.
    """
    allow = rules.checked("A query field", allow)
    return GuardedField(
        type_, allow=lambda: allow, resolver=resolver, description=description, args=arguments
    )


def _node_type(node):
    return node if isinstance(node, type) else node()


def node(node_type, *, description: str | None = None) -> GuardedField:
    """One row by its identifier, `loan(id: ID!): Loan`, by the type's own rule and selector.

    A malformed, a foreign and an absent identifier all answer null, and are logged alike.
    """

    def resolve(root, info, id):
        found = _node_type(node_type).get_node(info, id)
        if found is None:
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
        return found

    return GuardedField(
        lambda: _node_type(node_type),
        allow=lambda: _node_type(node_type)._meta.allow,
        plain=False,
        resolver=resolve,
        description=description,
        args={"id": graphene.Argument(graphene.ID, required=True)},
    )


def connection(
    node_type,
    *,
    narrow: Callable | None = None,
    allow: frozenset[str] | None = None,
    newest_first: bool = False,
    along: Callable | None = None,
    on_read: Callable | None = None,
    description: str | None = None,
    **filters,
) -> GuardedField:
    """Pages of the rows that the type's selector shows, in order of the key, at most 100 a page.

    `narrow(visible, root, **filters)` makes the list smaller: `visible` is what the selector
    shows, `root` the object the field belongs to (None at the root), `filters` the arguments
    that were given, each `ID` as a UUID. `along(actor)` names columns that are the same in all
    rows that this actor sees, as in `connections.page`. `allow` defaults to the type's own and
    never exceeds it. `on_read(root, info)` is told of each page that is read.
    """

    def allowed():
        own = _node_type(node_type)._meta.allow
        if allow is None:
            return own
        return rules.checked("A connection", allow) & own

    def resolve(root, info, first=None, after=None, last=None, before=None, **arguments):
        if on_read is not None:
            on_read(root, info)
        rows = _node_type(node_type).visible(info)
        if narrow is not None:
            rows = narrow(rows, root, **arguments)
        return connections.page(
            _node_type(node_type)._meta.connection,
            rows,
            first=first,
            after=after,
            last=last,
            before=before,
            newest_first=newest_first,
            along=along(info.context.actor) if along else (),
        )

    paging = {
        "first": graphene.Int(description="How many from the start, from 1 to 100."),
        "after": graphene.String(description="Only what comes after this cursor."),
        "last": graphene.Int(description="How many from the end, from 1 to 100."),
        "before": graphene.String(description="Only what comes before this cursor."),
    }
    return GuardedField(
        lambda: _node_type(node_type)._meta.connection,
        allow=allowed,
        resolver=resolve,
        description=description,
        args={**paging, **filters},
    )
