"""The one place that decides whether an agency may work on a placement, and that grants it.

With the grant model the only importer of django-guardian. The grant is necessary, never
sufficient: a placement must also be live now, the agency in good standing on the bank's panel,
and whoever asks an active user or an enabled machine client of that agency. Nothing is cached.
Row-level security (`live_placements()` in the database) asks the same questions once more.
"""

from django.db.models import Exists, OuterRef, QuerySet
from guardian.shortcuts import assign_perm, get_objects_for_group, remove_perm

from agencies.actors import Actor
from agencies.models import Agency, MachineClient, PanelMembership, User
from config import clock
from portfolios.models import Placement

PERMISSION = "portfolios.work_placement"


def live_placements(actor: Actor) -> QuerySet[Placement]:
    """The placements on which this agency's person or machine may work at this statement."""
    agency = Agency.objects.filter(pk=actor.agency_id).select_related("group").first()
    if agency is None or not _is_enabled(actor):
        return Placement.objects.none()
    granted = get_objects_for_group(agency.group, PERMISSION, Placement, accept_global_perms=False)
    good_standing = PanelMembership.objects.filter(
        institution=OuterRef("institution"),
        agency=OuterRef("agency"),
        state=PanelMembership.State.APPROVED,
    )
    return granted.filter(
        Exists(good_standing),
        agency=agency,
        state=Placement.State.LIVE,
        opened_at__lte=clock.Now(),
        ends_at__gt=clock.Now(),
    )


def _is_enabled(actor: Actor) -> bool:
    if actor.client_id:
        return MachineClient.objects.filter(
            pk=actor.client_id, agency=actor.agency_id, is_enabled=True
        ).exists()
    return User.objects.filter(pk=actor.user_id, agency=actor.agency_id, is_active=True).exists()


def grant(placement: Placement) -> None:
    """Let the agency's group work on the placement."""
    assign_perm(PERMISSION, placement.agency.group, placement)


def revoke(placement: Placement) -> None:
    """Take the grant away; the placement's own state has ended access already."""
    remove_perm(PERMISSION, placement.agency.group, placement)
