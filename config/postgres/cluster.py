"""Make, start and stop the embedded PostgreSQL, and prepare its roles and database."""

import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg

from config import secret_files
from config.postgres import place, processes

SUPERUSER = "postgres"
OWNER = "fairplace_owner"
APPLICATION = "fairplace_app"
DATABASE = "fairplace"
PORT = 5432
START_SECONDS = 120
ROLES_SQL = Path(__file__).resolve().parents[1] / "roles.sql"

# A test's data need not survive a power cut; everybody else's must.
VOLATILE = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "min_wal_size=32MB",
    "max_wal_size=256MB",
)


def password(var_dir: Path, role: str) -> str:
    return secret_files.kept(var_dir / "secrets", f"postgres-{role}")


def address(var_dir: Path, role: str, database: str = DATABASE) -> dict[str, str | int]:
    """Where `role` finds the cluster of `var_dir`, whether or not it runs: psycopg's keywords."""
    return {
        "host": str(place.socket_folder(var_dir)),
        "port": PORT,
        "user": role,
        "password": password(var_dir, role),
        "dbname": database,
    }


def answers(var_dir: Path) -> bool:
    """Whether a server listens on the cluster's socket."""
    path = place.socket_folder(var_dir) / f".s.PGSQL.{PORT}"
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


@contextmanager
def locked(path: Path) -> Iterator[IO[str]]:
    """Hold an exclusive lock on `path`; the kernel lets go of it even after kill -9."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def start(
    var_dir: Path,
    *,
    output: IO | int | None = None,
    before_exec: Callable[[], None] | None = None,
    durable: bool = True,
    anew: bool = False,
) -> subprocess.Popen:
    """Start the cluster of `var_dir`, made first if need be, with its roles and its database.

    A server that a killed supervisor left behind is stopped first. `output` takes what the server
    says, else `postgres.log` does; `before_exec` runs in the child. Without `durable`, data may be
    kept in memory alone; `anew` throws the database away first. Raises Unusable when
    it cannot start or takes more than START_SECONDS.
    """
    var_dir = var_dir.resolve()
    found = place.prepare(var_dir, in_memory=not durable)
    with locked(var_dir / "postgres.lock"):
        processes.stop(found.data)
        make(found, password(var_dir, SUPERUSER))
        remove_stale_files(found)
        with (var_dir / "postgres.log").open("ab") as log:
            server = launch(found, output or log, before_exec=before_exec, durable=durable)
        try:
            wait_until_ready(var_dir, server, found)
            if anew:
                drop_database(address(var_dir, SUPERUSER, "postgres"))
            make_roles(found, address(var_dir, SUPERUSER, "postgres"), passwords_of(var_dir))
        except BaseException:
            processes.stop(found.data)
            server.wait()
            raise
    return server


def stop(var_dir: Path) -> None:
    """Stop the cluster of `var_dir` if it runs, whoever started it."""
    processes.stop((place.home(var_dir.resolve()) / "data").resolve())


def make(found: place.Place, superuser_password: str) -> None:
    """`initdb`, unless it was done. It works on a draft: half a cluster is never taken for one."""
    if (found.data / "PG_VERSION").exists():
        return
    draft = found.home / "data.new"
    secret = found.home / "superuser-password"
    shutil.rmtree(draft, ignore_errors=True)
    secret.unlink(missing_ok=True)
    descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(superuser_password)
        if found.user is not None:
            os.fchown(file.fileno(), found.user.pw_uid, found.user.pw_gid)
    made = subprocess.run(
        [
            str(found.programs / "initdb"),
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
        ],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        **found.identity(),
    )
    secret.unlink()
    if made.returncode != 0:
        raise place.Unusable(f"PostgreSQL could not make its data folder: {made.stderr.strip()}")
    draft.rename(found.data)


def remove_stale_files(found: place.Place) -> None:
    """Lock files of a killed server. Nothing runs any more, but its process id may be somebody's
    by now, and then PostgreSQL would refuse to start."""
    (found.data / "postmaster.pid").unlink(missing_ok=True)
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (found.socket / name).unlink(missing_ok=True)


def launch(
    found: place.Place,
    output: IO | int,
    *,
    before_exec: Callable[[], None] | None,
    durable: bool,
) -> subprocess.Popen:
    settings = [
        "listen_addresses=",
        f"unix_socket_directories={found.socket}",
        "unix_socket_permissions=0700",
        f"port={PORT}",
        "password_encryption=scram-sha-256",
        "timezone=UTC",
        "log_timezone=UTC",
        "log_checkpoints=off",
        # A statement or a violated constraint would bring people's data into the log.
        "log_min_error_statement=panic",
        "log_error_verbosity=terse",
        *(() if durable else VOLATILE),
    ]
    command = [str(found.programs / "postgres"), "-D", str(found.data)]
    for setting in settings:
        command += ["-c", setting]
    return subprocess.Popen(
        command,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        process_group=0,
        preexec_fn=before_exec,
        **found.identity(),
    )


def environment() -> dict[str, str]:
    """Nothing of ours: a PGOPTIONS or a locale of the user's would change what the server does."""
    return {"LC_ALL": "C.UTF-8", "PATH": os.defpath}


def wait_until_ready(var_dir: Path, server: subprocess.Popen, found: place.Place) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        if server.poll() is not None:
            raise place.Unusable(
                f"PostgreSQL stopped while starting (status {server.returncode}); "
                f"its last words are above or in {var_dir / 'postgres.log'}."
            )
        try:
            psycopg.connect(**address(var_dir, SUPERUSER, "postgres")).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise place.Unusable(
                    f"The passwords in {var_dir / 'secrets'} are not those of the data in "
                    f"{found.data}: bring the former back, or delete the latter."
                ) from None
            if time.monotonic() > deadline:
                raise place.Unusable(
                    f"PostgreSQL was not ready after {START_SECONDS} seconds: {error}"
                ) from None
            time.sleep(0.05)
        else:
            return


def drop_database(superuser: dict) -> None:
    with psycopg.connect(**superuser, autocommit=True) as connection:
        connection.execute(f"drop database if exists {DATABASE} with (force)")


def passwords_of(var_dir: Path) -> dict[str, str]:
    """What roles.sql reads from the environment."""
    return {
        "FAIRPLACE_OWNER_PASSWORD": password(var_dir, OWNER),
        "FAIRPLACE_APP_PASSWORD": password(var_dir, APPLICATION),
    }


def make_roles(found: place.Place, superuser: dict, passwords: dict[str, str]) -> None:
    """Run roles.sql, the very script that a database administrator runs elsewhere."""
    ran = subprocess.run(
        [
            str(found.programs / "psql"),
            "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={ROLES_SQL}",
        ],
        env=environment() | passwords | {
            "PGHOST": superuser["host"],
            "PGPORT": str(superuser["port"]),
            "PGUSER": superuser["user"],
            "PGPASSWORD": superuser["password"],
            "PGDATABASE": superuser["dbname"],
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if ran.returncode != 0:
        raise place.Unusable(f"The database roles could not be made: {ran.stderr.strip()}")
