"""The databases that tests run on: a template, migrated once, and a clone of it per process.

Everything is made by the owner's role, as in a deployment, and used by the application's. Several
test runs may share one server: it is started by who comes first and stopped by who leaves last.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from config.postgres import cluster

PREFIX = "fairplace_test_"
TEMPLATE_PREFIX = f"{PREFIX}template_"
OLD_TEMPLATE_SECONDS = 3600
# What a migrated database depends on, besides the migrations themselves.
TEMPLATE_SOURCES = ("*/migrations/*.py", "*/apps.py", "config/*.py", "requirements.txt")
MAKING_TEMPLATE_LOCK = 4_186_021_777

if "owner" not in settings.DATABASES:
    raise ImproperlyConfigured("Tests make databases as the owner: set DATABASE_OWNER_URL too.")
# As configured; what Django holds is pointed at the clone.
SERVER = {alias: dict(settings.DATABASES[alias]) for alias in ("default", "owner")}


def keywords(alias: str, database: str | None = None) -> dict:
    """psycopg's keywords for a connection like Django's `alias`, without its limits."""
    found = SERVER[alias]
    return {
        "host": found["HOST"],
        "port": found["PORT"] or 5432,
        "user": found["USER"],
        "password": found["PASSWORD"],
        "dbname": database or found["NAME"],
    }


def url(alias: str, database: str) -> str:
    """What DATABASE_URL says about the same connection."""
    found = keywords(alias, database)
    user, password = quote(found["user"], safe=""), quote(found["password"], safe="")
    host = quote(found["host"], safe="")
    return f"postgres://{user}:{password}@{host}:{found['port']}/{database}"


@contextlib.contextmanager
def server() -> Iterator[None]:
    """Have a server for as long as this process needs one."""
    kind = "embedded" if settings.EMBEDDED_POSTGRES else "given"
    guard = settings.VAR_DIR / f"tests-{kind}.lock"
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR_DIR / f"test-runs-{kind}.lock").open("a") as runs:
        with cluster.locked(guard):
            fcntl.flock(runs, fcntl.LOCK_SH)
            if settings.EMBEDDED_POSTGRES and not cluster.answers(settings.VAR_DIR):
                cluster.start(settings.VAR_DIR, durable=False)
        try:
            yield
        finally:
            with cluster.locked(guard):
                if _is_last(runs):
                    _leave()


def _is_last(runs) -> bool:
    try:
        fcntl.flock(runs, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _leave() -> None:
    """Nothing of ours stays behind on a server of somebody else's; our own is only stopped."""
    with psycopg.connect(**keywords("owner"), autocommit=True) as owner:
        kept = f"{TEMPLATE_PREFIX}%" if settings.EMBEDDED_POSTGRES else ""
        left = owner.execute(
            "select datname from pg_database where starts_with(datname, %s)"
            " and datname not like %s and pg_get_userbyid(datdba) = current_user",
            [PREFIX, kept],
        )
        for (name,) in left.fetchall():
            with contextlib.suppress(psycopg.errors.ObjectInUse):
                owner.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
    if settings.EMBEDDED_POSTGRES:
        cluster.stop(settings.VAR_DIR)


class Clone:
    """The database of one test process, which can be made anew from the template."""

    def __init__(self) -> None:
        self.name = f"{PREFIX}{os.getpid()}_{secrets.token_hex(3)}"
        self.template = ""

    def make(self) -> None:
        with psycopg.connect(**keywords("owner"), autocommit=True) as owner:
            self.template = template(owner)
            self._copy(owner)
        self._point_at(self.name)

    def renew(self) -> None:
        """Throw away whatever a test committed, whoever is still connected."""
        connections.close_all()
        with psycopg.connect(**keywords("owner"), autocommit=True) as owner:
            self._drop(owner)
            self._copy(owner)

    def drop(self) -> None:
        connections.close_all()
        with psycopg.connect(**keywords("owner"), autocommit=True) as owner:
            self._drop(owner)

    def _copy(self, owner) -> None:
        name, source = sql.Identifier(self.name), sql.Identifier(self.template)
        owner.execute(sql.SQL("create database {} template {}").format(name, source))
        owner.execute(sql.SQL("revoke all on database {} from public").format(name))
        owner.execute(
            sql.SQL("grant connect, temporary on database {} to fairplace_app").format(name)
        )

    def _drop(self, owner) -> None:
        # A role may end its own sessions alone, so each of the two is asked to end its own.
        with psycopg.connect(**keywords("default"), autocommit=True) as application:
            for role in (application, owner):
                role.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                    " where datname = %s and usename = current_user",
                    [self.name],
                )
        owner.execute(sql.SQL("drop database {}").format(sql.Identifier(self.name)))

    def _point_at(self, name: str) -> None:
        for alias in ("default", "owner"):
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = name


def template(owner) -> str:
    """The name of a database with all migrations applied, made unless it is there already."""
    name = TEMPLATE_PREFIX + _fingerprint()
    owner.execute("select pg_advisory_lock(%s)", [MAKING_TEMPLATE_LOCK])
    try:
        if not _exists(owner, name):
            _drop_old_templates(owner)
            _migrate(owner, name)
    finally:
        owner.execute("select pg_advisory_unlock(%s)", [MAKING_TEMPLATE_LOCK])
    return name


def _fingerprint() -> str:
    digest = hashlib.sha256(settings.CONTEXT_KEY)
    base = Path(settings.BASE_DIR)
    for pattern in TEMPLATE_SOURCES:
        for path in sorted(base.glob(pattern)):
            digest.update(str(path.relative_to(base)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _exists(owner, name: str) -> bool:
    found = owner.execute("select from pg_database where datname = %s", [name])
    return found.fetchone() is not None


def _drop_old_templates(owner) -> None:
    old = owner.execute(
        "select datname from pg_database where starts_with(datname, %s)"
        " and coalesce(shobj_description(oid, 'pg_database'), '0')::bigint < %s",
        [TEMPLATE_PREFIX, int(time.time()) - OLD_TEMPLATE_SECONDS],
    )
    for (name,) in old.fetchall():
        owner.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


def _migrate(owner, name: str) -> None:
    draft = f"{PREFIX}draft_{os.getpid()}"
    owner.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(draft)))
    owner.execute(
        sql.SQL("create database {} encoding 'UTF8' template template0").format(
            sql.Identifier(draft)
        )
    )
    connection = connections["owner"]
    connection.close()
    present = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = draft
    try:
        call_command("migrate", database="owner", interactive=False, verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = present
    made_at = sql.Literal(str(int(time.time())))
    draft_name, final = sql.Identifier(draft), sql.Identifier(name)
    owner.execute(sql.SQL("comment on database {} is {}").format(draft_name, made_at))
    owner.execute(sql.SQL("alter database {} rename to {}").format(draft_name, final))
