"""Speaking to the portal as people and machines do: over HTTP, with a session or a token."""

import html
import json
import re

from django.test import Client

from agencies import actors
from agencies.scope import scope
from agencies.services import clients
from tests import world


def person(house: world.Bank | world.House, role: str) -> Client:
    """A browser in which this person has logged in."""
    client = Client()
    with scope(actors.LOGIN):
        client.force_login(house.users[role], backend="django.contrib.auth.backends.ModelBackend")
    return client


def machine(house: world.House) -> Client:
    """A system of the agency with a bearer token that it asked for."""
    with scope(house.actor()) as actor:
        made = clients.create(actor=actor, name="Dialler")
    answer = Client().post(
        "/identity/o/api/token",
        {
            "grant_type": "client_credentials",
            "client_id": made.machine.client_id,
            "client_secret": made.secret,
        },
    )
    token = answer.json()["access_token"]
    return Client(headers={"Authorization": f"Bearer {token}"})


def ask(client: Client, query: str, **variables) -> dict:
    """The data of a GraphQL document; fails on errors of the request itself."""
    answer = client.post(
        "/graphql",
        json.dumps({"query": query, "variables": variables}, default=str),
        content_type="application/json",
    )
    body = answer.json()
    assert "errors" not in body, body
    return body["data"]


def do(client: Client, mutation: str, wanted: str, **given) -> dict:
    """The payload of a mutation by its name: the fields of `wanted`, and `errors`."""
    name = mutation[0].upper() + mutation[1:]
    query = (
        f"mutation($input: {name}Input!) {{ {mutation}(input: $input) {{"
        f" {wanted} errors {{ code message field row }} }} }}"
    )
    return ask(client, query, input=given)[mutation]


def words(answer) -> str:
    """What a page says, without tags and data: a token or a digest in them holds any letters."""
    text = re.sub(r"<script.*?</script>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))
