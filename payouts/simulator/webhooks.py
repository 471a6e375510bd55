"""Signed delivery of events to one address, at least once, until it answers 2xx.

Signature: https://docs.stripe.com/webhooks#verify-manually (HMAC-SHA256 over `timestamp.body`).
"""

import hashlib
import hmac
import http.client
import json
import threading
import time
from urllib.parse import urlsplit

from payouts.simulator.store import PLATFORM

TIMEOUT_SECONDS = 5
LONGEST_WAIT_SECONDS = 60
MOST_ATTEMPTS = 3 * 24 * 60


class Deliverer(threading.Thread):
    """Sends what the store has queued; `interval` is the pause in seconds between looks at it."""

    def __init__(self, store, url, secret, interval=0.5):
        super().__init__(daemon=True)
        self.store, self.url, self.secret, self.interval = store, url, secret, interval
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(self.interval):
            for seq, event_id, attempts in self._due():
                with self.store.lock:
                    event = self.store.find("event", PLATFORM, event_id)
                self._settle(seq, attempts + 1, self._send(json.dumps(event)))

    def _due(self):
        sql = "select seq, event, attempts from deliveries where due <= ? order by seq limit 20"
        with self.store.lock:
            return self.store.db.execute(sql, (time.time(),)).fetchall()

    def _settle(self, seq, attempts, delivered):
        with self.store.lock, self.store.db:
            if delivered or attempts >= MOST_ATTEMPTS:
                self.store.db.execute("delete from deliveries where seq = ?", (seq,))
                return
            due = time.time() + min(self.interval * 2 ** min(attempts, 10), LONGEST_WAIT_SECONDS)
            sql = "update deliveries set attempts = ?, due = ? where seq = ?"
            self.store.db.execute(sql, (attempts, due, seq))

    def _send(self, body: str) -> bool:
        address = urlsplit(self.url)
        secure = address.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(address.netloc, timeout=TIMEOUT_SECONDS)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        headers["Stripe-Signature"] = sign(body, self.secret, int(time.time()))
        try:
            connection.request("POST", address.path or "/", body.encode(), headers)
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def sign(body: str, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header for `body`."""
    text = f"{timestamp}.{body}".encode()
    return f"t={timestamp},v1={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}"
