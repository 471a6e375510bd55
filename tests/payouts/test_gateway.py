"""The gateway: Stripe's own SDK against the simulator, fault by fault, judged by its journal."""

import http.server
import json
import threading
import time
from datetime import UTC, datetime

import pytest
import stripe
from django.db import transaction

from payouts import gateway
from payouts.simulator import server

SECRET = "whsec_test"
ONCE = ["transfer"]


@pytest.fixture
def simulator(settings):
    with server.running(":memory:", balances={"usd": 10_000}) as running:
        settings.STRIPE_API_KEY = "sk_test_simulator"
        settings.STRIPE_API_BASE = running.url
        settings.STRIPE_TIMEOUT_SECONDS = (2, 2)
        settings.STRIPE_MAX_RETRIES = 0
        settings.STRIPE_WEBHOOK_SECRET = SECRET
        yield running


@pytest.fixture
def recipient(simulator):
    return open_account().remote_id


def open_account(key="agency-1"):
    return gateway.create_recipient(
        idempotency_key=key,
        display_name="North Recovery",
        contact_email="pay@north.example",
        country="US",
        reference="7b0c",
    )


def send(recipient, key="payout-1-1", amount_minor=700, currency="USD", group="payout_1"):
    return gateway.create_transfer(
        idempotency_key=key,
        amount_minor=amount_minor,
        currency=currency,
        destination=recipient,
        transfer_group=group,
        description="Commission July 2026",
        metadata={"payout": "1"},
    )


def moved(simulator):
    return [entry["object"] for entry in simulator.api.store.journal()]


def test_money_goes_out_and_comes_back(simulator, recipient):
    sent = send(recipient)
    assert sent == gateway.Transfer(sent.remote_id, 700, "USD", recipient, "payout_1", 0)
    assert gateway.balance() == {"USD": 9_300}
    back = gateway.reverse_transfer(
        idempotency_key="reversal-1", transfer=sent, amount_minor=200, metadata={"reversal": "1"}
    )
    assert back == gateway.Reversal(back.remote_id, sent.remote_id, 200, "USD")
    assert gateway.retrieve_transfer(sent.remote_id).amount_reversed_minor == 200
    assert gateway.find_transfers(transfer_group="payout_1") == [
        gateway.retrieve_transfer(sent.remote_id)
    ]
    assert gateway.balance() == {"USD": 9_500}
    assert moved(simulator) == ["transfer", "transfer_reversal"]


def test_equal_partial_reversals_count_twice_and_a_repeated_one_once(simulator, recipient):
    sent = send(recipient)
    for key in ("reversal-1", "reversal-2", "reversal-2"):
        gateway.reverse_transfer(idempotency_key=key, transfer=sent, amount_minor=200, metadata={})
    assert gateway.retrieve_transfer(sent.remote_id).amount_reversed_minor == 400
    with pytest.raises(gateway.Refused) as refusal:
        gateway.reverse_transfer(
            idempotency_key="reversal-3", transfer=sent, amount_minor=301, metadata={}
        )
    assert (refusal.value.code, refusal.value.message_code) == ("REFUSED", None)


def test_an_account_is_opened_once_and_followed(simulator):
    account = open_account()
    assert account.transfers_active
    assert open_account() == account == gateway.retrieve_recipient(account.remote_id)
    stored = simulator.api.store.find("v2.core.account", "", account.remote_id)
    assert stored["metadata"] == {"reference": "7b0c"}
    assert stored["dashboard"] == "express"
    control(simulator, "accounts", {"id": account.remote_id, "transfers": "pending"})
    assert not gateway.retrieve_recipient(account.remote_id).transfers_active
    with pytest.raises(gateway.Refused) as refusal:
        send(account.remote_id)
    assert refusal.value.code == "DESTINATION_INACTIVE"


def control(simulator, action, body):
    client = stripe.RequestsClient(timeout=5)
    _, status, _ = client.request(
        "post", f"{simulator.url}/_simulator/{action}", {}, json.dumps(body)
    )
    assert status == 200


def test_all_pages_of_a_group_are_found(simulator, recipient):
    sent = [send(recipient, key=f"k{number}", amount_minor=1) for number in range(101)]
    found = gateway.find_transfers(transfer_group="payout_1")
    assert found == list(reversed(sent))
    assert gateway.find_transfers(transfer_group="payout_2") == []


