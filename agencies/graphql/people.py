"""People: one's own colleagues."""

import graphene

from agencies import models, policies, selectors
from agencies.models.users import Role
from agencies.services import people
from config.graphql import mutations, queries, scalars, types

RoleEnum = scalars.choices(Role, "Role")


class Person(types.Node):
    """A colleague."""

    class Meta:
        model = models.User
        fields = ("name", "email", "is_active", "created_at")
        selector = selectors.visible_users
        allow = policies.PEOPLE

    role = graphene.Field(RoleEnum, required=True)


class PersonInvite(mutations.Mutation):
    """Enters a new colleague and mails them a link to choose a password."""

    allow = policies.PEOPLE_MANAGERS

    class Input:
        email = graphene.String(required=True)
        name = graphene.String(required=True)
        role = RoleEnum(required=True)

    person = graphene.Field(Person)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(person=people.invite(actor=actor, **given).user)


class PersonResendInvitation(mutations.Mutation):
    """Mails another link to somebody who has not chosen a password yet."""

    allow = policies.PEOPLE_MANAGERS

    class Input:
        person_id = graphene.ID(required=True)

    person = graphene.Field(Person)

    @classmethod
    def perform(cls, info, actor, *, person_id):
        return cls(person=people.resend(actor=actor, user_id=person_id).user)


class PersonDeactivate(mutations.Mutation):
    """Shuts somebody out and ends all their sessions."""

    allow = policies.PEOPLE_MANAGERS

    class Input:
        person_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    person = graphene.Field(Person)

    @classmethod
    def perform(cls, info, actor, *, person_id, reason):
        return cls(person=people.deactivate(actor=actor, user_id=person_id, reason=reason))


class PersonReactivate(mutations.Mutation):
    """Lets somebody log in again."""

    allow = policies.PEOPLE_MANAGERS

    class Input:
        person_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    person = graphene.Field(Person)

    @classmethod
    def perform(cls, info, actor, *, person_id, reason):
        return cls(person=people.reactivate(actor=actor, user_id=person_id, reason=reason))


class PersonChangeRole(mutations.Mutation):
    """Gives a colleague another role of the same side."""

    allow = policies.PEOPLE_MANAGERS

    class Input:
        person_id = graphene.ID(required=True)
        role = RoleEnum(required=True)
        reason = graphene.String(required=True)

    person = graphene.Field(Person)

    @classmethod
    def perform(cls, info, actor, *, person_id, role, reason):
        changed = people.change_role(actor=actor, user_id=person_id, role=role, reason=reason)
        return cls(person=changed)


class Query(graphene.ObjectType):
    person = queries.node(Person)
    people = queries.connection(
        Person,
        narrow=lambda visible, root, role=None: visible.filter(role=role) if role else visible,
        role=RoleEnum(),
    )


class Mutation(graphene.ObjectType):
    person_invite = PersonInvite.Field()
    person_resend_invitation = PersonResendInvitation.Field()
    person_deactivate = PersonDeactivate.Field()
    person_reactivate = PersonReactivate.Field()
    person_change_role = PersonChangeRole.Field()
