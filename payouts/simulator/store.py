"""What the simulated Stripe remembers, in one SQLite file.

A call runs in one transaction with its idempotency record, events and journal: killing the
process leaves all of it or nothing. Callers hold `lock`.
"""

import json
import secrets
import sqlite3
import threading
import time

from payouts.simulator.parameters import Refusal

API_VERSION = "2026-10-28.endive"
PLATFORM = ""
TABLES = ("objects", "balances", "answers", "journal", "deliveries")
SCHEMA = """
create table if not exists objects (
    seq integer primary key, id text unique, kind text, account text, created integer, body text);
create table if not exists balances (
    account text, currency text, amount integer, primary key (account, currency));
create table if not exists answers (
    account text, key text, fingerprint text, status integer, body text, request text,
    expires integer, primary key (account, key));
create table if not exists journal (seq integer primary key, body text);
create table if not exists deliveries (
    seq integer primary key, event text, attempts integer default 0, due real);
"""
COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Store:
    """`path` is the file or ":memory:"; `balances` (minor units) fill a new one's platform."""

    def __init__(self, path, balances=None, webhooks=False):
        self.lock = threading.RLock()
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.executescript(SCHEMA)
        self.webhooks = webhooks
        self.clock_offset = 0
        self.idempotency_key = None
        if not self.db.execute("select 1 from balances").fetchone():
            self.reset(balances or {})

    def reset(self, balances):
        with self.db:
            for table in TABLES:
                self.db.execute(f"delete from {table}")
            for currency, amount in balances.items():
                self.set_balance(PLATFORM, currency, int(amount))
        self.clock_offset = 0

    def now(self) -> int:
        return int(time.time()) + self.clock_offset

    def balance(self, account, currency) -> int:
        sql = "select amount from balances where account = ? and currency = ?"
        row = self.db.execute(sql, (account, currency)).fetchone()
        return row[0] if row else 0

    def set_balance(self, account, currency, amount):
        sql = "insert into balances values (?, ?, ?) on conflict do update set amount = ?"
        self.db.execute(sql, (account, currency, amount, amount))

    def move(self, body, source, destination):
        """Move the money of a new object between two accounts and write it in the journal."""
        currency, amount = body["currency"], body["amount"]
        for account, change in ((source, -amount), (destination, amount)):
            if account is not None:
                self.set_balance(account, currency, self.balance(account, currency) + change)
        entry = {name: body.get(name) for name in ("object", "id", "amount", "currency")}
        entry |= {"from": source, "to": destination, "key": self.idempotency_key}
        self.db.execute("insert into journal (body) values (?)", (json.dumps(entry),))

    def journal(self) -> list[dict]:
        return [json.loads(row[0]) for row in self.db.execute("select body from journal")]

    def save(self, account, body):
        sql = (
            "insert into objects (id, kind, account, created, body) values (?, ?, ?, ?, ?)"
            " on conflict (id) do update set body = excluded.body"
        )
        text = json.dumps(body)
        self.db.execute(sql, (body["id"], body["object"], account, self.now(), text))

    def find(self, kind, account, id, param="id") -> dict:
        sql = "select body from objects where kind = ? and account = ? and id = ?"
        row = self.db.execute(sql, (kind, account, id)).fetchone()
        if row is None:
            message = f"No such {kind if param == 'id' else param}: '{id}'"
            status = 404 if param == "id" else 400
            raise Refusal(
                message,
                code="resource_missing",
                param=param,
                status=status,
                executed=True,
            )
        return json.loads(row[0])

    def page(self, kind, account, params, url="") -> dict:
        """A `/v1` list: newest first, filters, `limit`, `starting_after`, `has_more`."""
        sql, values = "kind = ? and account = ?", [kind, account]
        for name in ("destination", "transfer_group", "type", "transfer"):
            if name in params:
                sql += f" and json_extract(body, '$.{name}') = ?"
                values.append(params[name])
        for name, moment in params.get("created", {}).items():
            sql += f" and created {COMPARE[name]} ?"
            values.append(moment)
        if "starting_after" in params:
            self.find(kind, account, params["starting_after"], param="starting_after")
            sql += " and seq < (select seq from objects where id = ?)"
            values.append(params["starting_after"])
        limit = params.get("limit", 10)
        sql = f"select body from objects where {sql} order by seq desc limit {limit + 1}"
        data = [json.loads(row[0]) for row in self.db.execute(sql, values)]
        return {
            "object": "list",
            "url": url,
            "has_more": len(data) > limit,
            "data": data[:limit],
        }

    def emit(self, type, body, **previous):
        """Keep a snapshot event about `body` and queue its delivery."""
        event = {
            "id": new_id("evt"),
            "object": "event",
            "type": type,
            "api_version": API_VERSION,
            "created": self.now(),
            "data": {"object": body} | ({"previous_attributes": previous} if previous else {}),
            "livemode": False,
            "pending_webhooks": int(self.webhooks),
            "request": {"id": None, "idempotency_key": self.idempotency_key},
        }
        self.save(PLATFORM, event)
        if self.webhooks:
            self.queue(event["id"])

    def queue(self, event_id):
        sql = "insert into deliveries (event, due) values (?, ?)"
        self.db.execute(sql, (event_id, time.time()))


def new_id(prefix) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"
