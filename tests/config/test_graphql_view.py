"""The address where GraphQL is spoken: who is let in, and what is never let out."""

import json

import pytest
from django.contrib.auth.models import Group
from django.test import Client, override_settings
from graphql import get_introspection_query

from config.graphql import view
from tests.config import toy_graphql as toy

CSRF = "django.middleware.csrf.CsrfViewMiddleware"


@pytest.fixture(autouse=True)
def served():
    toy.denials.clear()
    with override_settings(
        ROOT_URLCONF=toy.__name__,
        MIDDLEWARE=[f"{toy.__name__}.actor_middleware", CSRF],
        GRAPHQL_INTROSPECTION=False,
    ):
        yield


def code(response):
    return response.json()["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
def test_only_post(client, method):
    response = getattr(client, method)("/graphql")
    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response["Allow"] == "POST"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json; charset=utf-16",
        "",
    ],
)
def test_only_json(client, content_type):
    response = client.post("/graphql", b'{"query":"{__typename}"}', content_type=content_type)
    assert (response.status_code, code(response)) == (415, "MEDIA_TYPE")


def test_nothing_in_the_address(client):
    response = client.post(
        "/graphql?query={__typename}", {"query": "{__typename}"}, content_type="application/json"
    )
    assert (response.status_code, code(response)) == (400, "QUERY_STRING")


