"""How big a document is, before anything of it runs.

One memoised walk over the document: a fragment is measured once, however often it is spread, so
the walk is linear in the text while the figures it finds may be astronomical. Unknown and
self-referring fragments count as empty; validation refuses them afterwards.
"""

import dataclasses

from django.utils.translation import gettext_lazy as _
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    type_from_ast,
)
from graphql.validation.rules import overlapping_fields_can_be_merged

from config import errors
from config.graphql.connections import PAGE_MAX

# The library's own meter for comparing fields that might overlap; it reads this when it starts.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 20_000

BODY_BYTES = 1_000_000
QUERY_BYTES = 20_000
TOKENS = 2_000
COMMENTS = 100
JSON_DEPTH = 20
JSON_VALUES = 20_000
VALIDATION_ERRORS = 5
NESTING = 64
LIST_SIZE = 10
"""What a list that has no pages is taken to hold."""


@dataclasses.dataclass(frozen=True)
class Size:
    """What a selection amounts to with all its fragments written out.

    `roots` are the fields of its uppermost level. `cost` counts a field once for every object
    it is read from, taking each page for full.
    """

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    roots: int = 0
    directives: int = 0
    cost: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(
            depth=max(self.depth, other.depth),
            aliases=self.aliases + other.aliases,
            fields=self.fields + other.fields,
            roots=self.roots + other.roots,
            directives=self.directives + other.directives,
            cost=self.cost + other.cost,
        )


LIMITS = Size(depth=10, aliases=15, fields=300, roots=10, directives=20, cost=5_000)


def measure(schema: GraphQLSchema, document: DocumentNode, variables: dict | None = None) -> Size:
    """The size of all operations of a document together. Raises `InvalidInput` if nested absurdly.

    `variables` are the raw ones of the request: page sizes are looked up in them.
    """
    walk = _Walk(schema, document, variables or {})
    total = Size()
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            root = schema.get_root_type(definition.operation)
            total += walk.selections(definition.selection_set, root, 0)
            total += _directives(definition)
            for variable in definition.variable_definitions or ():
                total += _directives(variable)
    return total


def demand(size: Size) -> None:
    """Raise `InvalidInput` with `TOO_COMPLEX` if anything is above its limit."""
    for name, limit in dataclasses.asdict(LIMITS).items():
        if getattr(size, name) > limit:
            raise _too_complex(name, limit)


def _too_complex(name: str, limit: int) -> errors.InvalidInput:
    message = _("The query is too large: its %(name)s may be at most %(limit)s.")
    return errors.InvalidInput("TOO_COMPLEX", message % {"limit": limit, "name": name})


def _directives(node) -> Size:
    return Size(directives=len(node.directives or ()))


class _Walk:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: dict):
        self.schema = schema
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.measured: dict[str, Size] = {}
        self.variables = variables
        self.defaults = {
            variable.variable.name.value: variable.default_value
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
            for variable in definition.variable_definitions or ()
        }

    def selections(self, selection_set, parent, nesting: int) -> Size:
        if nesting > NESTING:
            raise _too_complex("depth", LIMITS.depth)
        total = Size()
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                total += self.field(node, parent, nesting)
            elif isinstance(node, FragmentSpreadNode):
                total += self.fragment(node.name.value, nesting)
            else:
                condition = node.type_condition
                inner = type_from_ast(self.schema, condition) if condition else parent
                total += self.selections(node.selection_set, inner, nesting + 1)
            total += _directives(node)
        return total

    def fragment(self, name: str, nesting: int) -> Size:
        if name not in self.measured:
            self.measured[name] = Size()
            if definition := self.fragments.get(name):
                condition = type_from_ast(self.schema, definition.type_condition)
                size = self.selections(definition.selection_set, condition, nesting + 1)
                self.measured[name] = size + _directives(definition)
        return self.measured[name]

    def field(self, node: FieldNode, parent, nesting: int) -> Size:
        name = node.name.value
        declared = getattr(parent, "fields", {}).get(name)
        inside = Size()
        if node.selection_set:
            named = get_named_type(declared.type) if declared else None
            inside = self.selections(node.selection_set, named, nesting + 1)
            if name in ("__schema", "__type"):
                # Its own validation rules decide about introspection; the depth is the standard's.
                inside = dataclasses.replace(inside, depth=0, fields=0, cost=0)
        return Size(
            depth=inside.depth + 1,
            aliases=inside.aliases + (node.alias is not None),
            fields=inside.fields + 1,
            roots=1,
            directives=inside.directives,
            cost=1 + inside.cost * self.size_of(node, parent, declared),
        )

    def size_of(self, node: FieldNode, parent, declared) -> int:
        """How many objects the field is taken to hold: its page, or the largest one."""
        asked = [
            self.number(argument.value)
            for argument in node.arguments or ()
            if argument.name.value in ("first", "last")
        ]
        if asked:
            return max(asked)
        if declared is None:
            return 1
        if _is_connection(get_named_type(declared.type)):
            return PAGE_MAX
        if is_list_type(get_nullable_type(declared.type)) and not _is_connection(parent):
            return LIST_SIZE
        return 1

    def number(self, value) -> int:
        """A page size in the document or its variables; the largest if it is none."""
        if isinstance(value, VariableNode):
            name = value.name.value
            given = self.variables.get(name)
            if given is None:
                value = self.defaults.get(name)
            elif type(given) is int and 1 <= given <= PAGE_MAX:
                return given
        if not isinstance(value, IntValueNode) or len(value.value) > 3:
            return PAGE_MAX
        size = int(value.value)
        return size if 1 <= size <= PAGE_MAX else PAGE_MAX


def _is_connection(graphql_type) -> bool:
    return getattr(graphql_type, "name", "").endswith("Connection")
