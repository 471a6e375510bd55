"""The entry point of the web: what a view that fails leaves behind, and what it shows."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from agencies.models import Denial, User
from agencies.scope import scope
from config import errors
from config.urls import handler404, handler500  # noqa: F401 - Django looks for them here
from frontend import urls
from frontend.access import ANYBODY, page
from tests.agencies import over_http

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

FAILURES = {
    "fault": RuntimeError("secret of the machine"),
    "missing": errors.NotFound("NOT_FOUND", "There is no such thing."),
    "forbidden": errors.NotAllowed("NOT_ALLOWED", "Your role does not allow this."),
    "input": errors.InvalidInput("REQUIRED", "Give a reason."),
    "state": errors.InvalidState("CLOSED", "This is closed."),
}


@page(allow=ANYBODY)
def fail(request, how):
    """Changes one's own name, and then fails in the way that was asked for."""
    User.objects.filter(pk=request.actor.user_id).update(name="Changed")
    if how in FAILURES:
        raise FAILURES[how]
    return HttpResponse(User.objects.get(pk=request.actor.user_id).name)


urlpatterns = [path("fail/<str:how>/", fail, name="fail"), path("", include("config.urls"))]


def name_of(bank) -> str:
    with scope(bank.actor("auditor")):
        return User.objects.get(pk=bank.users["auditor"].pk).name


def ask(bank, how):
    browser = over_http.log_in(bank.users["auditor"])
    browser.raise_request_exception = False
    return browser.get(f"/fail/{how}/")


def test_what_succeeds_is_kept(bank):
    assert ask(bank, "not").content == b"Changed"
    assert name_of(bank) == "Changed"


@pytest.mark.parametrize(
    ("how", "status", "sentence"),
    [
        ("missing", 404, "The page does not exist, or you have no access to it."),
        ("forbidden", 403, "Your role does not allow this."),
        ("input", 422, "Give a reason."),
        ("state", 409, "This is closed."),
    ],
)
def test_a_refusal_undoes_everything_and_says_its_sentence(bank, how, status, sentence):
    answer = ask(bank, how)
    assert answer.status_code == status
    assert sentence in answer.content.decode()
    assert name_of(bank) == "Auditor"
    with scope(bank.actor("auditor")):
        denied = list(Denial.objects.values_list("operation", "code"))
    expected = {404: [("fail", "NOT_FOUND")], 403: [("fail", "NOT_ALLOWED")]}
    assert denied == expected.get(status, [])


def test_a_fault_undoes_everything_and_shows_a_reference(bank, caplog):
    answer = ask(bank, "fault")
    assert answer.status_code == 500
    text = answer.content.decode()
    assert "secret" not in text
    assert "RuntimeError" not in text
    reference = re.search(r'class="reference">([0-9a-f]{12})<', text)[1]
    assert any(reference in record.message for record in caplog.records)
    assert name_of(bank) == "Auditor"


def test_a_refusal_asks_for_no_scope_of_the_next_request(bank):
    ask(bank, "fault")
    assert ask(bank, "not").status_code == 200
    assert User.objects.count() == 0


def test_every_page_says_who_may_open_it():
    silent = [pattern.name for pattern in urls.urlpatterns if not pattern.callback.allow]
    assert silent == []


def test_nobody_known_reaches_a_page_of_anybody():
    assert Client().get("/").status_code == 200
    answer = Client().post("/people/invite/", {"email": "a@b.example"})
    assert (answer.status_code, answer.url) == (302, "/accounts/login/")
    fragment = Client().get("/people/", headers={"HX-Request": "true"})
    assert fragment.headers["HX-Redirect"] == "/accounts/login/?next=/people/"


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Digest username=x", "bearer"])
def test_a_header_that_browsers_send_by_themselves_does_not_lift_the_guard_on_forms(bank, header):
    browser = over_http.log_in(bank.users["auditor"])
    browser.handler.enforce_csrf_checks = True
    refused = browser.post("/fail/not/", headers={"Authorization": header})
    assert refused.status_code == 403
    assert name_of(bank) == "Auditor"


def test_a_call_of_the_api_by_nobody_is_answered_in_the_words_of_the_api():
    answer = Client(enforce_csrf_checks=True).post(
        "/graphql", {"query": "{ apiVersion }"}, content_type="application/json"
    )
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_a_call_of_the_api_with_a_session_needs_the_forms_token(bank):
    browser = over_http.log_in(bank.users["auditor"])
    browser.handler.enforce_csrf_checks = True
    answer = browser.post("/graphql", {"query": "{ apiVersion }"}, content_type="application/json")
    assert answer.status_code == 403