@pytest.mark.parametrize(
    ("fault", "first", "again", "times"),
    [
        ("drop_before", gateway.Unknown, None, 1),
        ("drop_after", gateway.Unknown, None, 1),
        ("hang_after", gateway.Unknown, None, 1),
        ("500_before", gateway.Unknown, gateway.Unknown, 0),
        ("500_after", gateway.Unknown, gateway.Unknown, 1),
        ("502_html", gateway.Unknown, None, 1),
        ("200_html", gateway.Unknown, None, 1),
        ("429", gateway.Later, None, 1),
        ("403", gateway.Misconfigured, None, 1),
    ],
)
@pytest.mark.parametrize("retries", [0, 2])
def test_a_fault_never_pays_twice(
    simulator, recipient, settings, fault, first, again, times, retries
):
    settings.STRIPE_TIMEOUT_SECONDS = (2, 0.3)
    settings.STRIPE_MAX_RETRIES = retries
    simulator.add_fault(fault, path="/v1/transfers", seconds=0.6)
    with pytest.raises(first):
        send(recipient)
    settings.STRIPE_TIMEOUT_SECONDS = (2, 2)
    if again:
        with pytest.raises(again):
            send(recipient)
    else:
        sent = send(recipient)
        assert gateway.find_transfers(transfer_group="payout_1") == [sent]
    assert len(gateway.find_transfers(transfer_group="payout_1")) == times
    assert moved(simulator) == ONCE * times
    assert gateway.balance() == {"USD": 10_000 - 700 * times}


@pytest.mark.parametrize("fault", ["drop_after", "500_after", "200_html"])
def test_a_fault_never_reverses_twice(simulator, recipient, fault):
    sent = send(recipient)
    simulator.add_fault(fault, path="/v1/transfers/*/reversals")
    reversal = {"idempotency_key": "r-1", "transfer": sent, "amount_minor": 50, "metadata": {}}
    with pytest.raises(gateway.Unknown):
        gateway.reverse_transfer(**reversal)
    if fault == "500_after":
        with pytest.raises(gateway.Unknown):
            gateway.reverse_transfer(**reversal)
    else:
        assert gateway.reverse_transfer(**reversal).amount_minor == 50
    assert gateway.retrieve_transfer(sent.remote_id).amount_reversed_minor == 50


def test_reading_is_tried_again(simulator, recipient, settings):
    settings.STRIPE_MAX_RETRIES = 1
    simulator.add_fault("drop_before", method="GET", path="/v1/balance")
    assert gateway.balance() == {"USD": 10_000}


def test_a_second_call_in_flight_is_for_later(simulator, recipient):
    simulator.add_fault("hang_inflight", path="/v1/transfers", seconds=0.6)
    answers = []
    slow = threading.Thread(target=lambda: answers.append(send(recipient)))
    slow.start()
    deadline = time.monotonic() + 5
    while not simulator.api.in_flight and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(gateway.Later):
        send(recipient)
    slow.join()
    assert send(recipient) == answers[0]
    assert moved(simulator) == ONCE


def test_a_key_older_than_a_day_pays_again(simulator, recipient):
    """Why an attempt must stop being sent well before its key is a day old."""
    first = send(recipient)
    control(simulator, "clock", {"advance_seconds": 24 * 3600})
    assert send(recipient) != first
    assert moved(simulator) == ONCE * 2


def test_an_empty_balance_is_refused_until_a_new_attempt(simulator, recipient):
    def attempt(key):
        return send(recipient, key=key, amount_minor=10_001)

    with pytest.raises(gateway.Refused) as refusal:
        attempt("payout-1-1")
    assert (refusal.value.code, refusal.value.message_code) == (
        "BALANCE_INSUFFICIENT",
        "balance_insufficient",
    )
    assert refusal.value.request_id.startswith("req_")
    control(simulator, "balances", {"account": "", "currency": "usd", "amount": 20_000})
    with pytest.raises(gateway.Refused):
        attempt("payout-1-1")
    assert attempt("payout-1-2").amount_minor == 10_001
    assert moved(simulator) == ONCE


def test_an_unknown_destination_or_transfer_is_refused(simulator):
    with pytest.raises(gateway.Refused) as refusal:
        send("acct_nobody")
    assert (refusal.value.code, refusal.value.message_code) == (
        "DESTINATION_UNKNOWN",
        "resource_missing",
    )
    with pytest.raises(gateway.Refused) as refusal:
        gateway.retrieve_transfer("tr_none")
    assert refusal.value.code == "REMOTE_NOT_FOUND"


