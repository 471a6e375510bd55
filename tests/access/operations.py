"""Every query and mutation as an attacker writes it, made from the schema."""

import base64
import dataclasses
import functools
import itertools
import json
import uuid
from collections.abc import Callable

import graphql
from graphql import GraphQLInputObjectType, GraphQLObjectType

from config.errors import DomainError
from config.graphql import limits, rules
from config.schema import schema
from tests.access.cast import ABSENT
from tests.access.estate import Estate
from tests.access.year import PAID_ON, RECEIPTS_HEADER

SCHEMA = schema.graphql_schema
ALLOWED = rules.declared(schema)
INNER_PAGE = 3
NO_STEP = ("edges", "node", "errors", "error")
"""Fields that are always followed: what matters is behind them."""
ABSENT_WORD = "Nobody-1"
_numbers = itertools.count(100_000)

IDENTIFIERS = {
    "membershipId": "membership",
    "payoutId": "payout",
    "statementId": "statement",
    "excessId": "excess",
    "listingId": "listing",
    "importId": "import",
    "questionId": "question",
    "bidId": "bid",
    "portfolioId": "portfolio",
    "invitedAgencyIds": "agency",
    "agencyId": "agency",
    "recoveryId": "recovery",
    "lineId": "receipt_line",
    "institutionId": "institution",
    "lateReceiptId": "late_receipt",
    "complaintId": "complaint",
    "intakeId": "intake",
    "loanId": "loan",
    "loanIds": "loan",
    "holdId": "hold",
    "placementId": "placement",
    "recallId": "recall",
    "objectionIds": "objection",
    "machineClientId": "client",
    "personId": "user",
    "objectId": "placement",
    "policyId": "policy",
    "scoreId": "score",
    "disputeId": "ranking_dispute",
}
"""What an input of type ID names; one that is new fails here."""

WORDS = {
    "loanReference": "loan",
    "loanReferences": "loan",
    "reference": "loan",
    "institution": "slug",
}
"""What is named by a word: `Estate.references`. A mutation's `reference` is the agency's own."""

ROOTS = {"machineClient": "client", "person": "user", "loanImport": "import"}
"""What the `id` of a query of the root names, where it is not called as the query."""

TEXTS = {
    "currency": "USD",
    "jurisdiction": "US",
    "jurisdictions": "US",
    "field": "phone",
    "mapping": "standard",
    "content": f"{RECEIPTS_HEADER}\nTried-1,Zephyr-1,400.00,USD,{PAID_ON}\n",
    "email": "somebody@else.example",
    "contentType": "application/pdf",
    "contentBase64": base64.b64encode(b"%PDF-1.4 evidence").decode(),
    "file": base64.b64encode(b"loan_reference,balance,rate,opened_on\n").decode(),
}
FREE_TEXTS = {
    "note",
    "statement",
    "terms",
    "text",
    "shownQuestion",
    "answer",
    "correction",
    "summary",
    "account",
    "imbalanceReason",
}
VALUES = {
    "Int": 5,
    "MinorUnits": 1_00,
    "RatePpm": 1_000_000,
    "Boolean": True,
    "Date": "2026-03-10",
    "DateTime": "2026-05-20T12:00:00Z",
}


