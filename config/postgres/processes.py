"""Which processes belong to a data folder, told from strangers that reuse a process id."""

import os
import signal
import time
from pathlib import Path

PROC = Path("/proc")


def of_folder(data: Path) -> list[int]:
    """Ids of the living PostgreSQL processes, of whatever kind, that work in `data`."""
    found = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            name = (entry / "comm").read_text().strip()
            folder = Path(os.readlink(entry / "cwd"))
        except OSError:
            continue
        if name == "postgres" and folder == data:
            found.append(int(entry.name))
    return found


def postmaster(data: Path) -> int | None:
    """The id in `postmaster.pid` if that process is alive and really is the server of `data`."""
    try:
        process_id = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return process_id if process_id in of_folder(data) else None


def stop(data: Path, *, fast_seconds: float = 30.0, immediate_seconds: float = 5.0) -> None:
    """Stop whatever still works in `data`: fast shutdown, then immediate, then kill.

    Returns at once when nothing runs there.
    """
    steps = (
        (signal.SIGINT, fast_seconds),
        (signal.SIGQUIT, immediate_seconds),
        (signal.SIGKILL, immediate_seconds),
    )
    for how, seconds in steps:
        # Without its postmaster, a backend ends by itself; it is told to all the same.
        server = postmaster(data)
        targets = [server] if server else of_folder(data)
        for process_id in targets:
            try:
                os.kill(process_id, how)
            except ProcessLookupError:
                continue
        if wait_until_gone(data, seconds):
            return


def wait_until_gone(data: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while of_folder(data):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
