"""Stripe's HTTP: authentication, form and JSON bodies, and faults on demand for tests.

Everything under `/_simulator/` is ours: health, journal, faults, reset, clock, accounts,
balances, resend.
"""

import contextlib
import fnmatch
import json
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from payouts.simulator import accounts
from payouts.simulator.api import Answer, Api, Call
from payouts.simulator.parameters import Refusal, decode_form
from payouts.simulator.store import API_VERSION, PLATFORM, Store
from payouts.simulator.webhooks import Deliverer

HTML = b"<html><body><h1>Bad gateway</h1></body></html>"
TOO_MANY = {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Slow."}}
FORBIDDEN = {"error": {"type": "invalid_request_error", "message": "Not permitted."}}
INSTEAD = {"429": (429, TOO_MANY), "403": (403, FORBIDDEN), "502_html": (502, HTML)}
FAULTS = {*INSTEAD, "drop_before", "drop_after", "hang_inflight", "hang_after"}
FAULTS |= {"500_before", "500_after", "200_html"}


class Simulator(ThreadingHTTPServer):
    """The server. `api_key` is the one secret key that it knows."""

    daemon_threads = True

    def __init__(self, address, store, api_key):
        super().__init__(address, Handler)
        self.api = Api(store)
        self.api_key = api_key
        self.faults: list[dict] = []
        self.fault_lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]}:{self.server_address[1]}"

    def add_fault(self, fault, *, method="POST", path="*", nth=1, seconds=2.0):
        """Make the nth request from now that matches fail in one of the ways in `FAULTS`."""
        if fault not in FAULTS:
            raise ValueError(f"No such fault: {fault}")
        with self.fault_lock:
            self.faults.append(
                {"fault": fault, "method": method, "path": path, "nth": nth, "seconds": seconds}
            )

    def take_fault(self, method, path) -> dict:
        """The fault due for this request, if any: each counts the requests that match it."""
        with self.fault_lock:
            for fault in self.faults:
                if fault["method"] == method and fnmatch.fnmatchcase(path, fault["path"]):
                    fault["nth"] -= 1
            due = [fault for fault in self.faults if fault["nth"] == 0]
            self.faults = [fault for fault in self.faults if fault["nth"] > 0]
            return due[0] if due else {}

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def running(data, *, port=0, balances=None, webhook_url="", webhook_secret="whsec_simulator"):
    """A simulator in threads of this process, for tests. `data` is a file or ":memory:"."""
    store = Store(data, balances, webhooks=bool(webhook_url))
    server = Simulator(("127.0.0.1", port), store, "sk_test_simulator")
    deliverer = Deliverer(store, webhook_url, webhook_secret, interval=0.02)
    if webhook_url:
        deliverer.start()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        deliverer.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, format, *args):
        """Silent: the journal and the events tell what happened."""

    def do_GET(self):
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if url.path.startswith("/_simulator/"):
            return self._send(*self._control(url.path.removeprefix("/_simulator/"), body))
        fault = self.server.take_fault(self.command, url.path)
        kind = fault.get("fault")
        if kind == "drop_before":
            return self._drop()
        if kind in INSTEAD:
            return self._send(*INSTEAD[kind])
        try:
            answer = self.server.api.answer(self._call(url, body, fault))
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body, {})
        if kind == "drop_after":
            return self._drop()
        if kind == "hang_after":
            time.sleep(fault["seconds"])
        if kind == "200_html":
            return self._send(200, HTML)
        return self._send(*answer)

    do_POST = do_GET

    def _call(self, url, body, fault) -> Call:
        if self.headers.get("Authorization") != f"Bearer {self.server.api_key}":
            raise Refusal("Invalid API Key provided.", status=401)
        account = self.headers.get("Stripe-Account") or PLATFORM
        if account != PLATFORM:
            self._find_account(account)
        if self.command == "POST" and url.path.startswith("/v2/"):
            try:
                params = json.loads(body or b"{}")
            except ValueError:
                params = None
            if not isinstance(params, dict):
                raise Refusal("The body is not a JSON object.")
        else:
            text = body.decode(errors="replace") if self.command == "POST" else url.query
            params = decode_form(text)
        key = self.headers.get("Idempotency-Key")
        return Call(self.command, url.path, params, account, key, fault)

    def _find_account(self, account):
        store = self.server.api.store
        try:
            with store.lock:
                store.find(accounts.KIND, PLATFORM, account)
        except Refusal:
            message = f"The provided key does not have access to account '{account}'."
            raise Refusal(message, code="account_invalid", status=403) from None

    def _control(self, action, body):
        store = self.server.api.store
        asked = json.loads(body or b"{}")
        with store.lock, store.db:
            match action:
                case "health":
                    return 200, {"ok": True}
                case "journal":
                    return 200, {"data": store.journal()}
                case "faults":
                    self.server.add_fault(**asked)
                case "reset":
                    self.server.faults.clear()
                    store.reset(asked.get("balances", {}))
                case "clock":
                    store.clock_offset += asked["advance_seconds"]
                case "accounts":
                    accounts.set_status(store, PLATFORM, asked["id"], asked["transfers"])
                case "balances":
                    store.set_balance(asked["account"], asked["currency"], asked["amount"])
                case "resend":
                    store.queue(asked["event"])
                case _:
                    return 404, {"error": {"message": f"No such control: {action}"}}
        return 200, {"ok": True}

    def _send(self, status, body, headers=()):
        html = isinstance(body, bytes)
        content = body if html else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if html else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Stripe-Version", self.headers.get("Stripe-Version") or API_VERSION)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _drop(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
