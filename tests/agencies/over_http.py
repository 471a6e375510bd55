"""People and machines as they come in by HTTP."""

import base64
import json
import re

from django.core import mail
from django.test import Client

from agencies.scope import scope
from agencies.services import clients
from tests import world


def log_in(user, password: str = world.PASSWORD) -> Client:
    """A browser in which `user` has logged in through the log-in page."""
    browser = Client()
    answer = browser.post("/accounts/login/", {"login": user.email, "password": password})
    assert answer.status_code == 302, answer.content.decode()
    return browser


def machine(house, name: str = "Dialler") -> tuple:
    """A machine client of the agency and its secret."""
    with scope(house.actor()) as actor:
        made = clients.create(actor=actor, name=name)
    return made.machine, made.secret


def token_answer(machine, secret: str):
    """What the token endpoint answers to a client's credentials."""
    credentials = base64.b64encode(f"{machine.client_id}:{secret}".encode()).decode()
    return Client().post(
        "/identity/o/api/token",
        {"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {credentials}"},
    )


def token(machine, secret: str) -> str:
    answer = token_answer(machine, secret)
    assert answer.status_code == 200, answer.content.decode()
    return answer.json()["access_token"]


def ask(query: str, variables: dict | None = None, *, bearer: str = "", browser=None):
    """The response of /graphql to a token's bearer, or to the person in a browser."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return (browser or Client()).post(
        "/graphql",
        json.dumps({"query": query, "variables": variables or {}}),
        content_type="application/json",
        headers=headers,
    )


def mailed_link() -> str:
    """The path of the link in the last message that was sent."""
    return re.search(r"https?://[^/\s]+(/\S+)", mail.outbox[-1].body)[1]
