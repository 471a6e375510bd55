"""`make run`: all that Fairplace needs on one machine, started, watched and stopped together.

PostgreSQL (unless DATABASE_URL names one), migrations, the demonstration into an empty embedded
database of a developer's, the Stripe simulator (unless STRIPE_API_KEY is set), web, worker, beat.
"""

import fcntl
import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings

from config import broker, supervisor
from config.postgres import cluster, place
from config.supervisor import Child, Supervisor, say

BASE_DIR = Path(__file__).resolve().parents[1]
DEVELOPMENT = "config.settings.development"
READY_SECONDS = 60
# What the simulated Stripe account holds at first, in minor units.
SIMULATED_BALANCES = ("usd=100000000000", "eur=100000000000", "cny=100000000000")


def main() -> int:
    """Run until told to stop; returns the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", DEVELOPMENT)
    os.chdir(BASE_DIR)
    supervisor.stop_on_signals()
    if os.environ.get("MAKELEVEL"):
        # Even a killed `make` takes everything with it.
        supervisor.end_with_parent(signal.SIGTERM)
    try:
        with only_one():
            children = Supervisor(str(settings.VAR_DIR))
            try:
                start(children)
                children.watch(lambda: False)
            finally:
                supervisor.ignore_signals()
                children.stop()
    except supervisor.Stopped:
        say("stopped")
        return 0
    except (supervisor.Died, place.Unusable) as error:
        return supervisor.fail(str(error))
    except PermissionError as error:
        return supervisor.fail(
            f"{error.filename} belongs to another user: run as that user, or set FAIRPLACE_VAR_DIR "
            "to a folder of your own."
        )
    return 0


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the lock of `make run`; the kernel releases it however we end."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    # Messages and files kept from here on are nobody else's business.
    os.umask(0o077)
    with (settings.VAR_DIR / "run.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise supervisor.Died(
                f"it already runs from {settings.VAR_DIR}; stop that one first."
            ) from None
        yield


def start(children: Supervisor) -> None:
    """Bring everything up and say where it is."""
    ended = supervisor.end_leftovers(children.mark)
    if ended:
        say(f"ended {ended} processes that an earlier run left behind")
    port, simulator_port = web_port(), int(os.environ.get("FAIRPLACE_SIMULATOR_PORT", "12111"))
    demand_free(port, "FAIRPLACE_PORT")
    if settings.STRIPE_SIMULATED:
        demand_free(simulator_port, "FAIRPLACE_SIMULATOR_PORT")
    if settings.EMBEDDED_POSTGRES:
        start_postgres(children)
    run_command(children, "migrate", "--database=owner")
    if settings.STRIPE_SIMULATED:
        start_simulator(children, simulator_port, port)
    if wants_demonstration():
        load_demonstration(children)
    broker.clear(settings.BROKER_DIR)
    start_services(children, port)
    wait_until_served(children, port)
    say(f"ready: http://localhost:{port}")
    for line in logins():
        say(line)
    say("stop with Ctrl-C")


def web_port() -> int:
    return int(os.environ.get("FAIRPLACE_PORT", "8000"))


def demand_free(port: int, variable: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise supervisor.Died(
                f"port {port} cannot be used ({error.strerror}); set {variable} to another."
            ) from None


def environment() -> dict[str, str]:
    url = os.environ.get("FAIRPLACE_URL", f"http://localhost:{web_port()}")
    return dict(os.environ) | {"PYTHONUNBUFFERED": "1", "FAIRPLACE_URL": url}


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def run_command(children: Supervisor, *arguments: str, output=None) -> None:
    children.run(arguments[0], python("manage.py", *arguments), environment(), output)


def start_postgres(children: Supervisor) -> None:
    var_dir = settings.VAR_DIR
    interrupted = demonstration_mark().exists()
    if interrupted:
        simulator_file().unlink(missing_ok=True)
    lines = children.listen("postgres")
    try:
        server = cluster.start(
            var_dir,
            output=lines,
            before_exec=supervisor.ends_with(os.getpid(), signal.SIGINT),
            anew=interrupted,
        )
    finally:
        os.close(lines)
    demonstration_mark().unlink(missing_ok=True)
    children.children.append(Child("postgres", server, stop=lambda: cluster.stop(var_dir)))


def demonstration_mark() -> Path:
    """Stands while the demonstration is being loaded; found at a start, it was interrupted."""
    return settings.VAR_DIR / "demo-unfinished"


def logins_file() -> Path:
    return settings.VAR_DIR / "demo-logins.txt"


def wants_demonstration() -> bool:
    """Only in the development settings, and only where nobody is in the embedded database."""
    if not settings.EMBEDDED_POSTGRES or os.environ["DJANGO_SETTINGS_MODULE"] != DEVELOPMENT:
        return False
    with psycopg.connect(**cluster.address(settings.VAR_DIR, cluster.OWNER)) as connection:
        found = connection.execute("select exists (select from agencies_user)").fetchone()
    return found == (False,)


def load_demonstration(children: Supervisor) -> None:
    say("loading the demonstration; this takes a minute or two, once")
    demonstration_mark().touch()
    draft = logins_file().with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        run_command(children, "demo", output=output)
    draft.rename(logins_file())
    demonstration_mark().unlink()


def simulator_file() -> Path:
    return settings.VAR_DIR / "stripe.sqlite3"


def logins() -> list[str]:
    if not logins_file().exists():
        return []
    return logins_file().read_text(encoding="utf-8").splitlines()


def start_simulator(children: Supervisor, port: int, to_port: int) -> None:
    balances = [f"--balance={balance}" for balance in SIMULATED_BALANCES]
    children.start(
        "stripe",
        python(
            "-m", "payouts.simulator",
            f"--port={port}",
            f"--data={simulator_file()}",
            f"--api-key={settings.STRIPE_API_KEY}",
            f"--webhook-url=http://127.0.0.1:{to_port}/stripe/webhook",
            f"--webhook-secret={settings.STRIPE_WEBHOOK_SECRET}",
            *balances,
        ),
        environment(),
    )  # fmt: skip


def start_services(children: Supervisor, port: int) -> None:
    web = [
        "-m", "gunicorn", "config.wsgi",
        f"--bind=127.0.0.1:{port}",
        "--workers=2", "--preload", "--threads=4", "--graceful-timeout=10",
        "--no-control-socket", "--log-level=warning",
    ]  # fmt: skip
    # Messages are JSON, so that whoever runs the worker as root runs no code of a message's.
    celery = ["-Wignore:You're running the worker", "-m", "celery", "-q", "--app=config.celery"]
    worker = ["worker", "--concurrency=2", "--loglevel=WARNING", "--without-gossip"]
    worker += ["--without-mingle", "--without-heartbeat"]
    beat = ["beat", "--loglevel=WARNING", "--pidfile="]
    children.start("web", python(*web), environment())
    children.start("worker", python(*celery, *worker), environment())
    children.start("beat", python(*celery, *beat), environment())


def wait_until_served(children: Supervisor, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS

    def is_served() -> bool:
        if time.monotonic() > deadline:
            raise supervisor.Died(f"the pages did not answer within {READY_SECONDS} seconds.")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("GET", "/accounts/login/", headers={"Host": "localhost"})
            connection.getresponse()
        except OSError:
            return False
        finally:
            connection.close()
        return True

    children.watch(is_served)


if __name__ == "__main__":
    sys.exit(main())
