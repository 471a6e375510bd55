"""What an actor may see of who: the only way from an id to an object of this chapter."""

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils.translation import gettext_lazy as _

from agencies.actors import Actor
from agencies.models import (
    Agency,
    AuditEntry,
    Denial,
    Institution,
    Invitation,
    MachineClient,
    PanelMembership,
    User,
    VettingDocument,
)
from config import clock, errors


def find(queryset: QuerySet, **lookup):
    """The one row of an already limited queryset, or `NotFound`, the same for every reason."""
    try:
        return queryset.get(**lookup)
    except (queryset.model.DoesNotExist, ValueError, TypeError):
        raise errors.NotFound("NOT_FOUND", _("There is no such thing.")) from None


def _either_side(actor: Actor) -> Q:
    """Rows of the actor's institution or of its agency; of neither for anybody else."""
    if actor.kind in ("institution", "sweep"):
        return Q(institution=actor.institution_id)
    if actor.kind == "agency":
        return Q(agency=actor.agency_id)
    return Q(pk__in=[])


def visible_institutions(actor: Actor) -> QuerySet[Institution]:
    """A bank sees itself; agencies see every bank that they could apply to."""
    if actor.kind == "institution":
        return Institution.objects.filter(Q(pk=actor.institution_id))
    return Institution.objects.all()


def visible_agencies(actor: Actor) -> QuerySet[Agency]:
    """A bank sees the agencies on its panel and those that applied; an agency sees itself."""
    if actor.kind == "agency":
        return Agency.objects.filter(Q(pk=actor.agency_id))
    memberships = PanelMembership.objects.filter(_either_side(actor))
    return Agency.objects.filter(pk__in=memberships.values("agency"))


def visible_users(actor: Actor) -> QuerySet[User]:
    """One's own colleagues."""
    return User.objects.filter(_either_side(actor))


def with_state(users: QuerySet[User]) -> QuerySet[User]:
    """Adds `state` (active, invited or inactive) and `has_totp`."""
    totp = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
    return users.annotate(
        state=Case(
            When(is_active=False, then=Value("inactive")),
            When(password__startswith=UNUSABLE_PASSWORD_PREFIX, then=Value("invited")),
            default=Value("active"),
        ),
        has_totp=Exists(totp),
    )


def open_invitations(actor: Actor) -> QuerySet[Invitation]:
    """Links that still work, for the log-in alone: whoever holds one is not known yet."""
    if actor.kind != "login":
        return Invitation.objects.none()
    return Invitation.objects.filter(used_at=None, expires_at__gt=clock.Now(), user__is_active=True)


def visible_machine_clients(actor: Actor) -> QuerySet[MachineClient]:
    """An agency's own machines."""
    return MachineClient.objects.filter(agency=actor.agency_id).exclude(agency=None)


def visible_memberships(actor: Actor) -> QuerySet[PanelMembership]:
    """The panel of the bank, or the panels that the agency is on or applied to."""
    return PanelMembership.objects.filter(_either_side(actor))


def institutions_with_standing(actor: Actor) -> QuerySet[Institution]:
    """The banks that an agency could apply to, with `state`, `decided_at` and `membership_id` of
    its own membership, null where it never applied."""
    own = visible_memberships(actor).filter(institution=OuterRef("pk"))
    return visible_institutions(actor).annotate(
        membership_id=Subquery(own.values("pk")),
        state=Subquery(own.values("state")),
        decided_at=Subquery(own.values("decided_at")),
    )


def visible_documents(actor: Actor) -> QuerySet[VettingDocument]:
    """Evidence sent with applications to the bank, or by the agency."""
    return VettingDocument.objects.filter(_either_side(actor))


def visible_audit_entries(actor: Actor) -> QuerySet[AuditEntry]:
    """Entries about what is in the actor's scope; none about a bid before it is opened.

    That an agency reads entries about a placement only while it holds it is said by the
    database alone: this chapter does not know what a placement is.
    """
    opened = Q(sealed_until__isnull=True) | Q(sealed_until__lte=clock.Now())
    if actor.kind == "agency":
        return AuditEntry.objects.filter(agency=actor.agency_id)
    return AuditEntry.objects.filter(_either_side(actor)).filter(opened)


def timeline_of(actor: Actor, *objects) -> QuerySet[AuditEntry]:
    """What happened to these objects and may be read by the actor, the newest first."""
    entries = visible_audit_entries(actor).filter(object_id__in=[one.pk for one in objects])
    return entries.order_by("-at", "-pk")


def visible_denials(actor: Actor) -> QuerySet[Denial]:
    """What people and machines of one's own side were refused."""
    return Denial.objects.filter(_either_side(actor))


def time_zone_of(actor: Actor) -> str:
    """The IANA zone on whose clock the actor reads moments: the bank's own, else UTC."""
    if actor.kind not in ("institution", "sweep"):
        return "UTC"
    zones = Institution.objects.filter(Q(pk=actor.institution_id)).values_list(
        "time_zone", flat=True
    )
    return zones.first() or "UTC"
