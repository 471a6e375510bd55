"""The address Stripe calls: it believes a fresh signature and keeps an event once."""

import hashlib
import hmac
import json
import time

import pytest
from django.test import Client

from agencies import actors
from agencies.scope import scope
from payouts.models import ProviderEvent
from tests import world
from tests.portfolios.over_http import person

pytestmark = pytest.mark.django_db

SECRET = "whsec_of_this_test"
ADDRESS = "/stripe/webhook"


@pytest.fixture(autouse=True)
def secret(settings):
    settings.STRIPE_WEBHOOK_SECRET = SECRET
    settings.STRIPE_API_KEY = "sk_test_simulator"


def event(**changes) -> bytes:
    body = {
        "id": "evt_1",
        "object": "event",
        "type": "transfer.created",
        "created": 1_780_000_000,
        "livemode": False,
        "data": {"object": {"id": "tr_1", "object": "transfer", "transfer_group": "payout-x"}},
    }
    return json.dumps(body | changes).encode()


def signature(payload: bytes, *, age_seconds: int = 0, secret: str = SECRET) -> str:
    moment = int(time.time()) - age_seconds
    digest = hmac.new(secret.encode(), b"%d.%b" % (moment, payload), hashlib.sha256)
    return f"t={moment},v1={digest.hexdigest()}"


def call(payload: bytes, header: str | None, client: Client | None = None, **extra) -> int:
    headers = {} if header is None else {"HTTP_STRIPE_SIGNATURE": header}
    strict = client or Client(enforce_csrf_checks=True)
    answer = strict.post(ADDRESS, payload, content_type="application/json", **headers, **extra)
    assert answer.content == b""
    return answer.status_code


def kept() -> list[tuple]:
    with scope(actors.PUBLIC):
        fields = ("remote_id", "kind", "transfer_group", "object_id", "processed_at")
        return list(ProviderEvent.objects.values_list(*fields))


ONE = [("evt_1", "transfer.created", "payout-x", "tr_1", None)]


def test_an_event_is_kept_once_however_often_it_comes():
    payload = event()
    assert [call(payload, signature(payload)) for _ in range(5)] == [200] * 5
    assert kept() == ONE
    # The same identifier with another content is the same event.
    changed = event(type="transfer.reversed")
    assert call(changed, signature(changed)) == 200
    assert kept() == ONE


def test_two_secrets_may_overlap():
    payload = event()
    old = signature(payload, secret="whsec_old").split(",")[1]
    assert call(payload, f"{signature(payload)},{old}") == 200
    assert kept() == ONE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=1",
        "v1=abc",
        "t=now,v1=abc",
        "t=1,v1=é",
        "t=1,v1=签名",
        "t=99999999999999999999999,v1=abc",
        "=,=,=",
    ],
)
def test_a_signature_that_is_none_is_refused(header):
    assert call(event(), header) == 400
    assert kept() == []


@pytest.mark.parametrize(
    "options", [{"secret": "whsec_forged"}, {"age_seconds": 400}, {"age_seconds": -400}]
)
def test_a_forged_stale_or_early_event_is_refused(options):
    payload = event()
    assert call(payload, signature(payload, **options)) == 400
    assert kept() == []


def test_a_body_that_was_changed_on_the_way_is_refused():
    assert call(event(id="evt_2"), signature(event())) == 400
    assert kept() == []


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"{}", b"null", b"\xff\xfe", b'{"object": "event"}', event(livemode=True)],
)
def test_a_signed_body_that_is_no_event_of_ours_is_refused(payload):
    assert call(payload, signature(payload)) == 400
    assert kept() == []


def test_too_much_is_refused_before_it_is_read():
    payload = event(padding="x" * 300_000)
    assert call(payload, signature(payload)) == 413
    assert kept() == []


def test_only_posting_is_answered():
    assert Client().get(ADDRESS).status_code == 405


def test_somebody_logged_in_is_believed_no_more_than_anybody():
    client = person(world.make_bank(), "finance_approver")
    assert call(event(), signature(event(), secret="whsec_forged"), client) == 400
    assert kept() == []
