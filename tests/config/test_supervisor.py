"""Children of a supervisor: started, watched, stopped in order, and never left behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from config import supervisor
from config.supervisor import Died, Supervisor

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def children(tmp_path):
    made = Supervisor(str(tmp_path))
    yield made
    made.stop()
    assert supervisor.leftovers(str(tmp_path)) == []


def environment() -> dict[str, str]:
    return dict(os.environ)


def test_lines_are_passed_on_under_the_child_s_name(children, capsys):
    code = "import sys; print('one'); print('two', file=sys.stderr); print('three', end='')"
    children.run("step", [sys.executable, "-c", code], environment())
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines) == ["step      | one", "step      | three", "step      | two"]


def test_children_stop_in_reverse_order(children, capsys):
    for name in ("first", "second", "third"):
        children.start(name, SLEEP, environment())
    started = [child.process for child in children.children]
    children.stop()
    assert capsys.readouterr().out.splitlines() == [
        "fairplace | stopping third",
        "fairplace | stopping second",
        "fairplace | stopping first",
    ]
    assert [process.returncode for process in started] == [-signal.SIGTERM] * 3


def test_a_step_that_fails_is_named(children):
    with pytest.raises(Died, match="`step` failed with status 3"):
        children.run("step", [sys.executable, "-c", "raise SystemExit(3)"], environment())


def test_a_child_that_ends_by_itself_is_named(children):
    children.start("steady", SLEEP, environment())
    children.start("brittle", [sys.executable, "-c", "raise SystemExit(0)"], environment())
    with pytest.raises(Died, match="`brittle` ended by itself with status 0"):
        children.watch(lambda: False)


def test_a_child_that_will_not_stop_is_killed(children, monkeypatch):
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    child = children.start("deaf", [sys.executable, "-uc", deaf], environment())
    time.sleep(0.5)
    children.stop()
    assert child.process.returncode == -signal.SIGKILL


def test_children_die_with_a_killed_supervisor(tmp_path):
    mark = str(tmp_path)
    code = (
        "import os, sys\n"
        "from config.supervisor import Supervisor\n"
        f"children = Supervisor({mark!r})\n"
        f"children.start('child', {SLEEP!r}, dict(os.environ))\n"
        "print('started', flush=True)\n"
        "children.watch(lambda: False)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"started\n"
        wait_for(lambda: len(supervisor.leftovers(mark)) == 1)
        parent.kill()
    wait_for(lambda: supervisor.leftovers(mark) == [])


def test_what_an_earlier_run_left_behind_is_ended_and_nothing_else(tmp_path):
    mark, other = str(tmp_path), str(tmp_path) + "-other"
    left = subprocess.Popen(SLEEP, env=environment() | {supervisor.MARK: mark})
    stranger = subprocess.Popen(SLEEP, env=environment() | {supervisor.MARK: other})
    try:
        wait_for(lambda: supervisor.leftovers(mark) == [left.pid])
        assert supervisor.end_leftovers(mark) == 1
        assert left.wait() == -signal.SIGTERM
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def wait_for(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 10 seconds"
        time.sleep(0.05)
