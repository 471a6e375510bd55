"""Contacts and promises."""

from django.db.models import QuerySet

from agencies.actors import Actor
from portfolios.models import Contact, Promise
from portfolios.selectors.scoping import events


def visible_contacts(actor: Actor) -> QuerySet[Contact]:
    return events(Contact, actor)


def visible_promises(actor: Actor) -> QuerySet[Promise]:
    return events(Promise, actor)


def shown_contacts(actor: Actor) -> QuerySet[Contact]:
    """`visible_contacts` with the loan, to be shown."""
    return visible_contacts(actor).select_related("loan")


def narrow_contacts(
    contacts: QuerySet[Contact],
    *,
    loan_reference: str | None = None,
    is_flagged: bool | None = None,
    flag: str | None = None,
) -> QuerySet[Contact]:
    """Fewer of `shown_contacts`; `flag` is a code of `portfolios.conduct`."""
    if loan_reference:
        contacts = contacts.filter(loan__reference=loan_reference)
    if flag:
        contacts = contacts.filter(flags__contains=[flag])
    if is_flagged is not None:
        contacts = contacts.exclude(flags=[]) if is_flagged else contacts.filter(flags=[])
    return contacts


def shown_promises(actor: Actor) -> QuerySet[Promise]:
    """`visible_promises` with the loan, to be shown."""
    return visible_promises(actor).select_related("loan")
