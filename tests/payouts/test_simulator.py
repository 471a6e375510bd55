"""The Stripe simulator as any HTTP client sees it: refusals, idempotency, money rules, webhooks."""

import hashlib
import hmac
import http.client
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from payouts.simulator import server

ROOT = Path(__file__).resolve().parents[2]
SPECIFICATION = ROOT.parent / "shared" / "data" / "stripe" / "openapi_2023-08-16.json"
RECIPIENT = {
    "contact_email": "pay@north.example",
    "display_name": "North Recovery",
    "identity": {"country": "us", "entity_type": "company"},
    "defaults": {
        "responsibilities": {"fees_collector": "application", "losses_collector": "application"}
    },
    "configuration": {
        "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
    },
    "include": ["configuration.recipient"],
}


class Wire:
    """Plain HTTP to a simulator: `(status, headers, body)` of each call."""

    def __init__(self, port, api_key="sk_test_simulator"):
        self.port = port
        self.authorization = f"Bearer {api_key}"

    def __call__(self, method, path, body="", key=None, account=None):
        headers = {"Authorization": self.authorization}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"Stripe-Account": account} if account else {}
        body = json.dumps(body) if isinstance(body, dict) else body
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body.encode(), headers)
        response = connection.getresponse()
        answer = response.status, response.headers, json.loads(response.read())
        connection.close()
        return answer

    def balance(self, account=None):
        funds = self("GET", "/v1/balance", account=account)[2]["available"]
        return {fund["currency"]: fund["amount"] for fund in funds}

    def journal(self):
        return self("GET", "/_simulator/journal")[2]["data"]


@pytest.fixture
def simulator():
    with server.running(":memory:", balances={"usd": 10_000}) as running:
        yield running


@pytest.fixture
def wire(simulator):
    return Wire(simulator.server_address[1])


@pytest.fixture
def recipient(wire):
    return wire("POST", "/v2/core/accounts", RECIPIENT)[2]["id"]


def form(recipient, amount="700", **more):
    fields = {"amount": amount, "currency": "usd", "destination": recipient} | more
    return "&".join(f"{name}={quote(value)}" for name, value in fields.items())


def test_a_transfer_moves_money_once_and_says_so_everywhere(wire, recipient):
    body = form(recipient, transfer_group="payout_1") + "&metadata[payout]=1"
    status, headers, transfer = wire("POST", "/v1/transfers", body, key="k")
    assert status == 200
    assert transfer["metadata"] == {"payout": "1"}
    assert headers["Original-Request"] == headers["Request-Id"]
    assert headers["Stripe-Should-Retry"] == "false"
    assert wire.balance() == {"usd": 9_300}
    assert wire.balance(recipient) == {"usd": 700}
    assert wire("GET", f"/v1/transfers/{transfer['id']}")[2] == transfer
    assert wire("GET", "/v1/transfers?transfer_group=payout_1")[2]["data"] == [transfer]
    assert wire("GET", "/v1/transfers?transfer_group=payout_2")[2]["data"] == []
    assert wire("GET", "/v1/events?type=transfer.created")[2]["data"][0]["data"]["object"] == (
        transfer
    )
    assert wire.journal() == [
        {
            "object": "transfer",
            "id": transfer["id"],
            "amount": 700,
            "currency": "usd",
            "from": "",
            "to": recipient,
            "key": "k",
        }
    ]


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ("idempotency_key=k", "parameter_unknown", "idempotency_key"),
        ("metadata[a][b]=c&stripe_account=x", "parameter_unknown", "stripe_account"),
        ("amount=1.5", "parameter_invalid_integer", "amount"),
        ("amount=-1", "parameter_invalid_integer", "amount"),
        ("amount=0", "parameter_invalid_integer", "amount"),
        ("amount=%D9%A1", "parameter_invalid_integer", "amount"),
        ("amount=", "parameter_missing", "amount"),
        ("currency=", "parameter_missing", "currency"),
        ("destination=", "parameter_missing", "destination"),
        ("destination=acct_nobody", "resource_missing", "destination"),
        ("currency=dollars", None, "currency"),
        ("amount=10001", "balance_insufficient", None),
    ],
)
def test_a_bad_transfer_is_refused_as_stripe_does(wire, recipient, body, code, param):
    status, _, answer = wire("POST", "/v1/transfers", f"{form(recipient)}&{body}")
    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"
    assert (answer["error"].get("code"), answer["error"].get("param")) == (code, param)
    assert wire.journal() == []
    assert wire.balance() == {"usd": 10_000}


