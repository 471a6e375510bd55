"""Documents meant to exhaust the server: each is refused, and refusing it costs next to nothing."""

import json
import time

import pytest
from django.test import override_settings
from graphql import parse

from config.graphql import limits
from tests.config import toy_graphql as toy

YARDSTICK = "[" + "1," * 100_000 + "1]"
YARDSTICKS = 50
"""A refusal costs less than reading so many lists of 100,000 numbers: some tenth of a second."""


@pytest.fixture(autouse=True)
def served():
    with override_settings(
        ROOT_URLCONF=toy.__name__,
        MIDDLEWARE=[f"{toy.__name__}.actor_middleware"],
        GRAPHQL_INTROSPECTION=False,
    ):
        yield


def nested_fragments(count, between=""):
    """Fragments that each spread the next one twice: 2^count fields in a few hundred bytes."""
    parts = []
    for number in range(count):
        spread = f"...F{number + 1}"
        parts.append(
            f"fragment F{number} on ToyGroup {{ parent {{ {spread} {between} {{ {spread} }} }} }}"
        )
    parts.append(f"fragment F{count} on ToyGroup {{ name }}")
    return '{ group(id: "1") { ...F0 } } ' + " ".join(parts)


def chain(count):
    parts = [f"fragment F{number} on Query {{ ...F{number + 1} }}" for number in range(count)]
    return "{ ...F0 } " + " ".join(parts) + f" fragment F{count} on Query {{ __typename }}"


def deep(levels):
    return '{ group(id: "1") { ' + "parent { " * levels + "name" + " }" * levels + " } }"


DOCUMENTS = {
    "introspection": ("{ __schema { types { name fields { name } } } }", "VALIDATION_FAILED"),
    "unknown field": ("{ helo }", "VALIDATION_FAILED"),
    "unknown fragment": ("{ ...Missing }", "VALIDATION_FAILED"),
    "self-referring fragment": ("{ ...F } fragment F on Query { ...F }", "VALIDATION_FAILED"),
    "fragments in a ring": (
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "VALIDATION_FAILED",
    ),
    "fragments that double": (nested_fragments(22, "parent"), "TOO_COMPLEX"),
    "fragments that double without a field": (nested_fragments(60, "..."), "TOO_COMPLEX"),
    "a long chain of fragments": (chain(200), "TOO_COMPLEX"),
    "the same field 1,900 times": ("{" + " tally" * 1_900 + " }", "TOO_COMPLEX"),
    "10 fields that conflict with 280 others": (
        "{ permissions(first: 1) { edges { node {"
        + " codename" * 280
        + " codename: id" * 10
        + " } } } }",
        "VALIDATION_FAILED",
    ),
    "the same field 290 times": (
        "{ permissions(first: 1) { edges { node {" + " codename" * 290 + " } } } }",
        "VALIDATION_FAILED",
    ),
    "3,000 aliases of one name": ("{" + ' x: fail(how: "a")' * 1_000 + "}", "SYNTAX_ERROR"),
    "200 aliases": (
        "{" + " ".join(f'a{n}: fail(how: "a")' for n in range(200)) + "}",
        "TOO_COMPLEX",
    ),
    "20 aliases in a fragment": (
        "{ ...A } fragment A on Query {" + " ".join(f"a{n}: __typename" for n in range(20)) + "}",
        "TOO_COMPLEX",
    ),
    "11 fields of the root": ("{" + " __typename" * 11 + "}", "TOO_COMPLEX"),
    "depth 12": (deep(10), "TOO_COMPLEX"),
    "5,000 braces": ("{a" * 5_000 + "}" * 5_000, "SYNTAX_ERROR"),
    "190 braces": ("{ a" * 190 + " }" * 190, "TOO_COMPLEX"),
    "400 directives": ("{ __typename" + " @a" * 400 + " }", "TOO_COMPLEX"),
    "directives on an operation": ("query" + " @a" * 400 + " { __typename }", "TOO_COMPLEX"),
    "pages of pages": (
        "{ groups(first: 100) { edges { node { siblings(first: 100) { totalCount } } } } }",
        "TOO_COMPLEX",
    ),
    "pages without a size": (
        "{ groups { edges { node { siblings { edges { node { name } } } } } } }",
        "TOO_COMPLEX",
    ),
    "comments": ("#\n" * 5_000 + "{ __typename }", "SYNTAX_ERROR"),
    "tokens": ("{ fail(how: " + "[" * 100 + "]" * 100 + ") " + "a " * 1_900 + "}", "SYNTAX_ERROR"),
    "a type system": ("type Query { a: Int } { __typename }", "VALIDATION_FAILED"),
    "many variables": (
        "query(" + " ".join(f"$v{n}: Int" for n in range(390)) + ") { __typename }",
        "VALIDATION_FAILED",
    ),
    "many operations": (
        " ".join(f"query Q{n} {{ __typename }}" for n in range(390)),
        "TOO_COMPLEX",
    ),
}


