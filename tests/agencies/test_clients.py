"""Machine clients: a real token for real credentials, and none once they are disabled."""

import pytest
from allauth.idp.oidc.models import Client as OAuthClient
from allauth.idp.oidc.models import Token
from django.test import Client

from agencies.models import AuditEntry, Denial, MachineClient
from agencies.scope import scope
from tests import world
from tests.agencies import over_http

pytestmark = pytest.mark.django_db

VIEWER = "{ viewer { id name role agency { name } institution { name } } }"


@pytest.fixture
def house():
    return world.make_agency("Northern Recoveries")


def test_credentials_get_a_token_and_the_token_gets_in(house):
    machine, secret = over_http.machine(house)
    answer = over_http.token_answer(machine, secret)
    assert answer.status_code == 200
    given = answer.json()
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 3600)
    assert "refresh_token" not in given
    response = over_http.ask(VIEWER, bearer=given["access_token"])
    assert response.status_code == 200
    assert response.json()["data"]["viewer"] == {
        "id": str(machine.pk),
        "name": "Dialler",
        "role": "machine_client",
        "agency": {"name": "Northern Recoveries"},
        "institution": None,
    }


def test_secrets_and_tokens_are_kept_as_digests_alone(house):
    machine, secret = over_http.machine(house)
    token = over_http.token(machine, secret)
    assert secret not in OAuthClient.objects.get(pk=machine.client_id).secret
    assert token not in Token.objects.get(client=machine.client_id).hash


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "client_credentials", "client_secret": "guessed"},
        {"grant_type": "password", "username": "a", "password": "b"},
        {"grant_type": "authorization_code", "code": "x"},
        {"grant_type": "client_credentials", "scope": "openid email"},
        {},
    ],
)
def test_nothing_else_gets_a_token(house, form):
    machine, secret = over_http.machine(house)
    fields = {"client_id": machine.client_id, "client_secret": secret} | form
    answer = Client().post("/identity/o/api/token", fields)
    assert 400 <= answer.status_code < 500
    assert "access_token" not in answer.json()
    assert not Token.objects.exists()


@pytest.mark.parametrize("bearer", ["guessed", "x" * 5000, "é"])
def test_a_wrong_token_is_nobody(house, bearer):
    response = over_http.ask(VIEWER, bearer=bearer)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_wrong_token_beside_a_session_is_nobody(house):
    browser = over_http.log_in(house.users["collector"])
    assert over_http.ask(VIEWER, browser=browser).status_code == 200
    assert over_http.ask(VIEWER, browser=browser, bearer="guessed").status_code == 401


def test_a_session_needs_the_csrf_token(house):
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = over_http.log_in(house.users["collector"]).cookies
    assert over_http.ask(VIEWER, browser=browser).status_code == 403
    machine, secret = over_http.machine(house)
    token = over_http.token(machine, secret)
    assert (
        over_http.ask(VIEWER, browser=Client(enforce_csrf_checks=True), bearer=token).status_code
        == 200
    )


def test_a_disabled_client_is_out_at_once_and_its_tokens_stay_dead(house):
    machine, secret = over_http.machine(house)
    token = over_http.token(machine, secret)
    browser = over_http.log_in(house.users["agency_administrator"])
    assert browser.post(f"/clients/{machine.pk}/disable/").status_code == 302
    assert over_http.ask(VIEWER, bearer=token).status_code == 401
    refused = over_http.token_answer(machine, secret)
    assert refused.status_code == 400
    assert refused.json()["error"] == "unauthorized_client"
    assert browser.post(f"/clients/{machine.pk}/disable/").status_code == 409

    assert browser.post(f"/clients/{machine.pk}/enable/").status_code == 302
    assert over_http.ask(VIEWER, bearer=token).status_code == 401
    again = over_http.token(machine, secret)
    assert over_http.ask(VIEWER, bearer=again).status_code == 200
    with scope(house.actor()):
        actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
        assert list(actions) == [
            "machine_client.create",
            "machine_client.disable",
            "machine_client.enable",
        ]


def test_a_token_runs_out(house, clock):
    machine, secret = over_http.machine(house)
    token = over_http.token(machine, secret)
    Token.objects.update(expires_at="2020-01-01T00:00:00Z")
    assert over_http.ask(VIEWER, bearer=token).status_code == 401


def test_a_token_opens_no_page_and_no_office(house):
    machine, secret = over_http.machine(house)
    bearer = {"Authorization": f"Bearer {over_http.token(machine, secret)}"}
    for page in ("/people/", "/clients/", "/audit/", "/institutions/"):
        assert Client().get(page, headers=bearer).status_code == 403
    answer = over_http.ask(
        """mutation { machineClientCreate(input: {name: "Second"}) {
             secret errors { code } } }""",
        bearer=bearer["Authorization"].removeprefix("Bearer "),
    ).json()
    assert answer["data"]["machineClientCreate"] == {
        "secret": None,
        "errors": [{"code": "NOT_ALLOWED"}],
    }
    with scope(house.actor()):
        assert MachineClient.objects.count() == 1
        refused = Denial.objects.order_by("pk").values_list("operation", "code", "actor_label")
        assert list(refused) == [
            ("people", "NOT_ALLOWED", "Dialler"),
            ("clients", "NOT_ALLOWED", "Dialler"),
            ("audit", "NOT_ALLOWED", "Dialler"),
            ("institutions", "NOT_ALLOWED", "Dialler"),
            ("Mutation.machineClientCreate", "NOT_ALLOWED", "Dialler"),
        ]


def test_the_page_shows_the_secret_once(house):
    browser = over_http.log_in(house.users["agency_administrator"])
    empty = browser.post("/clients/new/", {"name": " "})
    assert empty.status_code == 422
    made = browser.post("/clients/new/", {"name": "Dialler"})
    secret = made.context["secret"]
    assert len(secret) >= 40
    assert made.headers["Cache-Control"] == "no-store"
    with scope(house.actor()):
        machine = MachineClient.objects.get()
    page = browser.get(f"/clients/{machine.pk}/")
    assert page.status_code == 200
    assert secret not in page.content.decode()
    assert over_http.token_answer(machine, secret).status_code == 200


def test_clients_of_others_do_not_exist(house):
    rival = world.make_agency()
    machine, secret = over_http.machine(rival)
    token = over_http.token(machine, secret)
    browser = over_http.log_in(house.users["agency_administrator"])
    absent = "/clients/0192f0e0-0000-7000-8000-000000000000/"
    assert browser.get(f"/clients/{machine.pk}/").content == browser.get(absent).content
    assert browser.post(f"/clients/{machine.pk}/disable/").status_code == 404
    payload = """mutation($id: ID!) { machineClientDisable(input: {machineClientId: $id}) {
        errors { code message } } }"""
    foreign = over_http.ask(payload, {"id": str(machine.pk)}, browser=browser)
    missing = over_http.ask(
        payload, {"id": "0192f0e0-0000-7000-8000-000000000000"}, browser=browser
    )
    assert foreign.content == missing.content
    assert over_http.ask(VIEWER, bearer=token).status_code == 200


def test_a_collector_makes_no_clients(house):
    browser = over_http.log_in(house.users["collector"])
    assert browser.get("/clients/").status_code == 403
    assert browser.post("/clients/new/", {"name": "Mine"}).status_code == 403
    assert not OAuthClient.objects.exists()
