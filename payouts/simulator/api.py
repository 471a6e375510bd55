"""Which calls exist, and Stripe's idempotency: what is kept under a key, and for how long.

`/v1` keeps the first answer of an executed request for 24 hours, errors and 500s included;
`/v2` keeps successes for 30 days and does failed work again.
"""

import json
import re
import time
from typing import NamedTuple

from payouts.simulator import accounts, money, parameters
from payouts.simulator.parameters import Refusal
from payouts.simulator.store import new_id

V1_SECONDS = 24 * 3600
V2_SECONDS = 30 * 24 * 3600
REQUIRED = ("amount", "currency")
REQUIRED_TRANSFER = ("amount", "currency", "destination")
TRANSFER = "/v1/transfers/([^/]+)"
ROUTES = (
    ("POST", "/v2/core/accounts", accounts.create, parameters.CREATE_ACCOUNT, ()),
    ("GET", "/v2/core/accounts", accounts.listing, parameters.LIST_ACCOUNTS, ()),
    ("GET", "/v2/core/accounts/([^/]+)", accounts.retrieve, parameters.RETRIEVE_ACCOUNT, ()),
    ("POST", "/v1/topups", money.create_topup, parameters.MONEY, REQUIRED),
    ("POST", "/v1/transfers", money.create_transfer, parameters.TRANSFER, REQUIRED_TRANSFER),
    ("GET", "/v1/transfers", money.list_transfers, parameters.LIST_TRANSFERS, ()),
    ("GET", TRANSFER, money.retrieve_transfer, {}, ()),
    ("POST", TRANSFER + "/reversals", money.create_reversal, parameters.REVERSAL, ()),
    ("GET", TRANSFER + "/reversals", money.list_reversals, parameters.PAGE, ()),
    ("GET", "/v1/balance", money.retrieve_balance, {}, ()),
    ("GET", "/v1/events", money.list_events, parameters.LIST_EVENTS, ()),
    ("GET", "/v1/events/([^/]+)", money.retrieve_event, {}, ()),
)
INTERNAL_ERROR = {"error": {"type": "api_error", "message": "An unknown error occurred"}}


class Call(NamedTuple):
    method: str
    path: str
    params: dict
    account: str
    key: str | None
    fault: dict


class Answer(NamedTuple):
    status: int
    body: dict
    headers: dict


class Api:
    """Answers calls on one store."""

    def __init__(self, store):
        self.store = store
        self.in_flight: set[tuple[str, str]] = set()

    def answer(self, call: Call) -> Answer:
        """Run a call, or replay the answer kept under its key. Raises `Refusal`."""
        request = new_id("req")
        if call.method != "POST" or not call.key:
            with self.store.lock, self.store.db:
                return Answer(*self._run(call, key=None)[:2], {"Request-Id": request})
        if len(call.key) > 255:
            raise Refusal("Keys for idempotent requests have up to 255 characters.")
        slot = (call.account, call.key)
        with self.store.lock:
            kept = self._kept(call, request)
            if kept:
                return kept
            if slot in self.in_flight:
                message = "There is another request in progress with this idempotency key."
                raise Refusal(message, code="idempotency_key_in_use", status=409)
            self.in_flight.add(slot)
        try:
            if call.fault.get("fault") == "hang_inflight":
                time.sleep(call.fault["seconds"])
            with self.store.lock, self.store.db:
                status, body, keep = self._run(call, call.key)
                if keep:
                    self._keep(call, *keep, request)
        finally:
            self.in_flight.discard(slot)
        return Answer(status, body, _headers(call, request, request))

    def _run(self, call, key):
        """The status and body to send, and the pair to keep under the key, if any."""
        handler, allowed, required, ids = _route(call)
        params = parameters.check(call.params, allowed, required)
        self.store.idempotency_key = key
        fault = call.fault.get("fault")
        try:
            done = 500, INTERNAL_ERROR
            if fault != "500_before":
                done = 200, handler(self.store, call.account, params, *ids)
        except Refusal as refusal:
            if not refusal.executed:
                raise
            done = refusal.status, refusal.body
        sent = (500, INTERNAL_ERROR) if fault == "500_after" else done
        if call.path.startswith("/v2/"):
            return *sent, done if done[0] == 200 else None
        return *sent, sent

    def _kept(self, call, request):
        sql = (
            "select fingerprint, status, body, request from answers"
            " where account = ? and key = ? and expires > ?"
        )
        row = self.store.db.execute(sql, (call.account, call.key, self.store.now())).fetchone()
        if row is None:
            return None
        fingerprint, status, body, original = row
        if fingerprint != _fingerprint(call):
            message = "Keys for idempotent requests can only be used with the same parameters."
            raise Refusal(message, type="idempotency_error")
        headers = _headers(call, request, original) | {"Idempotent-Replayed": "true"}
        return Answer(status, json.loads(body), headers)

    def _keep(self, call, status, body, request):
        seconds = V2_SECONDS if call.path.startswith("/v2/") else V1_SECONDS
        row = (call.account, call.key, _fingerprint(call), status, json.dumps(body), request)
        sql = "insert or replace into answers values (?, ?, ?, ?, ?, ?, ?)"
        self.store.db.execute(sql, (*row, self.store.now() + seconds))


def _route(call):
    for method, pattern, handler, allowed, required in ROUTES:
        match = re.fullmatch(pattern, call.path)
        if match and method == call.method:
            return handler, allowed, required, match.groups()
    raise Refusal(f"Unrecognized request URL ({call.method}: {call.path}).", status=404)


def _fingerprint(call) -> str:
    return json.dumps([call.path, call.params], sort_keys=True)


def _headers(call, request, original):
    return {
        "Request-Id": request,
        "Idempotency-Key": call.key,
        "Original-Request": original,
        "Stripe-Should-Retry": "false",
    }
