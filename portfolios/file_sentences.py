"""What engines found wrong with files, in the language of whoever asks."""

import dataclasses
from typing import Any

from django.utils.translation import gettext

from portfolios.file_messages import TEMPLATES, FileRefused, RowError


def sentence(code: str, params: dict[str, Any]) -> str:
    """The sentence of an engine's code in the current language."""
    return gettext(TEMPLATES[code]) % params


def told(problem: Any) -> str:
    """What an `ImportProblem`, a `RowError`, its parts as a dict, or a refusal says.

    Services have sentences of their own under some of the engines' codes, and no params: theirs
    is the message.
    """
    given = problem if isinstance(problem, dict) else _parts(problem)
    template, params = TEMPLATES.get(given["code"]), given.get("params")
    if template is None or params is None or ("%(" in template and not params):
        return str(given["message"])
    return gettext(template) % params


def _parts(problem: Any) -> dict[str, Any]:
    return {name: getattr(problem, name, None) for name in ("code", "message", "params")}


def translated(problem: RowError) -> RowError:
    """An engine's error of a row with its sentence in the current language."""
    return dataclasses.replace(problem, message=told(problem))


def translate(error: FileRefused, *, field: str) -> None:
    """Give a refusal its sentence in the current language, and `field` unless it has one."""
    error.message = told(error)
    error.field = error.field or field
