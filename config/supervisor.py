"""Children of one supervisor: started in order, watched, and stopped in the reverse order.

Everything happens in one thread: the kernel's promise to end a child when its parent dies is
given to the thread that started it.
"""

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# The environment variable by which a later start recognises what an earlier one left behind.
MARK = "FAIRPLACE_RUN"
PR_SET_PDEATHSIG = 1
STOP_SECONDS = 40.0
LEFTOVER_SECONDS = 10.0
_libc = ctypes.CDLL(None, use_errno=True)


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C, SIGTERM or a closed terminal."""


class Died(Exception):
    """A child ended that should not have; the message is a sentence."""


def end_with_parent(how: int) -> None:
    """Ask the kernel to send this process the signal `how` when its parent dies."""
    _libc.prctl(PR_SET_PDEATHSIG, how)


def ends_with(parent: int, how: int) -> Callable[[], None]:
    """What a child of `parent` does before it runs anything: it will not outlive it."""

    def prepare() -> None:
        end_with_parent(how)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


@dataclass
class Child:
    name: str
    process: subprocess.Popen
    # How to end it where SIGTERM is not the way.
    stop: Callable[[], None] | None = None


class Supervisor:
    """Starts children and passes their lines on, each with its child's name in front."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._unfinished: dict[int, bytes] = {}

    def listen(self, name: str) -> int:
        """The writing end of a pipe whose lines are passed on under `name`."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._selector.register(reading, selectors.EVENT_READ, name)
        return writing

    def start(
        self, name: str, command: list[str], environment: dict[str, str], output: IO | None = None
    ) -> Child:
        """Start a child in a process group of its own; `output` takes its standard output."""
        lines = self.listen(name)
        process = subprocess.Popen(
            command,
            env=environment | {MARK: self.mark},
            stdin=subprocess.DEVNULL,
            stdout=output or lines,
            stderr=lines,
            process_group=0,
            preexec_fn=ends_with(os.getpid(), signal.SIGTERM),
        )
        os.close(lines)
        child = Child(name, process)
        self.children.append(child)
        return child

    def run(
        self, name: str, command: list[str], environment: dict[str, str], output: IO | None = None
    ) -> None:
        """Start a child that does one thing and wait for its end. Raises Died if it fails."""
        child = self.start(name, command, environment, output)
        self.children.remove(child)
        try:
            self.watch(lambda: child.process.poll() is not None)
        finally:
            _end(child)
        self._pump(0)
        if child.process.returncode != 0:
            raise Died(f"`{name}` failed with status {child.process.returncode}.")

    def watch(self, is_over: Callable[[], bool]) -> None:
        """Pass lines on until `is_over`. Raises Died as soon as a child ended by itself."""
        while not is_over():
            self._pump(0.2)
            for child in self.children:
                if child.process.poll() is not None:
                    self._pump(0)
                    raise Died(
                        f"`{child.name}` ended by itself with status {child.process.returncode}."
                    )

    def stop(self) -> None:
        """Stop every child, the last one first, and wait for each."""
        while self.children:
            child = self.children.pop()
            say(f"stopping {child.name}")
            _end(child, self._pump)
        self._pump(0)

    def _pump(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            data = os.read(key.fd, 65536)
            *lines, rest = (self._unfinished.pop(key.fd, b"") + data).split(b"\n")
            for line in lines:
                say(line.decode(errors="replace"), key.data)
            if data:
                self._unfinished[key.fd] = rest
            else:
                if rest:
                    say(rest.decode(errors="replace"), key.data)
                self._selector.unregister(key.fd)
                os.close(key.fd)


def _end(child: Child, pump: Callable[[float], None] = time.sleep) -> None:
    """Stop a child and its process group; a child that does not react is killed."""
    if child.stop is not None:
        child.stop()
    else:
        # Its own children are its own business, unless it leaves some behind.
        child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while child.process.poll() is None and time.monotonic() < deadline:
            pump(0.05)
        # The group outlives its leader while anybody is in it, so the number is not reused.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()


def say(line: str, name: str = "fairplace") -> None:
    print(f"{name:<10}| {line}", flush=True)


def leftovers(mark: str) -> list[int]:
    """Processes of an earlier supervisor with this mark, whatever became of it."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if wanted in environment.split(b"\0"):
            found.append(int(entry.name))
    return found


def end_leftovers(mark: str) -> int:
    """End what an earlier supervisor left behind; returns how many processes that were."""
    found = leftovers(mark)
    for how in (signal.SIGTERM, signal.SIGKILL):
        for process_id in leftovers(mark):
            try:
                os.kill(process_id, how)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while leftovers(mark) and time.monotonic() < deadline:
            time.sleep(0.1)
    return len(found)


def stop_on_signals() -> None:
    """Turn the signals that ask for the end into Stopped."""

    def stop(number, frame):
        ignore_signals()
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def ignore_signals() -> None:
    """Once stopping has begun, it is carried through."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def fail(sentence: str) -> int:
    print(f"\nFairplace stopped: {sentence}", file=sys.stderr, flush=True)
    return 1
