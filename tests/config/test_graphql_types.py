"""Nodes, values, references and connections: what may be defined, and what an actor gets."""

import graphene
import pytest
from django.contrib.auth.models import Group, Permission
from django.test import override_settings
from graphene_django import DjangoObjectType

from config.graphql import queries, rules, types
from tests.config import toy_graphql as toy


@pytest.fixture(autouse=True)
def served():
    toy.denials.clear()
    with override_settings(
        ROOT_URLCONF=toy.__name__, MIDDLEWARE=[f"{toy.__name__}.actor_middleware"]
    ):
        yield


@pytest.fixture
def groups(db):
    Group.objects.all().delete()
    names = [f"north {number}" for number in range(5)] + ["south 0"]
    return [Group.objects.create(name=name) for name in names]


COMPLETE = {
    "model": Group,
    "fields": ("name",),
    "selector": toy.visible_groups,
    "allow": toy.READERS,
    "skip_registry": True,
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"selector": None}, "selector"),
        ({"allow": None}, "allow"),
        ({"allow": {"reader"}}, "allow"),
        ({"allow": frozenset()}, "allow"),
        ({"fields": None}, "fields"),
        ({"fields": "__all__"}, "fields"),
        ({"fields": ("nmae",)}, "no such field"),
        ({"fields": ("permissions",)}, "connection"),
        ({"allow_fields": {"nmae": toy.CHIEFS}}, "not a field"),
        ({"allow_fields": {"id": toy.CHIEFS}}, "not a field"),
        ({"allow_fields": {"name": frozenset({"stranger"})}}, "does not"),
    ],
)
def test_a_node_cannot_be_defined_without_its_rule_and_its_selector(change, reason):
    meta = {name: value for name, value in {**COMPLETE, **change}.items() if value is not None}
    with pytest.raises(TypeError, match=reason):
        type("Unfinished", (types.Node,), {"Meta": type("Meta", (), meta)})


def test_a_value_cannot_be_defined_without_its_rule():
    with pytest.raises(TypeError, match="allow"):
        type("Unfinished", (types.Value,), {"sum": graphene.Int()})


def test_every_field_of_the_toy_schema_has_a_rule():
    assert rules.undeclared_fields(toy.schema) == []
    declared = rules.declared(toy.schema)
    assert declared["ToyGroup.name"] == toy.READERS
    assert declared["ToyGroup.secret"] == toy.CHIEFS
    assert declared["ToyGroupConnection.totalCount"] == toy.READERS
    assert declared["ToyGroupEdge.node"] == toy.READERS
    assert declared["GroupAddPayload.group"] == toy.CHIEFS
    assert declared["Mutation.groupAdd"] == toy.CHIEFS
    assert declared["Query.group"] == toy.READERS


def test_a_field_that_nobody_declared_is_named():
    class Loose(graphene.ObjectType):
        sum = graphene.Int()

    class LooseGroup(DjangoObjectType):
        class Meta:
            model = Group
            fields = ("name",)
            skip_registry = True

    class Query(graphene.ObjectType):
        loose = graphene.Field(Loose)
        tight = queries.field(Loose, allow=toy.READERS)
        group = graphene.Field(LooseGroup)
        known = graphene.Field(toy.Tally)
        price = queries.field(graphene.Decimal, allow=toy.READERS)

    schema = graphene.Schema(query=Query)
    assert rules.undeclared_fields(schema) == [
        "Loose.sum",
        "LooseGroup.name",
        "Query.loose",
        "Query.group",
        "Query.known",
    ]
    assert rules.foreign_scalars(schema) == ["Decimal"]
    assert rules.foreign_scalars(toy.schema) == []


def test_malformed_foreign_and_absent_are_one_answer(client, groups):
    document = "query($id: ID!) { group(id: $id) { id name } }"
    mine = toy.post(client, document, {"id": str(groups[0].pk)})
    assert mine.json() == {"data": {"group": {"id": str(groups[0].pk), "name": "north 0"}}}
    assert toy.denials == []
    answers = [
        toy.post(client, document, {"id": key})
        for key in (str(groups[-1].pk), "987654321", "garbage", "", "-1", "1.5")
    ]
    assert {(a.status_code, a.content) for a in answers} == {(200, b'{"data": {"group": null}}')}
    assert [("chief", "Query.group", "NOT_FOUND")] * len(answers) == toy.denials


def test_a_role_outside_the_rule_gets_null_and_a_code(client, groups):
    document = "query($id: ID!) { group(id: $id) { name } groups(first: 5) { totalCount } }"
    answer = toy.post(client, document, {"id": str(groups[0].pk)}, Toy_Role="clerk").json()
    assert answer["data"] == {"group": None, "groups": None}
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"NOT_ALLOWED"}
    assert toy.denials == [
        ("clerk", "Query.group", "NOT_ALLOWED"),
        ("clerk", "Query.groups", "NOT_ALLOWED"),
    ]


def test_a_stricter_field_is_null_and_the_rest_is_there(client, groups):
    document = "query { groups(first: 1) { edges { node { name secret } } } }"
    reader = toy.post(client, document, Toy_Role="reader").json()
    assert reader["data"]["groups"]["edges"] == [{"node": {"name": "north 0", "secret": None}}]
    assert [error["extensions"]["code"] for error in reader["errors"]] == ["NOT_ALLOWED"]
    chief = toy.post(client, document, Toy_Role="chief").json()
    assert chief["data"]["groups"]["edges"][0]["node"]["secret"] == "secret of north 0"


