"""What most selectors share: rows of one's own bank, and events of spells that are open."""

from django.db.models import BooleanField, F, Func, QuerySet, Subquery

from agencies.actors import Actor
from portfolios import access


def institution_only(model, actor: Actor) -> QuerySet:
    if actor.kind in ("institution", "sweep"):
        return model.objects.filter(institution=actor.institution_id)
    return model.objects.none()


def placed_with(actor: Actor) -> Func:
    """The condition that a row's placement is live for the agency.

    As a list that is made once in the statement: as a join it would be asked again for each row.
    """
    live = access.live_placements(actor).values("pk")
    return Func(
        F("placement"),
        Subquery(live, template="array(%(subquery)s)"),
        template="%(expressions)s)",
        arg_joiner=" = any (",
        output_field=BooleanField(),
    )


def events(model, actor: Actor) -> QuerySet:
    """Events of spells that the actor may see."""
    if actor.kind == "agency":
        return model.objects.filter(
            placed_with(actor), agency=actor.agency_id, spell__closed_at__isnull=True
        )
    return institution_only(model, actor)
