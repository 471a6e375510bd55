"""Secrets of a development machine: made once, kept in files that only their owner reads.

Production takes every one of them from the environment instead.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

KEY_BYTES = 32


def hex_key() -> str:
    """256 random bits as 64 hexadecimal digits."""
    return secrets.token_hex(KEY_BYTES)


def kept(folder: Path, name: str, make: Callable[[], str] = hex_key) -> str:
    """The secret `name` kept in `folder`; the first call makes it.

    Several processes may ask at once: the file appears complete or not at all, and whoever comes
    second reads what the first one wrote.
    """
    path = folder / name
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8")