def cost(ask):
    """In yardsticks, each the least of three runs: a slow machine is slow at both."""

    def cpu_seconds(work):
        start = time.process_time()
        done.append(work())
        return time.process_time() - start

    done = []
    yardstick = min(cpu_seconds(lambda: json.loads(YARDSTICK)) for _run in range(3))
    spent = min(cpu_seconds(ask) for _run in range(3))
    return spent / yardstick, done[-1]


@pytest.mark.parametrize(("document", "code"), DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_document_that_is_too_much_is_refused_cheaply(client, document, code):
    assert len(document) <= limits.QUERY_BYTES
    spent, response = cost(lambda: toy.post(client, document))
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == code
    assert "data" not in response.json()
    assert len(response.content) < 5_000
    assert spent < YARDSTICKS


BODIES = {
    "query of 60 kB": (b'{"query":"{' + b" x: tally" * 6_000 + b'}"}', 413, "TOO_LARGE"),
    "query in three-byte characters": (
        ('{"query":"{ fail(how: \\"' + "\u6b3e" * 7_000 + '\\") }"}').encode(),
        413,
        "TOO_LARGE",
    ),
    "body above 1 MB": (b'{"query":"' + b"x" * 1_000_000 + b'"}', 413, "TOO_LARGE"),
    "20,000 nested lists": (
        b'{"query":"{__typename}","variables":{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}}",
        400,
        "BAD_JSON",
    ),
    "100 nested objects": (
        b'{"query":"{__typename}","variables":' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"}",
        413,
        "TOO_LARGE",
    ),
    "450,000 numbers": (
        b'{"query":"{__typename}","variables":{"a":[' + b"1," * 450_000 + b"1]}}",
        413,
        "TOO_LARGE",
    ),
    "500 documents at once": (
        b"[" + b'{"query":"{__typename}"},' * 499 + b"{}]",
        400,
        "BAD_REQUEST",
    ),
}


@pytest.mark.parametrize(("body", "status", "code"), BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_too_much_is_refused_cheaply(client, body, status, code):
    spent, response = cost(lambda: client.post("/graphql", body, content_type="application/json"))
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (
        status,
        code,
    )
    assert spent < YARDSTICKS


def size(document, variables=None):
    return limits.measure(toy.schema.graphql_schema, parse(document), variables)


def test_a_document_is_measured_with_its_fragments_written_out():
    measured = size(
        """query($n: Int = 7) @skip(if: false) {
          a: groups(first: 5) { edges { node { ...Group } } }
          permissions(first: $n) { totalCount }
          ... on Query { tally { groups @include(if: true) } }
        }
        fragment Group on ToyGroup { id b: name }""",
    )
    assert measured == limits.Size(
        depth=4,
        aliases=2,
        fields=9,
        roots=3,
        directives=2,
        cost=(1 + 5 * 4) + (1 + 7) + 2,
    )


@pytest.mark.parametrize(
    ("variables", "page"),
    [(None, 7), ({"n": 3}, 3), ({"n": 0}, 100), ({"n": "3"}, 100), ({"n": 10**9}, 100)],
)
def test_the_size_of_a_page_is_the_one_that_will_be_asked_for(variables, page):
    measured = size("query($n: Int = 7) { permissions(first: $n) { totalCount } }", variables)
    assert measured.cost == 1 + page


def test_lists_without_pages_count_ten_and_edges_once():
    assert size("{ keys }").cost == 1
    assert size('mutation { groupAdd(input: {name: "a"}) { errors { code } } }').cost == 12
    assert size("{ groups { edges { node { name } } } }").cost == 1 + 100 * 3


@pytest.mark.django_db
def test_the_largest_that_passes_is_cheap_too(client):
    ids = [str(number) for number in range(limits.JSON_VALUES - 10)]
    document = "query($ids: [ID]) { keys(ids: $ids) }"
    spent, response = cost(lambda: toy.post(client, document, {"ids": ids}))
    assert response.status_code == 200
    assert spent < 10 * YARDSTICKS


@pytest.mark.django_db
def test_ordinary_documents_pass(client):
    document = (
        "{ groups(first: 100) { edges { node {"
        " id name secret siblings(first: 10) { totalCount } } } } }"
    )
    assert toy.post(client, document).status_code == 200
    assert toy.post(client, deep(8)).status_code == 200
