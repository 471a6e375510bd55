"""`make run` as its user meets it: started, asked, killed, started again, stopped."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config import supervisor
from config.postgres import cluster, place, processes
from tests.config.test_postgres import var_dir  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow
BASE_DIR = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Run:
    """One start of the supervisor, with the lines it printed so far."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.run"],
            cwd=BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_for(self, words: str) -> None:
        for line in self.process.stdout:
            self.lines.append(line)
            if words in line:
                return
        raise AssertionError(f"ended without {words!r}:\n{''.join(self.lines)}")

    def end(self) -> int:
        self.lines += self.process.stdout.readlines()
        return self.process.wait()


@pytest.fixture
def environment(var_dir):  # noqa: F811
    made = dict(os.environ) | {
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "FAIRPLACE_TEST_VAR_DIR": str(var_dir),
        "FAIRPLACE_PORT": str(free_port()),
        "FAIRPLACE_SIMULATOR_PORT": str(free_port()),
    }
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "CELERY_BROKER_URL", "MAKELEVEL"):
        made.pop(name, None)
    yield made
    supervisor.end_leftovers(str(var_dir))


def status_of(port: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
    connection.request("GET", "/accounts/login/", headers={"Host": "localhost"})
    return connection.getresponse().status


def test_start_kill_start_again_and_stop(environment, var_dir):  # noqa: F811
    first = Run(environment)
    first.wait_for("ready: http://localhost:" + environment["FAIRPLACE_PORT"])
    assert status_of(environment["FAIRPLACE_PORT"]) == 200
    assert len(supervisor.leftovers(str(var_dir))) >= 5

    second = Run(environment)
    assert second.end() == 1
    assert "it already runs" in second.lines[-1]

    first.process.kill()
    first.end()
    again = Run(environment)
    began = time.monotonic()
    again.wait_for("ready:")
    assert time.monotonic() - began < 60
    assert status_of(environment["FAIRPLACE_PORT"]) == 200

    again.process.send_signal(signal.SIGTERM)
    assert again.end() == 0
    stopped = re.findall(r"fairplace \| stopping (\w+)", "".join(again.lines))
    assert stopped == ["beat", "worker", "web", "stripe", "postgres"]
    assert supervisor.leftovers(str(var_dir)) == []
    assert processes.of_folder(place.home(var_dir) / "data") == []
    assert not cluster.answers(var_dir)

    third = Run(environment)
    third.wait_for("ready:")
    os.kill(worker_of(str(var_dir)), signal.SIGKILL)
    assert third.end() == 1
    assert "`worker` ended by itself with status -9" in third.lines[-1]
    assert supervisor.leftovers(str(var_dir)) == []


def worker_of(mark: str) -> int:
    """The worker's own process, not one of its pool's."""
    found = {
        number: (Path("/proc") / str(number) / "cmdline").read_text().split("\0")
        for number in supervisor.leftovers(mark)
    }
    return min(number for number, words in found.items() if "worker" in words)


def test_a_port_in_use_is_named(environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environment["FAIRPLACE_PORT"])))
        taken.listen()
        run = Run(environment)
        assert run.end() == 1
    assert "set FAIRPLACE_PORT to another" in run.lines[-1]