def test_what_is_not_spoken_is_refused(wire, recipient):
    assert wire("GET", "/v1/charges")[0] == 404
    assert wire("GET", "/v1/transfers?expand[0]=data")[2]["error"]["code"] == "parameter_unknown"
    assert wire("GET", "/v1/transfers?limit=101")[2]["error"]["param"] == "limit"
    assert wire("GET", "/v1/transfers/tr_none")[0] == 404
    assert wire("GET", "/v1/balance", account="acct_none")[0] == 403
    assert Wire(wire.port, "sk_test_other")("GET", "/v1/balance")[0] == 401
    for part, value in (("contact_email", ""), ("identity", {}), ("defaults", {})):
        answer = wire("POST", "/v2/core/accounts", RECIPIENT | {part: value})[2]
        assert answer["error"]["code"] == "parameter_missing"
    answer = wire("POST", "/v2/core/accounts", RECIPIENT | {"country": "us"})[2]
    assert answer["error"]["code"] == "parameter_unknown"


def test_an_account_shows_only_what_is_included(wire, recipient):
    path = f"/v2/core/accounts/{recipient}"
    bare = wire("GET", path)[2]
    assert (bare["configuration"], bare["identity"]) == (None, None)
    full = wire("GET", f"{path}?include[0]=configuration.recipient&include[1]=identity")[2]
    transfers = full["configuration"]["recipient"]["capabilities"]["stripe_balance"]
    assert transfers["stripe_transfers"]["status"] == "active"
    assert full["identity"] == {"country": "us", "entity_type": "company"}
    other = wire("POST", "/v2/core/accounts", RECIPIENT)[2]["id"]
    first = wire("GET", "/v2/core/accounts?limit=1")[2]
    assert [account["id"] for account in first["data"]] == [other]
    second = wire("GET", first["next_page_url"])[2]
    assert [account["id"] for account in second["data"]] == [recipient]
    assert second["next_page_url"] is None


def test_an_inactive_recipient_gets_nothing(wire, recipient):
    wire("POST", "/_simulator/accounts", {"id": recipient, "transfers": "restricted"})
    answer = wire("POST", "/v1/transfers", form(recipient))[2]
    assert answer["error"]["code"] == "insufficient_capabilities_for_transfer"
    assert wire.journal() == []


def test_a_key_replays_its_first_answer(wire, recipient):
    first = wire("POST", "/v1/transfers", form(recipient), key="k")
    again = wire("POST", "/v1/transfers", form(recipient), key="k")
    assert again[2] == first[2]
    assert again[1]["Idempotent-Replayed"] == "true"
    assert again[1]["Original-Request"] == first[1]["Request-Id"] != again[1]["Request-Id"]
    other = wire("POST", "/v1/transfers", form(recipient, "701"), key="k")
    assert (other[0], other[2]["error"]["type"]) == (400, "idempotency_error")
    assert wire("POST", "/v1/transfers", form(recipient), key="k" * 256)[0] == 400
    assert len(wire.journal()) == 1


def test_an_executed_refusal_is_kept_and_a_malformed_request_is_not(wire, recipient):
    poor = form(recipient, "10001")
    assert wire("POST", "/v1/transfers", poor, key="poor")[0] == 400
    wire("POST", "/v1/topups", "amount=500&currency=usd")
    kept = wire("POST", "/v1/transfers", poor, key="poor")
    assert (kept[0], kept[1]["Idempotent-Replayed"]) == (400, "true")
    assert wire("POST", "/v1/transfers", poor, key="new")[0] == 200
    assert wire("POST", "/v1/transfers", form(recipient, "x"), key="typo")[0] == 400
    assert wire("POST", "/v1/transfers", form(recipient, "1"), key="typo")[0] == 200
    assert wire.balance() == {"usd": 498}


def test_keys_belong_to_an_account_and_are_forgotten_after_a_day(wire, recipient):
    wire("POST", "/v1/transfers", form(recipient), key="k")
    topup = wire("POST", "/v1/topups", "amount=5&currency=usd", key="k", account=recipient)
    assert topup[0] == 200
    wire("POST", "/_simulator/clock", {"advance_seconds": 24 * 3600 - 60})
    assert wire("POST", "/v1/transfers", form(recipient), key="k")[1]["Idempotent-Replayed"]
    wire("POST", "/_simulator/clock", {"advance_seconds": 60})
    assert not wire("POST", "/v1/transfers", form(recipient), key="k")[1]["Idempotent-Replayed"]
    assert [entry["object"] for entry in wire.journal()] == ["transfer", "topup", "transfer"]


