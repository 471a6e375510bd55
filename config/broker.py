"""Celery messages as files in a folder: what replaces a broker on a single machine.

It is kombu's filesystem transport but for three things. A message appears under its name only when
it is written completely, where kombu's reader may meet half of one and die of it. A message being
read stays in our folder, where kombu moves it through the machine's temporary one. And the table of
an exchange's queues is replaced as a whole by one at a time, where kombu empties it before it locks
it and notes it as written before it is: who sends in that moment finds no queue, and the message is
dropped.
"""

import contextlib
import fcntl
import os
import threading
import time
import uuid
from pathlib import Path
from queue import Empty

from kombu.transport import TRANSPORT_ALIASES, filesystem, virtual
from kombu.utils.json import dumps, loads

_BINDING = threading.Lock()
SCHEME = "fairplace-folder"
# Where kombu looks a URL's scheme up.
TRANSPORT_ALIASES[SCHEME] = "config.broker:Transport"


def prepare(folder: Path) -> dict:
    """Make the folders below `folder`; returns Celery's `broker_transport_options` for them."""
    for name in ("messages", "taken", "control"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "processed_folder": str(folder / "taken"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.5,
    }


def clear(folder: Path) -> None:
    """Forget messages of an earlier run: the database knows what is to be done, not they."""
    for path in folder.glob("*/*"):
        path.unlink(missing_ok=True)


class Channel(filesystem.Channel):
    """A queue is the files `<time>_<id>.<queue>.msg`, oldest first."""

    def queue_bind(self, *args, **kwargs):
        # kombu notes for all threads that a queue is bound and binds it then: one that sends in
        # between would send to nobody.
        with _BINDING:
            super().queue_bind(*args, **kwargs)

    def _queue_bind(self, exchange, routing_key, pattern, queue):
        bound = (routing_key or "", pattern or "", queue or "")
        with self._table_locked(exchange):
            table = [tuple(row) for row in self.get_table(exchange)]
            if bound not in table:
                self._write_table(exchange, [bound, *table])

    def _delete(self, queue, exchange, routing_key, pattern, *args, **kwargs):
        virtual.Channel._delete(self, queue, *args, **kwargs)
        bound = (routing_key or "", pattern or "", queue or "")
        with self._table_locked(exchange):
            table = [tuple(row) for row in self.get_table(exchange)]
            if bound in table:
                self._write_table(exchange, [row for row in table if row != bound])

    @contextlib.contextmanager
    def _table_locked(self, exchange):
        """Alone with an exchange's table. Readers need no lock: a table is replaced as a whole."""
        with open(f"{self._exchange_file(exchange)}.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _write_table(self, exchange, table):
        file = self._exchange_file(exchange)
        draft = file.with_suffix(".draft")
        draft.write_text(dumps(table), encoding="utf-8")
        draft.rename(file)

    def _put(self, queue, payload, **kwargs):
        name = f"{time.time_ns():020d}_{uuid.uuid4()}"
        folder = Path(self.data_folder_out)
        draft = folder / f"{name}.draft"
        draft.write_text(dumps(payload), encoding="utf-8")
        draft.rename(folder / f"{name}.{queue}.msg")

    def _get(self, queue):
        suffix = f"{queue}.msg"
        for name in sorted(os.listdir(self.data_folder_in)):
            if name.partition(".")[2] != suffix:
                continue
            taken = Path(self.processed_folder) / name
            try:
                # Only one reader succeeds in moving it.
                os.rename(os.path.join(self.data_folder_in, name), taken)
            except FileNotFoundError:
                continue
            text = taken.read_text(encoding="utf-8")
            taken.unlink()
            return loads(text)
        raise Empty


class Transport(filesystem.Transport):
    Channel = Channel
