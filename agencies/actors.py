"""Who is acting. Every decision takes one of these; every entry point opens a scope for one."""

import dataclasses
import uuid

from agencies.models.users import Role


@dataclasses.dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts.

    `kind` is `institution`, `agency`, `sweep`, `login` or `public`; `role` is a value of
    `Role`, or `machine_client` or `sweep`. `user_id` and `client_id` name the person or the
    machine; `label` is what the audit trail calls it.
    """

    kind: str
    role: str
    label: str
    user_id: uuid.UUID | None = None
    client_id: uuid.UUID | None = None
    institution_id: uuid.UUID | None = None
    agency_id: uuid.UUID | None = None

    @property
    def id(self) -> uuid.UUID | None:
        """The person or the machine that acts, where there is one."""
        return self.user_id or self.client_id


LOGIN = Actor(kind="login", role="login", label="log-in")
"""Finds the person or machine behind a session, a password or a token, and nothing else."""

PUBLIC = Actor(kind="public", role="public", label="public")
"""Somebody unknown: sees no row that belongs to anybody."""


def for_user(user) -> Actor:
    """The actor that a logged-in, active person is."""
    return Actor(
        kind="agency" if user.agency_id else "institution",
        role=user.role,
        label=f"{user.name} ({Role(user.role).label})",
        user_id=user.pk,
        institution_id=user.institution_id,
        agency_id=user.agency_id,
    )


def for_client(machine_client) -> Actor:
    """The actor that an agency's enabled machine client is."""
    return Actor(
        kind="agency",
        role="machine_client",
        label=machine_client.name,
        client_id=machine_client.pk,
        agency_id=machine_client.agency_id,
    )


def sweep(institution_id: uuid.UUID | None = None) -> Actor:
    """The scheduled work of one institution; without one it can only list institutions."""
    return Actor(kind="sweep", role="sweep", label="Fairplace", institution_id=institution_id)


def public_for(institution_id: uuid.UUID) -> Actor:
    """A visitor of one institution's public form: may leave something there, reads nothing."""
    return dataclasses.replace(PUBLIC, institution_id=institution_id)


def founder_of_institution(institution_id: uuid.UUID) -> Actor:
    """Whoever runs the command that makes an institution and its administrator."""
    return Actor(
        kind="institution",
        role="founder",
        label="command line",
        institution_id=institution_id,
    )


def founder_of_agency(agency_id: uuid.UUID) -> Actor:
    """Whoever registers a new agency; it holds nothing yet."""
    return Actor(kind="agency", role="founder", label="registration", agency_id=agency_id)
