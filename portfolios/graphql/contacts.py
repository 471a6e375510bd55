"""Contacts with borrowers over GraphQL."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.graphql import batches
from portfolios.services import contacts

MAY_READ = (
    policies.AGENCY_WORKERS
    | policies.COMPLIANCE_OFFICERS
    | policies.VENDOR_MANAGERS
    | policies.AUDITORS
)

Measure = scalars.choices(models.Contact.Measure, "ContactMeasure")
Channel = scalars.choices(models.Contact.Channel, "ContactChannel")
Direction = scalars.choices(models.Contact.Direction, "ContactDirection")
Outcome = scalars.choices(models.Contact.Outcome, "ContactOutcome")


class Contact(types.Node):
    """One attempt or conversation about a loan. Nothing in it is ever changed."""

    class Meta:
        model = models.Contact
        fields = ("loan", "placement", "agency", "happened_at", "logged_at", "logged_by", "note")
        selector = selectors.shown_contacts
        allow = MAY_READ

    loan_reference = graphene.String(required=True)
    measure = graphene.Field(Measure, required=True)
    channel = graphene.Field(Channel, required=True)
    direction = graphene.Field(Direction, required=True)
    outcome = graphene.Field(Outcome, required=True)
    flags = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="Rules of conduct it seems to break: OUTSIDE_HOURS, TOO_MANY_CONTACTS,"
        " ON_HOLD. Compliance looks at them; nothing is refused for one.",
    )

    def resolve_loan_reference(contact, info):
        return contact.loan.reference


class Entry:
    """What is said about a contact."""

    measure = Measure(required=True)
    channel = Channel(required=True)
    direction = Direction(required=True)
    outcome = Outcome(required=True)
    happened_at = scalars.DateTime(required=True)
    note = graphene.String()


class ContactRow(Entry, batches.Row):
    """One contact of a batch."""


class ContactRowAnswer(batches.Answer):
    """What became of one row."""

    class Meta:
        allow = policies.AGENCY_WORKERS

    contact = graphene.Field(Contact)


class ContactLog(mutations.Mutation):
    """Records one contact; a rule that it seems to break flags it and never refuses it."""

    allow = policies.AGENCY_WORKERS

    class Input(Entry, batches.Named):
        pass

    contact = graphene.Field(Contact)

    @classmethod
    def perform(cls, info, actor, loan_reference=None, **given):
        logged = contacts.log(actor=actor, reference=loan_reference, **given)
        return cls(contact=Contact.load(info, [logged.pk])[logged.pk])


class ContactsLog(mutations.Mutation):
    """Records up to 500 contacts, each row answered on its own; one effect per key."""

    allow = policies.AGENCY_WORKERS

    class Input:
        idempotency_key = graphene.String(required=True)
        rows = graphene.List(graphene.NonNull(ContactRow), required=True)

    rows = graphene.List(graphene.NonNull(ContactRowAnswer))

    @classmethod
    def perform(cls, info, actor, **given):
        answers = contacts.log_many(actor=actor, **given)
        return cls(rows=batches.shown(info, answers, contact=Contact))


class Query(graphene.ObjectType):
    contacts = queries.connection(
        Contact,
        narrow=lambda visible, root, **filters: selectors.narrow_contacts(visible, **filters),
        newest_first=True,
        loan_reference=graphene.String(),
        is_flagged=graphene.Boolean(),
    )


class Mutation(graphene.ObjectType):
    contact_log = ContactLog.Field()
    contacts_log = ContactsLog.Field()
