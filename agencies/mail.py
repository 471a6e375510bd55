"""Mail to people: written inside a transaction, sent when that has been committed."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction


def send(to: str, subject, text) -> None:
    """Send one plain message after the commit; nothing is sent of what is rolled back.

    A mail server that does not answer undoes nothing: it is logged, and whoever waits can be
    sent the message again.
    """
    message = EmailMessage(str(subject), str(text), to=[to])
    transaction.on_commit(message.send, robust=True)


def address(path: str) -> str:
    """The whole address of a page, for those who are not on one."""
    return settings.PUBLIC_URL.rstrip("/") + path
