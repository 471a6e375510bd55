"""Mutations: one payload, refusals as data, and nothing left behind by what failed."""

import graphene
import pytest
from django.contrib.auth.models import Group
from django.test import override_settings

from config.graphql import mutations
from tests.config import toy_graphql as toy

pytestmark = pytest.mark.django_db

ADD = """mutation($input: GroupAddInput!) {
  groupAdd(input: $input) { group { name } errors { code message field row } }
}"""


@pytest.fixture(autouse=True)
def served():
    toy.denials.clear()
    with override_settings(
        ROOT_URLCONF=toy.__name__, MIDDLEWARE=[f"{toy.__name__}.actor_middleware"]
    ):
        yield


def add(client, how=None, **headers):
    return toy.post(client, ADD, {"input": {"name": "north new", "how": how}}, **headers)


def made():
    return Group.objects.filter(name__startswith="north").count()


def test_what_is_done_is_answered_without_errors(client):
    answer = add(client)
    assert answer.json() == {"data": {"groupAdd": {"group": {"name": "north new"}, "errors": []}}}
    assert made() == 1
    assert toy.denials == []


@pytest.mark.parametrize(
    ("how", "error", "denied"),
    [
        (
            "refusal",
            {"code": "BAD_NAME", "message": "Not this name.", "field": "rows.firstName", "row": 2},
            [],
        ),
        ("missing", {"code": "NOT_FOUND"}, [("chief", "Mutation.groupAdd", "NOT_FOUND")]),
        ("recalled", {"code": "NOT_FOUND"}, [("chief", "Mutation.groupAdd", "NOT_FOUND")]),
        ("closed", {"code": "CLOSED"}, []),
    ],
)
def test_a_refusal_undoes_everything_and_is_data(client, how, error, denied):
    answer = add(client, how)
    assert answer.status_code == 200
    payload = answer.json()["data"]["groupAdd"]
    assert payload["group"] is None
    (shown,) = payload["errors"]
    assert shown | error == shown
    assert "errors" not in answer.json()
    assert made() == 0
    assert denied == toy.denials
    assert b"secret" not in answer.content


def test_missing_and_recalled_read_the_same(client):
    assert add(client, "missing").content == add(client, "recalled").content


def test_a_role_outside_the_rule_executes_nothing(client):
    answers = {
        add(client, how, Toy_Role=role).content
        for role in ("reader", "clerk")
        for how in (None, "runtime")
    }
    assert len(answers) == 1
    assert b'"NOT_ALLOWED"' in answers.pop()
    assert made() == 0
    assert set(toy.denials) == {
        ("reader", "Mutation.groupAdd", "NOT_ALLOWED"),
        ("clerk", "Mutation.groupAdd", "NOT_ALLOWED"),
    }


@pytest.mark.parametrize("how", ["runtime", "other"])
def test_a_fault_of_ours_undoes_everything_and_shows_a_reference(client, how, caplog):
    answer = add(client, how)
    assert answer.status_code == 500
    body = answer.json()
    assert body["data"] is None
    reference = body["errors"][0]["extensions"]["reference"]
    assert body["errors"][0]["message"] == (
        f"Something went wrong on our side. Reference {reference}."
    )
    assert len(reference) == 12
    assert b"secret" not in answer.content
    assert reference in caplog.text
    assert "secret of the" in caplog.text
    assert made() == 0


def test_a_fault_undoes_the_mutations_before_it_too(client):
    document = """mutation {
      one: groupAdd(input: { name: "north one" }) { errors { code } }
      two: groupAdd(input: { name: "north two", how: "runtime" }) { errors { code } }
    }"""
    answer = toy.post(client, document)
    assert (answer.status_code, answer.json()["data"]) == (500, None)
    assert made() == 0


def test_a_refusal_leaves_the_mutations_before_it(client):
    document = """mutation {
      one: groupAdd(input: { name: "north one" }) { errors { code } }
      two: groupAdd(input: { name: "north two", how: "refusal" }) { errors { code } }
    }"""
    answer = toy.post(client, document).json()["data"]
    assert answer == {"one": {"errors": []}, "two": {"errors": [{"code": "BAD_NAME"}]}}
    assert made() == 1


def test_a_fault_while_the_payload_is_written_undoes_what_was_done(client):
    answer = toy.post(
        client, 'mutation { groupAdd(input: { name: "north new" }) { broken group { name } } }'
    )
    assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert answer.json()["data"] is None
    assert answer.status_code == 500
    assert made() == 0


def perform(cls, info, actor):
    return cls()


COMPLETE = {
    "allow": toy.CHIEFS,
    "Input": type("Input", (), {"name": graphene.String()}),
    "perform": classmethod(perform),
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"allow": None}, "allow"),
        ({"allow": {"chief"}}, "allow"),
        ({"Input": None}, "Input"),
        ({"perform": None}, "perform"),
        ({"group": graphene.String(required=True)}, "nullable"),
    ],
)
def test_a_mutation_cannot_be_defined_unfinished(change, reason):
    body = {name: value for name, value in {**COMPLETE, **change}.items() if value is not None}
    with pytest.raises(TypeError, match=reason):
        type("Unfinished", (mutations.Mutation,), body)


def test_names_come_from_the_class():
    printed = str(toy.schema)
    assert "groupAdd(input: GroupAddInput!): GroupAddPayload!" in printed
    assert "errors: [UserError!]!" in printed
