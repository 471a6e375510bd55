"""What the database's own guards mean: a trigger that refuses a write names its reason by SQLSTATE.

Triggers raise with an `errcode` of class FP. A row that row-level security does not let in is one
that stopped being the actor's between the selector and the statement, so it does not exist.
Everything else the database says is a fault of ours and stays one.
"""

import contextlib

import psycopg
from django.db import Error
from django.utils.translation import gettext_lazy as _

from config import errors

MEANINGS = {
    "FP001": lambda: errors.NotFound("NOT_FOUND", _("There is no such thing.")),
    "FP002": lambda: errors.InvalidState("CLOSED", _("This is closed and cannot be changed.")),
    "FP003": lambda: errors.InvalidInput(
        "ABOVE_RECOVERY", _("Reversals cannot exceed the recovery."), field="amount_minor"
    ),
}


def translate(exc: BaseException) -> errors.DomainError | None:
    """The refusal that a database error stands for, or None where it is not one of our guards."""
    if not isinstance(exc, Error):
        return None
    cause = exc.__cause__
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        is_wall = "row-level security" in (cause.diag.message_primary or "")
        return MEANINGS["FP001"]() if is_wall else None
    meaning = MEANINGS.get(getattr(cause, "sqlstate", None) or "")
    return meaning() if meaning else None


@contextlib.contextmanager
def translated():
    """Raise the `DomainError` a guard meant instead of its database error.

    Works as a decorator too. Put it outside `transaction.atomic()`, so that the savepoint is
    rolled back before anybody looks at the refusal.
    """
    try:
        yield
    except Error as exc:
        refusal = translate(exc)
        if refusal is None:
            raise
        raise refusal from exc