@dataclasses.dataclass(frozen=True)
class Operation:
    """A field of the root; `allow` is who may use it."""

    kind: str
    name: str

    def __str__(self) -> str:
        return self.name

    @property
    def field(self) -> graphql.GraphQLField:
        root = SCHEMA.mutation_type if self.kind == "mutation" else SCHEMA.query_type
        return root.fields[self.name]

    @property
    def allow(self) -> frozenset[str]:
        return ALLOWED[f"{self.kind.title()}.{self.name}"]

    @property
    def names(self) -> list[str]:
        """The inputs, inner ones too, by which it can be pointed at what is somebody else's."""
        found: list[str] = []
        self.variables(lambda name: found.append(name) or ABSENT, optional=True)
        return found

    @property
    def inputs(self) -> set[str]:
        """The fields of its input, of a mutation."""
        given = self.field.args.get("input")
        return set(given.type.of_type.fields) if given else set()

    @property
    def is_explained(self) -> bool:
        """Whether it takes a reason."""
        return "reason" in self.inputs

    @property
    def texts(self) -> list[str]:
        """The inputs, besides a reason, in which people write what they like."""
        return sorted(self.inputs & FREE_TEXTS)

    def variables(self, point: Callable[[str], object], *, optional: bool) -> dict:
        """Values for the arguments: `point(name)` where they name something, plausible elsewhere.

        With `optional`, those that name something are given also where they need not be.
        """
        taken = {}
        for name, argument in self.field.args.items():
            if self._is_given(name, argument, optional):
                taken[name] = self._value(name, argument.type, point, optional)
        return taken

    def _is_given(self, name: str, declared, optional: bool) -> bool:
        if name in ("after", "last", "before"):
            return False
        if name == "first" or graphql.is_required_argument(declared):
            return True
        return optional and self._names(name, graphql.get_named_type(declared.type))

    def _names(self, name: str, type_) -> bool:
        """Whether an input of this name and type says whom or what it is about."""
        if self.kind == "mutation" and name == "reference":
            return False
        return type_.name == "ID" or name in WORDS

    def _value(self, name, type_, point, optional):
        if graphql.is_non_null_type(type_):
            return self._value(name, type_.of_type, point, optional)
        if graphql.is_list_type(type_):
            return [self._value(name, type_.of_type, point, optional)]
        if isinstance(type_, GraphQLInputObjectType):
            return {
                inner: self._value(inner, field.type, point, optional)
                for inner, field in type_.fields.items()
                if self._is_given(inner, field, optional)
            }
        if self._names(name, type_):
            return point(self.name if name == "id" else name)
        if graphql.is_enum_type(type_):
            return next(iter(type_.values))
        if type_.name in VALUES:
            return VALUES[type_.name]
        return TEXTS.get(name) or f"Tried-{next(_numbers)}"

    @functools.cache  # noqa: B019
    def document(self, deepest: int = 1) -> tuple[str, int]:
        """The operation with all it can show, as deep as the limits allow, and how many rows."""
        for depth, rows in ((2, 10), (1, 20), (1, 5), (0, 20)):
            if depth > deepest:
                continue
            text = self._document(depth)
            try:
                limits.demand(limits.measure(SCHEMA, graphql.parse(text), {"first": rows}))
            except DomainError:
                continue
            return text, rows
        raise AssertionError(f"{self.name} is too large however little is asked for")

    def _document(self, depth: int) -> str:
        arguments = self.field.args
        declared = ", ".join(f"${name}: {argument.type}" for name, argument in arguments.items())
        given = ", ".join(f"{name}: ${name}" for name in arguments)
        head = f"{self.kind}({declared})" if declared else self.kind
        called = f"{self.name}({given})" if given else self.name
        return f"{head} {{ {called} {_selection(self.field.type, depth)} }}"


def _selection(type_, depth: int) -> str:
    named = graphql.get_named_type(type_)
    if not isinstance(named, GraphQLObjectType):
        return ""
    parts = ["__typename"]
    for name, field in named.fields.items():
        inner = graphql.get_named_type(field.type)
        is_page = "first" in field.args
        if name == "pageInfo" or any(map(graphql.is_required_argument, field.args.values())):
            continue
        if not isinstance(inner, GraphQLObjectType):
            parts.append(name)
        elif depth > 0 or name in NO_STEP:
            deeper = depth if name in NO_STEP else depth - 1
            arguments = f"(first: {INNER_PAGE})" if is_page else ""
            parts.append(f"{name}{arguments} {_selection(inner, deeper)}")
    return f"{{ {' '.join(parts)} }}"


def every() -> list[Operation]:
    """All queries and mutations there are."""
    return [
        Operation(kind, name)
        for kind, root in (("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type))
        for name in root.fields
    ]


def pointing_at(estate: Estate) -> Callable[[str], object]:
    """Values that name what belongs to the estate."""

    def point(name: str):
        if name in WORDS:
            return estate.references[WORDS[name]]
        kind = IDENTIFIERS.get(name) or ROOTS.get(name, name)
        return estate.ids[kind][0]

    return point


def pointing_nowhere(name: str) -> object:
    """Values that name nothing."""
    return ABSENT_WORD if name in WORDS else ABSENT


def send(client, operation: Operation, variables: dict, *, deepest: int = 1):
    """What /graphql answers."""
    document, rows = operation.document(deepest)
    paging = {"first": rows} if "first" in operation.field.args else {}
    body = {"query": document, "variables": variables | paging}
    return client.post("/graphql", json.dumps(body, default=str), content_type="application/json")


def told(variables) -> list[str]:
    """The texts that the attacker sends: an answer may say them back."""
    if isinstance(variables, dict | list):
        inner = variables.values() if isinstance(variables, dict) else variables
        return [word for one in inner for word in told(one)]
    return [str(variables)] if isinstance(variables, str | uuid.UUID) else []
