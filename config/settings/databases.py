"""The two database connections: `default` as the application's role, `owner` for migrations."""

from pathlib import Path
from urllib.parse import unquote

import environ

from config.postgres import cluster

STATEMENT_SECONDS = 30
LOCK_SECONDS = 5
IDLE_IN_TRANSACTION_SECONDS = 60


def configured(env: environ.Env) -> dict[str, dict]:
    """Connections to the server that DATABASE_URL and DATABASE_OWNER_URL name.

    Only what migrates needs the latter; without it there is no alias `owner`.
    """
    found = {"default": limited(_from_url(env, "DATABASE_URL"))}
    if env("DATABASE_OWNER_URL", default=""):
        found["owner"] = _from_url(env, "DATABASE_OWNER_URL")
    return found


def embedded(var_dir: Path) -> dict[str, dict]:
    """Connections to the cluster under `var_dir`."""
    return {
        "default": limited(_embedded(var_dir, cluster.APPLICATION)),
        "owner": _embedded(var_dir, cluster.OWNER),
    }


def limited(database: dict) -> dict:
    """No statement of the application's, no wait for a lock and no pause is without an end."""
    options = database.setdefault("OPTIONS", {})
    options.setdefault(
        "options",
        f"-c statement_timeout={STATEMENT_SECONDS}s"
        f" -c lock_timeout={LOCK_SECONDS}s"
        f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_SECONDS}s"
        # Compiling the policies' conditions takes longer than what they are compiled for.
        " -c jit=off"
        # Policies ask the clock, which no query may do that has begun to run in parallel.
        " -c max_parallel_workers_per_gather=0",
    )
    return database


def _from_url(env: environ.Env, name: str) -> dict:
    # A socket's folder stands in the place of the host, with its slashes encoded.
    database = env.db_url(name)
    return database | _kept_open() | {"HOST": unquote(database["HOST"])}


def _embedded(var_dir: Path, role: str) -> dict:
    found = cluster.address(var_dir, role)
    return _kept_open() | {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": found["host"],
        "PORT": found["port"],
        "USER": found["user"],
        "PASSWORD": found["password"],
        "NAME": found["dbname"],
    }


def _kept_open() -> dict:
    return {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