def test_a_key_in_flight_is_a_conflict(simulator, wire, recipient):
    simulator.add_fault("hang_inflight", path="/v1/transfers", seconds=1.0)
    answers = []
    slow = threading.Thread(
        target=lambda: answers.append(wire("POST", "/v1/transfers", form(recipient), key="k"))
    )
    slow.start()
    deadline = time.monotonic() + 5
    while not simulator.api.in_flight and time.monotonic() < deadline:
        time.sleep(0.01)
    status, _, body = wire("POST", "/v1/transfers", form(recipient), key="k")
    assert (status, body["error"]["code"]) == (409, "idempotency_key_in_use")
    slow.join()
    assert answers[0][0] == 200
    assert len(wire.journal()) == 1


def test_v2_repeats_failed_work_and_never_successful_work(wire):
    wire("POST", "/_simulator/faults", {"fault": "500_before", "path": "/v2/core/accounts"})
    assert wire("POST", "/v2/core/accounts", RECIPIENT, key="a")[0] == 500
    made = wire("POST", "/v2/core/accounts", RECIPIENT, key="a")[2]["id"]
    wire("POST", "/_simulator/clock", {"advance_seconds": 29 * 24 * 3600})
    assert wire("POST", "/v2/core/accounts", RECIPIENT, key="a")[2]["id"] == made
    wire("POST", "/_simulator/faults", {"fault": "500_after", "path": "/v2/core/accounts"})
    assert wire("POST", "/v2/core/accounts", RECIPIENT, key="b")[0] == 500
    assert wire("POST", "/v2/core/accounts", RECIPIENT, key="b")[0] == 200
    assert len(wire("GET", "/v2/core/accounts")[2]["data"]) == 2


def test_reversals_take_back_up_to_what_is_left(wire, recipient):
    transfer = wire("POST", "/v1/transfers", form(recipient))[2]["id"]
    path = f"/v1/transfers/{transfer}/reversals"
    part = wire("POST", path, "amount=200&metadata[why]=returned", key="r1")[2]
    assert (part["amount"], part["transfer"]) == (200, transfer)
    assert wire("POST", path, "amount=501")[0] == 400
    wire("POST", "/_simulator/balances", {"account": recipient, "currency": "usd", "amount": 499})
    assert wire("POST", path, "")[2]["error"]["code"] == "balance_insufficient"
    wire("POST", "/_simulator/balances", {"account": recipient, "currency": "usd", "amount": 500})
    rest = wire("POST", path, "")[2]
    assert rest["amount"] == 500
    assert wire("POST", path, "amount=1")[0] == 400
    shown = wire("GET", f"/v1/transfers/{transfer}")[2]
    assert (shown["amount_reversed"], shown["reversed"]) == (700, True)
    assert [entry["id"] for entry in shown["reversals"]["data"]] == [rest["id"], part["id"]]
    assert wire("GET", path)[2]["data"] == [rest, part]
    assert wire.balance() == {"usd": 10_000}
    event = wire("GET", "/v1/events?type=transfer.reversed")[2]["data"][0]
    assert event["data"]["previous_attributes"] == {"amount_reversed": 200, "reversed": False}


def test_lists_are_newest_first_in_pages(wire, recipient):
    other = wire("POST", "/v2/core/accounts", RECIPIENT)[2]["id"]
    made = [
        wire("POST", "/v1/transfers", form(account, "1"))[2]["id"]
        for account in (recipient, other, recipient)
    ]
    first = wire("GET", "/v1/transfers?limit=2")[2]
    assert [entry["id"] for entry in first["data"]] == [made[2], made[1]]
    assert first["has_more"]
    rest = wire("GET", f"/v1/transfers?limit=2&starting_after={made[1]}")[2]
    assert [entry["id"] for entry in rest["data"]] == [made[0]]
    assert not rest["has_more"]
    mine = wire("GET", f"/v1/transfers?destination={other}")[2]["data"]
    assert [entry["id"] for entry in mine] == [made[1]]
    moment = first["data"][0]["created"]
    assert wire("GET", f"/v1/transfers?created[gt]={moment}")[2]["data"] == []
    assert len(wire("GET", f"/v1/transfers?created[lte]={moment}")[2]["data"]) == 3


