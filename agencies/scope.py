"""One transaction in which the database knows, by a signed context, who is acting.

The application's database role sees a row only where row-level security finds the context's
institution, agency or live placements in it. The signature stops a query that was smuggled in
from giving itself another context: it would need the key, which only the owner role can read.
"""

import contextlib
import hashlib
import hmac
import time

from django.conf import settings
from django.db import connection, transaction

from agencies.actors import Actor

LIFETIME_SECONDS = 900


def _token(actor: Actor) -> str:
    """`kind|user|client|institution|agency|backend pid|expiry|hmac`, empty where there is none."""
    connection.ensure_connection()
    fields = (
        actor.kind,
        actor.user_id or "",
        actor.client_id or "",
        actor.institution_id or "",
        actor.agency_id or "",
        connection.connection.info.backend_pid,
        int(time.time()) + LIFETIME_SECONDS,
    )
    text = "|".join(str(field) for field in fields)
    digest = hmac.new(settings.CONTEXT_KEY, text.encode(), hashlib.sha256).hexdigest()
    return f"{text}|{digest}"


def _set(token: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select set_config('fairplace.context', %s, true)", [token])


@contextlib.contextmanager
def scope(actor: Actor):
    """A transaction in which `actor` acts; scopes nest, and the outer one is restored.

    Never call anything outside the database from within: commit what is to be sent first.
    """
    with transaction.atomic():
        outer = getattr(connection, "fairplace_context", "")
        token = _token(actor)
        _set(token)
        connection.fairplace_context = token
        try:
            yield actor
        finally:
            connection.fairplace_context = outer
        # Reached only without an exception: a rollback to the savepoint restores it by itself.
        _set(outer)