def test_a_value_is_refused_where_its_own_rule_is_stricter(client, db):
    answer = toy.post(client, "{ tally { groups } }", Toy_Role="reader").json()
    assert answer["data"] == {"tally": None}
    assert answer["errors"][0]["extensions"] == {"code": "NOT_ALLOWED"}
    answer = toy.post(client, "{ tally { groups balanceMinor } }").json()
    assert answer == {"data": {"tally": {"groups": 7, "balanceMinor": 10**15}}}


def test_a_node_is_refused_where_a_field_lets_in_more_than_its_type(client, groups):
    answer = toy.post(client, "{ anyGroup { name } }", Toy_Role="clerk").json()
    assert answer["data"] == {"anyGroup": None}
    assert answer["errors"][0]["extensions"] == {"code": "NOT_ALLOWED"}
    assert toy.denials == [("clerk", "Query.anyGroup", "NOT_ALLOWED")]
    answer = toy.post(client, "{ anyGroup { name } }", Toy_Role="reader").json()
    assert answer == {"data": {"anyGroup": {"name": "north 0"}}}


def test_references_go_through_the_selector_of_their_target(client, db, django_assert_num_queries):
    document = "{ permissions(first: 100) { edges { node { codename contentType { model } } } } }"
    with django_assert_num_queries(4):  # savepoint, page, content types, release
        nodes = [
            edge["node"]
            for edge in toy.post(client, document).json()["data"]["permissions"]["edges"]
        ]
    shown = {node["codename"]: node["contentType"] for node in nodes}
    assert shown["add_group"] == {"model": "group"}
    assert Permission.objects.get(codename="add_contenttype").content_type is not None
    assert shown["add_contenttype"] is None


def names(answer, field):
    return [edge["node"]["name"] for edge in answer.json()["data"][field]["edges"]]


PAGE = """query(%s) { %s(%s) {
  totalCount
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  edges { node { name } }
} }"""


def test_pages_follow_one_another_forwards_and_backwards(client, groups):
    forwards = PAGE % ("$n: Int, $c: String", "groups", "first: $n, after: $c")
    first = toy.post(client, forwards, {"n": 2})
    info = first.json()["data"]["groups"]["pageInfo"]
    assert names(first, "groups") == ["north 0", "north 1"]
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (True, False)
    assert first.json()["data"]["groups"]["totalCount"] == 5
    groups[0].delete()  # a page is not shifted by what went before it
    second = toy.post(client, forwards, {"n": 2, "c": info["endCursor"]})
    assert names(second, "groups") == ["north 2", "north 3"]
    last = toy.post(
        client,
        forwards,
        {"n": 2, "c": second.json()["data"]["groups"]["pageInfo"]["endCursor"]},
    )
    assert names(last, "groups") == ["north 4"]
    assert last.json()["data"]["groups"]["pageInfo"]["hasNextPage"] is False
    backwards = PAGE % ("$n: Int, $c: String", "groups", "last: $n, before: $c")
    assert names(toy.post(client, backwards, {"n": 2}), "groups") == ["north 3", "north 4"]
    before = last.json()["data"]["groups"]["pageInfo"]["startCursor"]
    assert names(toy.post(client, backwards, {"n": 2, "c": before}), "groups") == [
        "north 2",
        "north 3",
    ]


def test_the_newest_can_come_first(client, groups):
    document = PAGE % ("$n: Int, $c: String", "newestGroups", "first: $n, after: $c")
    first = toy.post(client, document, {"n": 2})
    assert names(first, "newestGroups") == ["north 4", "north 3"]
    cursor = first.json()["data"]["newestGroups"]["pageInfo"]["endCursor"]
    second = toy.post(client, document, {"n": 2, "c": cursor})
    assert names(second, "newestGroups") == ["north 2", "north 1"]
    document = PAGE % ("$n: Int", "newestGroups", "last: $n")
    assert names(toy.post(client, document, {"n": 2}), "newestGroups") == ["north 1", "north 0"]


def test_a_list_is_narrowed_from_what_is_visible(client, groups):
    document = '{ groups(first: 9, ending: "0") { edges { node { name } } } }'
    assert names(toy.post(client, document), "groups") == ["north 0"]
    assert names(toy.post(client, document, Toy_House="south"), "groups") == ["south 0"]
    document = (
        "query($id: ID!) { group(id: $id) { siblings(first: 2) { edges { node { name } } } } }"
    )
    answer = toy.post(client, document, {"id": str(groups[0].pk)}).json()
    edges = answer["data"]["group"]["siblings"]["edges"]
    assert [edge["node"]["name"] for edge in edges] == ["north 1", "north 2"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("", "PAGE_SIZE"),
        ("(first: 0)", "PAGE_SIZE"),
        ("(first: -1)", "PAGE_SIZE"),
        ("(first: 101)", "PAGE_SIZE"),
        ("(last: 101)", "PAGE_SIZE"),
        ("(first: 1, last: 1)", "PAGE_SIZE"),
        ('(first: 1, after: "%%%")', "INVALID_CURSOR"),
        ('(first: 1, after: "Z2FyYmFnZQ")', "INVALID_CURSOR"),
        ('(first: 1, before: "é")', "INVALID_CURSOR"),
    ],
)
def test_a_page_has_a_size_and_a_cursor_of_its_list(client, groups, arguments, code):
    answer = toy.post(client, f"{{ groups{arguments} {{ totalCount }} }}").json()
    assert answer["data"] == {"groups": None}
    assert answer["errors"][0]["extensions"]["code"] == code
