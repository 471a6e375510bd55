"""Log-in: by e-mail and password, with a second factor where it is demanded."""

import time

import pytest
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.test import Client

from tests import world
from tests.agencies import over_http

pytestmark = pytest.mark.django_db

ENOUGH_SECONDS = 4


def code(secret: str) -> str:
    """What an authenticator app shows for `secret` (RFC 6238), with some seconds to go."""
    left = app_settings.TOTP_PERIOD - time.time() % app_settings.TOTP_PERIOD
    if left < ENOUGH_SECONDS:
        time.sleep(left)
    counter = int(time.time()) // app_settings.TOTP_PERIOD
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def test_log_in_and_out(bank):
    auditor = bank.users["auditor"]
    browser = Client()
    sent = browser.get("/audit/?subject=panel")
    assert (sent.status_code, sent.url) == (302, "/accounts/login/?next=/audit/%3Fsubject%3Dpanel")
    wrong = browser.post(sent.url, {"login": auditor.email, "password": "wrong"})
    assert wrong.status_code == 200
    assert browser.get("/audit/").status_code == 302
    right = browser.post(sent.url, {"login": auditor.email.upper(), "password": world.PASSWORD})
    assert (right.status_code, right.url) == (302, "/audit/?subject=panel")
    assert browser.get("/audit/").status_code == 200
    assert browser.post("/accounts/logout/").status_code == 302
    assert browser.get("/audit/").status_code == 302


def test_pages_are_kept_by_no_cache(bank):
    browser = over_http.log_in(bank.users["auditor"])
    assert browser.get("/audit/").headers["Cache-Control"] == "no-store"


def test_the_bank_needs_a_second_factor_where_it_is_demanded(bank, settings):
    settings.TOTP_REQUIRED_FOR_INSTITUTIONS = True
    auditor = bank.users["auditor"]
    browser = over_http.log_in(auditor)
    for page in ("/", "/audit/", "/panel/"):
        answer = browser.get(page)
        assert (answer.status_code, answer.url) == (302, "/accounts/2fa/totp/activate/")
    assert over_http.ask("{ viewer { id } }", browser=browser).status_code == 401

    page = browser.get("/accounts/2fa/totp/activate/")
    assert page.status_code == 200
    assert "asks for a second factor" in page.content.decode()
    assert 'action="/accounts/logout/"' in page.content.decode()
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    wrong = browser.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    assert wrong.status_code == 200
    assert browser.get("/audit/").status_code == 302
    done = browser.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    assert done.status_code == 302
    assert browser.get("/audit/").status_code == 200
    kept = Authenticator.objects.get(user=auditor, type=Authenticator.Type.TOTP)
    assert kept.wrap().validate_code("000000") is False

    other = Client()
    answer = other.post("/accounts/login/", {"login": auditor.email, "password": world.PASSWORD})
    assert (answer.status_code, answer.url) == (302, "/accounts/2fa/authenticate/")
    assert other.get("/audit/").status_code == 302
    assert other.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert other.get("/audit/").status_code == 302
    shown = {"code": code(secret)}
    assert other.post("/accounts/2fa/authenticate/", shown).status_code == 302
    assert other.get("/audit/").status_code == 200

    thief = Client()
    thief.post("/accounts/login/", {"login": auditor.email, "password": world.PASSWORD})
    replayed = thief.post("/accounts/2fa/authenticate/", shown)
    assert replayed.status_code == 200, "a code works once"
    assert thief.get("/audit/").status_code == 302


def test_an_agency_needs_none(settings):
    settings.TOTP_REQUIRED_FOR_INSTITUTIONS = True
    house = world.make_agency()
    browser = over_http.log_in(house.users["agency_administrator"])
    assert browser.get("/institutions/").status_code == 200


def test_a_forgotten_password(bank, django_capture_on_commit_callbacks):
    auditor = bank.users["auditor"]
    old = over_http.log_in(auditor)
    browser = Client()
    with django_capture_on_commit_callbacks(execute=True):
        browser.post("/accounts/password/reset/", {"email": auditor.email})
    link = over_http.mailed_link()
    form = browser.get(link, follow=True)
    fields = {"password1": "another long sentence", "password2": "another long sentence"}
    answer = browser.post(form.redirect_chain[-1][0], fields)
    assert answer.status_code == 302
    assert len(mail.outbox) >= 1
    assert old.get("/audit/").status_code == 302
    assert over_http.log_in(auditor, "another long sentence").get("/audit/").status_code == 200
    assert Client().post(link, fields).status_code != 500


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health(path):
    answer = Client().get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_refusals_look_like_nothing_there(bank):
    browser = over_http.log_in(bank.users["auditor"])
    unknown = browser.get("/no/such/page/")
    absent = browser.get("/panel/0192f0e0-0000-7000-8000-000000000000/")
    assert unknown.status_code == absent.status_code == 404
    assert unknown.content == absent.content