def test_somebody_unknown_is_sent_away(client):
    response = toy.post(client, "{ __typename }", Toy_Kind="public")
    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert response["WWW-Authenticate"] == "Bearer"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b" ", 400, "BAD_JSON"),
        (b"{", 400, "BAD_JSON"),
        (b"\xff\xfe", 400, "BAD_JSON"),
        (b'{"query": NaN}', 400, "BAD_JSON"),
        (b'{"query": 1' + b"0" * 5000 + b"}", 400, "BAD_JSON"),
        (b"[]", 400, "BAD_REQUEST"),
        (b'[{"query":"{__typename}"}]', 400, "BAD_REQUEST"),
        (b'"{__typename}"', 400, "BAD_REQUEST"),
        (b"{}", 400, "BAD_REQUEST"),
        (b'{"query":null}', 400, "BAD_REQUEST"),
        (b'{"query":["{__typename}"]}', 400, "BAD_REQUEST"),
        (b'{"query":"{__typename}","variables":"{}"}', 400, "BAD_REQUEST"),
        (b'{"query":"{__typename}","variables":[]}', 400, "BAD_REQUEST"),
        (b'{"query":"{__typename}","operationName":7}', 400, "BAD_REQUEST"),
        (b'{"query":"{__typename}","documentId":"x"}', 400, "BAD_REQUEST"),
        (b'{"query":"{__typename}","variables":{"a":"\\u0000"}}', 400, "BAD_TEXT"),
        (b'{"query":"{__typename}","variables":{"\\ud800":1}}', 400, "BAD_TEXT"),
        (rb'{"query":"{keys(ids: [\"\\u0000\"])}"}', 400, "BAD_TEXT"),
        (b'{"query":"","variables":{}}', 400, "SYNTAX_ERROR"),
        (b'{"query":"{","variables":{}}', 400, "SYNTAX_ERROR"),
        (b'{"query":"{__typename}","operationName":"Other"}', 400, "UNKNOWN_OPERATION"),
        (b'{"query":"query A{__typename} query B{__typename}"}', 400, "UNKNOWN_OPERATION"),
        (b'{"query":"fragment F on Query {__typename}"}', 400, "UNKNOWN_OPERATION"),
        (b'{"query":"{helo}"}', 400, "VALIDATION_FAILED"),
        (b'{"query":"{__schema{types{name}}}"}', 400, "VALIDATION_FAILED"),
        (b'{"query":"subscription{x}"}', 400, "UNKNOWN_OPERATION"),
        (b'{"query":"{a b c d e f g h i}"}', 400, "VALIDATION_FAILED"),
    ],
)
def test_a_request_that_is_not_one(client, body, status, expected):
    response = client.post("/graphql", body, content_type="application/json")
    assert (response.status_code, code(response)) == (status, expected)
    assert "data" not in response.json()
    assert len(response.json()["errors"]) <= 6
    assert response["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_nothing_is_suggested_in_production(client):
    asked = [
        toy.post(client, "{ grup { name } }"),
        toy.post(client, "{ groups(frist: 1) { totalCount } }"),
        toy.post(
            client,
            "mutation($i: GroupAddInput!) { groupAdd(input: $i) { mood } }",
            {"i": {"nam": "x", "mood": "CROS"}},
        ),
    ]
    for response in asked:
        assert response.status_code == 400
        assert b"Did you mean" not in response.content
    with override_settings(GRAPHQL_INTROSPECTION=True):
        assert b"Did you mean" in toy.post(client, "{ grop { name } }").content


@pytest.mark.django_db
def test_introspection_answers_only_where_it_is_on(client):
    document = get_introspection_query()
    assert code(toy.post(client, document)) == "VALIDATION_FAILED"
    with override_settings(GRAPHQL_INTROSPECTION=True):
        response = toy.post(client, document)
    assert response.status_code == 200
    assert response.json()["data"]["__schema"]["queryType"]["name"] == "Query"


@pytest.mark.django_db
def test_typename_is_no_introspection(client):
    response = toy.post(client, "{ __typename }")
    assert response.json() == {"data": {"__typename": "Query"}}
    assert response["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_exceptions_of_resolvers_are_masked(client, caplog):
    response = toy.post(client, '{ fail(how: "runtime") tally { groups } }')
    assert response.status_code == 200
    body = response.json()
    assert body["data"] == {"fail": None, "tally": {"groups": 7}}
    assert body["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert body["errors"][0]["path"] == ["fail"]
    assert b"secret" not in response.content
    assert b"Runtime" not in response.content
    assert body["errors"][0]["extensions"]["reference"] in caplog.text


@pytest.mark.django_db
def test_what_the_database_says_is_masked_and_the_transaction_lives_on(client):
    response = toy.post(client, '{ fail(how: "sql") }')
    assert code(response) == "INTERNAL"
    for word in (b"duplicate", b"auth_group", b"constraint", b"DETAIL"):
        assert word not in response.content
    assert not Group.objects.filter(name__in=["one", "north two"]).exists()


@pytest.mark.django_db
def test_refusals_of_resolvers_are_shown(client):
    response = toy.post(client, '{ fail(how: "refusal") }')
    (error,) = response.json()["errors"]
    assert error["message"] == "It sleeps."
    assert error["extensions"] == {"code": "ASLEEP", "field": "some.thingHere", "row": 3}
    assert toy.post(client, '{ fail(how: "missing") }').json() == {"data": {"fail": None}}
    assert toy.denials == [("chief", "Query.fail", "NOT_FOUND")]


@pytest.mark.django_db
def test_csrf_is_for_sessions_and_a_token_needs_none():
    strict = Client(enforce_csrf_checks=True)
    assert toy.post(strict, "{ __typename }").status_code == 403
    assert toy.post(strict, "{ __typename }", Authorization="Bearer x").status_code == 200
    assert not getattr(view.graphql_view(toy.schema), "csrf_exempt", False)


@pytest.mark.django_db
def test_a_batch_of_five_hundred_rows_fits(client):
    key = "0190f0c0-0000-7000-8000-000000000001"
    rows = [{"loanId": key, "amountMinor": number} for number in range(500)]
    document = "mutation($i: RowsEchoInput!) { rowsEcho(input: $i) { totalMinor } }"
    response = toy.post(client, document, {"i": {"rows": rows}})
    assert response.json()["data"]["rowsEcho"]["totalMinor"] == sum(range(500))
    padded = json.dumps({"query": document, "variables": {"i": {"rows": rows}}})
    assert len(padded) < 1_000_000