class Hook(http.server.BaseHTTPRequestHandler):
    """A receiver that fails as often as its server's `failures` says."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.headers["Stripe-Signature"], body))
        self.server.failures -= 1
        self.send_response(500 if self.server.failures >= 0 else 204)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def hook():
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    receiver.received, receiver.failures = [], 0
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield receiver
    receiver.shutdown()
    thread.join()
    receiver.server_close()


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "nothing arrived in ten seconds"
        time.sleep(0.02)


def test_an_event_is_signed_and_sent_until_it_is_taken(hook):
    hook.failures = 2
    url = f"http://127.0.0.1:{hook.server_address[1]}/stripe"
    with server.running(":memory:", webhook_url=url, webhook_secret="whsec_t") as running:
        wire = Wire(running.server_address[1])
        wire("POST", "/v1/topups", "amount=5&currency=usd", key="k")
        event = wire("GET", "/v1/events")[2]["data"][0]
        wait_for(lambda: len(hook.received) == 3)
        time.sleep(0.2)
        assert len(hook.received) == 3
        wire("POST", "/_simulator/resend", {"event": event["id"]})
        wait_for(lambda: len(hook.received) == 4)
    assert event["request"]["idempotency_key"] == "k"
    for signature, body in hook.received:
        assert json.loads(body) == event
        moment = signature.split(",")[0].removeprefix("t=")
        signed = hmac.new(b"whsec_t", f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        assert signature == f"t={moment},v1={signed}"
        assert abs(int(moment) - time.time()) < 60


def launch(data, *more):
    command = [sys.executable, "-m", "payouts.simulator", "--port", "0", "--data", str(data)]
    process = subprocess.Popen([*command, *more], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return process, Wire(int(process.stdout.readline().rsplit(":", 1)[1]), "sk_test_k")


def test_the_program_keeps_its_books_over_restarts(tmp_path):
    options = ("--balance", "USD=900", "--balance", "eur=50", "--api-key", "sk_test_k")
    for number, stop in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)):
        process, wire = launch(tmp_path / "stripe.sqlite3", *options)
        assert wire("GET", "/_simulator/health")[2] == {"ok": True}
        if number == 0:
            account = wire("POST", "/v2/core/accounts", RECIPIENT)[2]["id"]
        first = wire("POST", "/v1/transfers", form(account, "100"), key="once")
        assert bool(first[1]["Idempotent-Replayed"]) is (number > 0)
        assert wire.balance() == {"eur": 50, "usd": 800}
        os.kill(process.pid, stop)
        assert process.wait(timeout=10) == (-signal.SIGKILL if stop == signal.SIGKILL else 0)
        process.stdout.close()


def mismatches(value, schema, schemas, path="$"):
    """Where `value` departs from an OpenAPI schema; fields the schema lacks count too."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    if value is None:
        return [] if schema.get("nullable") else [f"{path} is null"]
    if "anyOf" in schema:
        options = [mismatches(value, option, schemas, path) for option in schema["anyOf"]]
        return min(options, key=len)
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    kind = kinds.get(schema.get("type"), object)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return [f"{path} is not {schema['type']}"]
    found = [f"{path} is {value}"] if value not in schema.get("enum", [value]) else []
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += mismatches(item, schema["items"], schemas, f"{path}[{index}]")
    if isinstance(value, dict) and "properties" in schema:
        missing = set(schema.get("required", ())) - set(value)
        found += [f"{path} lacks {name}" for name in sorted(missing)]
        for name, item in value.items():
            if name in schema["properties"]:
                known = schema["properties"][name]
                found += mismatches(item, known, schemas, f"{path}.{name}")
            else:
                found.append(f"{path}.{name} is unknown")
    return found


@pytest.mark.skipif(
    not SPECIFICATION.exists(),
    reason="Stripe's OpenAPI document is not beside the project (../shared/data/stripe)",
)
def test_answers_have_the_shapes_of_stripes_specification(wire, recipient):
    schemas = json.loads(SPECIFICATION.read_text())["components"]["schemas"]
    topup = wire("POST", "/v1/topups", "amount=500&currency=eur")[2]
    transfer = wire("POST", "/v1/transfers", form(recipient, description="July"))[2]
    reversal = wire("POST", f"/v1/transfers/{transfer['id']}/reversals", "amount=5")[2]
    answers = [("topup", topup), ("transfer", transfer), ("transfer_reversal", reversal)]
    answers += [("transfer", wire("GET", f"/v1/transfers/{transfer['id']}")[2])]
    answers += [("balance", wire("GET", "/v1/balance")[2])]
    answers += [("event", event) for event in wire("GET", "/v1/events")[2]["data"]]
    answers += [("error", wire("GET", "/v1/transfers/tr_none")[2]["error"])]
    assert len(answers) == 9
    for kind, answer in answers:
        schema = schemas["api_errors" if kind == "error" else kind]
        assert mismatches(answer, schema, schemas) == [], kind
    assert mismatches(transfer | {"amount": "5"}, schemas["transfer"], schemas)
