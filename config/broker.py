"""Celery messages as files in a folder: what replaces a broker on a single machine.

It is kombu's filesystem transport but for two things: a message appears under its name only when
it is written completely, where kombu's reader may meet half of one and die of it; and a message
being read stays in our folder, where kombu moves it through the machine's temporary one.
"""

import os
import time
import uuid
from pathlib import Path
from queue import Empty

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

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