def test_a_key_with_other_parameters_is_our_fault(simulator, recipient):
    send(recipient)
    with pytest.raises(gateway.Misused):
        send(recipient, amount_minor=701)
    assert moved(simulator) == ONCE


def test_a_wrong_or_missing_account_key_is_a_matter_of_configuration(simulator, settings):
    settings.STRIPE_API_KEY = "sk_test_other"
    with pytest.raises(gateway.Misconfigured):
        gateway.balance()
    settings.STRIPE_API_KEY = ""
    with pytest.raises(gateway.Misconfigured):
        gateway.balance()


class Odd(http.server.BaseHTTPRequestHandler):
    """Answers every POST with what its server's `answer` says."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def odd(simulator, settings):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        settings.STRIPE_API_BASE = f"http://127.0.0.1:{receiver.server_address[1]}"
        yield receiver
        receiver.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b"[]", gateway.Unknown),
        (200, b"null", gateway.Unknown),
        (200, b"{}", gateway.Unknown),
        (200, b"", gateway.Unknown),
        (200, b'{"id": "tr_1", "object": "transfer"}', gateway.Unknown),
        (200, b'{"id": "tr_1", "object": "transfer", "amount": "1"}', gateway.Unknown),
        (200, b"\xff", gateway.Unknown),
        (302, b"", gateway.Unknown),
        (400, b"<html>", gateway.Unknown),
        (400, b'{"error": null}', gateway.Unknown),
        (400, b'{"error": []}', gateway.Unknown),
        (403, b"<html>", gateway.Unknown),
        (404, b"{}", gateway.Unknown),
        (409, b"<html>", gateway.Later),
        (429, b"<html>", gateway.Later),
        (400, b'{"error": {"code": "rate_limit"}}', gateway.Later),
        (400, b'{"error": {"type": "idempotency_error"}}', gateway.Misused),
        (401, b'{"error": {}}', gateway.Misconfigured),
        (402, b'{"error": {"code": "card_declined"}}', gateway.Refused),
        (400, b'{"error": {}}', gateway.Refused),
        (418, b'{"error": {}}', gateway.Unknown),
        (503, b'{"error": {"code": "balance_insufficient"}}', gateway.Unknown),
    ],
)
def test_an_odd_answer_never_reads_as_done(odd, status, body, outcome):
    odd.answer = status, body
    with pytest.raises(outcome):
        send("acct_1")


def test_nobody_listening_is_unknown(simulator, recipient, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    with pytest.raises(gateway.Unknown):
        send(recipient)


@pytest.mark.parametrize("key", ["", "k" * 256, "paiement-é", "a b", "a\n"])
def test_a_key_that_stripe_would_not_take_is_not_sent(simulator, recipient, key):
    with pytest.raises(ValueError, match="idempotency key"):
        send(recipient, key=key)
    assert moved(simulator) == []


@pytest.mark.parametrize(
    ("currency", "amount_minor", "at_stripe"),
    [
        ("USD", 700, 700),
        ("JPY", 700, 700),
        ("ISK", 7, 700),
        ("UGX", 7, 700),
        ("MGA", 700, 7),
        ("KWD", 700, 700),
        ("HUF", 700, 700),
    ],
)
def test_amounts_are_sent_in_stripes_units(simulator, recipient, currency, amount_minor, at_stripe):
    control(
        simulator, "balances", {"account": "", "currency": currency.lower(), "amount": at_stripe}
    )
    sent = send(recipient, amount_minor=amount_minor, currency=currency)
    assert (sent.amount_minor, sent.currency) == (amount_minor, currency)
    entry = simulator.api.store.journal()[0]
    assert (entry["amount"], entry["currency"]) == (at_stripe, currency.lower())
    assert gateway.balance()[currency] == 0


@pytest.mark.parametrize(
    ("currency", "amount_minor", "payable"),
    [("USD", 799, 799), ("JPY", 799, 799), ("KWD", 799, 790), ("HUF", 799, 700), ("MGA", 99, 0)],
)
def test_what_a_bank_cannot_receive_is_left_over(simulator, currency, amount_minor, payable):
    assert gateway.payable_minor(amount_minor, currency) == payable
    if payable != amount_minor:
        with pytest.raises(gateway.Refused) as refusal:
            send("acct_any", amount_minor=amount_minor, currency=currency)
        assert refusal.value.code == "AMOUNT_INDIVISIBLE"


@pytest.mark.parametrize("currency", ["usd", "XXX", "", "BTC"])
def test_an_unsupported_currency_is_refused_before_sending(simulator, currency):
    with pytest.raises(gateway.Refused) as refusal:
        send("acct_any", currency=currency)
    assert (refusal.value.code, refusal.value.message_code) == ("CURRENCY_UNSUPPORTED", None)


@pytest.mark.django_db
def test_no_call_is_made_inside_a_transaction(simulator):
    transfer = gateway.Transfer("tr_1", 1, "USD", "acct_1", "g", 0)
    calls = (
        open_account,
        lambda: gateway.retrieve_recipient("acct_1"),
        lambda: send("acct_1"),
        lambda: gateway.retrieve_transfer("tr_1"),
        lambda: gateway.find_transfers(transfer_group="g"),
        lambda: gateway.reverse_transfer(
            idempotency_key="k", transfer=transfer, amount_minor=1, metadata={}
        ),
        gateway.balance,
    )
    with transaction.atomic():
        for call in calls:
            with pytest.raises(RuntimeError, match="inside a database transaction"):
                call()
    assert simulator.api.store.page("v2.core.account", "", {})["data"] == []
    assert moved(simulator) == []


def event(**changes):
    body = {
        "id": "evt_1",
        "object": "event",
        "type": "transfer.created",
        "created": 1_780_000_000,
        "livemode": False,
        "data": {"object": {"id": "tr_1", "object": "transfer"}},
    } | changes
    return json.dumps(body)


def sign(payload, age_seconds=0, secret=SECRET):
    moment = int(time.time()) - age_seconds
    return stripe.WebhookSignature.generate_signature_header(payload, secret, moment)


def test_a_signed_event_is_read(simulator):
    payload = event()
    seen = gateway.verify_webhook(payload.encode(), sign(payload))
    assert seen == gateway.Event(
        id="evt_1",
        type="transfer.created",
        created_at=datetime.fromtimestamp(1_780_000_000, UTC),
        object_id="tr_1",
        livemode=False,
        payload=json.loads(payload),
    )
    nameless = event(data={"object": {"object": "balance"}})
    assert gateway.verify_webhook(nameless.encode(), sign(nameless, 290)).object_id == ""
    gateway.verify_webhook(payload.encode(), sign(payload, -290))
    assert not gateway.expects_livemode()


def test_two_secrets_may_overlap(simulator):
    payload = event()
    old = sign(payload, secret="whsec_old").split(",")[1]
    assert gateway.verify_webhook(payload.encode(), f"{sign(payload)},{old}").id == "evt_1"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=1",
        "v1=abc",
        "t=,v1=abc",
        "t=now,v1=abc",
        "=,=,=",
        "t=1,v1=é",
        "t=99999999999999999999999,v1=abc",
        "\x00",
    ],
)
def test_a_malformed_signature_is_refused(simulator, header):
    with pytest.raises(gateway.InvalidSignature):
        gateway.verify_webhook(event().encode(), header)


@pytest.mark.parametrize(
    ("age_seconds", "secret"), [(400, SECRET), (-400, SECRET), (0, "whsec_other")]
)
def test_a_stale_early_or_forged_signature_is_refused(simulator, age_seconds, secret):
    payload = event()
    with pytest.raises(gateway.InvalidSignature):
        gateway.verify_webhook(payload.encode(), sign(payload, age_seconds, secret))


@pytest.mark.parametrize(
    "payload",
    [
        "[]",
        "null",
        "{}",
        "7",
        '"event"',
        "not json",
        "",
        "[" * 100_000,
        event(object="v2.core.event"),
        event(id=None),
        event(type=7),
        event(created="soon"),
        event(created=10**30),
        event(livemode="no"),
        event(data=[]),
        event(data={"object": None}),
        event(data={"object": {"id": {"a": 1}}}),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(simulator, payload):
    with pytest.raises(gateway.InvalidSignature):
        gateway.verify_webhook(payload.encode(), sign(payload))


def test_a_changed_or_unreadable_body_is_refused(simulator, settings):
    payload = event()
    for body in (payload.encode() + b" ", b"\xff\xfe", b"\x00", b"\xed\xa0\x80"):
        with pytest.raises(gateway.InvalidSignature):
            gateway.verify_webhook(body, sign(payload))
    for secret in ("", " "):
        settings.STRIPE_WEBHOOK_SECRET = secret
        with pytest.raises(gateway.InvalidSignature):
            gateway.verify_webhook(payload.encode(), sign(payload, secret=secret))
