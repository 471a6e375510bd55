"""A schema of our own over Django's groups and permissions, to try the conventions on."""

import dataclasses

import graphene
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.db import models
from django.urls import path
from graphene_django.registry import Registry

from config import errors
from config.graphql import mutations, queries, scalars, types
from config.graphql import view as graphql

REGISTRY = Registry()
READERS = frozenset({"reader", "chief"})
CHIEFS = frozenset({"chief"})
denials: list[tuple[str, str, str]] = []


@dataclasses.dataclass(frozen=True)
class Actor:
    """Reads groups whose name begins with its house; `kind` and `role` as in the real one."""

    kind: str = "agency"
    role: str = "chief"
    house: str = "north"


def visible_groups(actor):
    return Group.objects.filter(name__startswith=actor.house)


def visible_permissions(actor):
    return Permission.objects.filter(content_type__app_label__in=["auth", "contenttypes"])


def visible_content_types(actor):
    return ContentType.objects.filter(app_label="auth")


class Mood(models.TextChoices):
    CALM = "calm", "Calm"
    CROSS = "cross", "Cross"


MoodEnum = scalars.choices(Mood, "Mood")


class ToyContentType(types.Node):
    class Meta:
        model = ContentType
        fields = ("model",)
        selector = visible_content_types
        allow = READERS
        registry = REGISTRY


class ToyPermission(types.Node):
    class Meta:
        model = Permission
        fields = ("codename", "content_type")
        selector = visible_permissions
        allow = READERS
        registry = REGISTRY


class ToyGroup(types.Node):
    class Meta:
        model = Group
        fields = ("name",)
        selector = visible_groups
        allow = READERS
        allow_fields = {"secret": CHIEFS}
        registry = REGISTRY

    secret = graphene.String(required=True)
    parent = graphene.Field(lambda: ToyGroup)
    siblings = queries.connection(
        lambda: ToyGroup, narrow=lambda visible, group: visible.exclude(pk=group.pk)
    )

    def resolve_secret(group, info):
        return f"secret of {group.name}"

    def resolve_parent(group, info):
        return group


class Tally(types.Value):
    class Meta:
        allow = CHIEFS

    groups = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits()


class Query(graphene.ObjectType):
    group = queries.node(ToyGroup)
    groups = queries.connection(
        ToyGroup,
        narrow=lambda visible, root, ending="": visible.filter(name__endswith=ending),
        ending=graphene.String(),
    )
    newest_groups = queries.connection(ToyGroup, newest_first=True)
    permissions = queries.connection(ToyPermission)
    any_group = queries.field(
        ToyGroup,
        allow=READERS | {"clerk"},
        resolver=lambda root, info: visible_groups(info.context.actor).first(),
    )
    tally = queries.field(Tally, allow=READERS)
    fail = queries.field(graphene.String, allow=READERS, how=graphene.String())
    keys = queries.field(
        graphene.List(graphene.String), allow=READERS, ids=graphene.List(graphene.ID)
    )

    def resolve_tally(root, info):
        return {"groups": 7, "balance_minor": 10**15}

    def resolve_keys(root, info, ids):
        assert all(type(key).__name__ == "UUID" for key in ids)
        return ids

    def resolve_fail(root, info, how):
        match how:
            case "runtime":
                raise RuntimeError("secret of the machine")
            case "sql":
                Group.objects.create(id=1, name="one")
                Group.objects.create(id=1, name="north two")
            case "refusal":
                raise errors.InvalidState("ASLEEP", "It sleeps.", field="some.thing_here", row=3)
            case "missing":
                raise errors.NotFound("NOT_FOUND", "There is no such thing.")


class Row(graphene.InputObjectType):
    loan_id = graphene.ID(required=True)
    amount_minor = scalars.MinorUnits(required=True)


class GroupAdd(mutations.Mutation):
    """Adds a group, and then fails in the way that was asked for."""

    allow = CHIEFS

    class Input:
        name = graphene.String(required=True)
        how = graphene.String()
        mood = MoodEnum()

    group = graphene.Field(ToyGroup)
    mood = MoodEnum()
    broken = graphene.String()

    def resolve_broken(payload, info):
        raise RuntimeError("secret of the payload")

    @classmethod
    def perform(cls, info, actor, *, name, how=None, mood=None):
        group = Group.objects.create(name=name)
        match how:
            case "refusal":
                raise errors.InvalidInput(
                    "BAD_NAME", "Not this name.", field="rows.first_name", row=2
                )
            case "missing":
                raise errors.NotFound("NOT_FOUND", "There is no such thing.")
            case "runtime":
                raise RuntimeError("secret of the machine")
            case "recalled" | "closed" | "other":
                state = {"recalled": "FP001", "closed": "FP002", "other": "FP999"}[how]
                with database.cursor() as cursor:
                    cursor.execute(
                        "do $$ begin raise exception 'secret of the trigger'"
                        f" using errcode = '{state}'; end $$"
                    )
        return cls(group=group, mood=mood)


class RowsEcho(mutations.Mutation):
    """Says what it was given."""

    allow = READERS

    class Input:
        rows = graphene.List(graphene.NonNull(Row), required=True)
        at = scalars.DateTime()
        rate_ppm = scalars.RatePpm()

    seen = graphene.String()
    total_minor = scalars.MinorUnits()
    at = scalars.DateTime()

    @classmethod
    def perform(cls, info, actor, *, rows, at=None, rate_ppm=None):
        return cls(
            seen=repr(rows), total_minor=sum(row["amount_minor"] for row in rows), at=at, errors=[]
        )


class Mutation(graphene.ObjectType):
    group_add = GroupAdd.Field()
    rows_echo = RowsEcho.Field()


schema = graphene.Schema(query=Query, mutation=Mutation)


def actor_middleware(get_response):
    """Stands in for the middleware that recognises people and tokens: believes what it is told."""

    def middleware(request):
        request.actor = Actor(
            kind=request.headers.get("Toy-Kind", "agency"),
            role=request.headers.get("Toy-Role", "chief"),
            house=request.headers.get("Toy-House", "north"),
        )
        request.bearer = "Authorization" in request.headers
        if request.bearer:
            request._dont_enforce_csrf_checks = True
        return get_response(request)

    return middleware


def on_denial(actor, operation, error):
    denials.append((actor.role, operation, error.code))


urlpatterns = [path("graphql", graphql.graphql_view(schema, on_denial=on_denial))]


def post(client, query, variables=None, **headers):
    """The response to a document, asked through the HTTP client."""
    body = {"query": query, "variables": variables or {}}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/graphql", body, content_type="application/json", headers=names)
