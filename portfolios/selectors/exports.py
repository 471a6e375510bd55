"""What agencies took out of the portal, and the certificates of its deletion."""

from django.db.models import QuerySet, Sum

from agencies.actors import Actor
from portfolios.models import Certificate, Export
from portfolios.selectors.scoping import institution_only


def visible_exports(actor: Actor) -> QuerySet[Export]:
    """Also after a recall: both sides know what left the portal."""
    if actor.kind == "agency":
        return Export.objects.filter(agency=actor.agency_id)
    return institution_only(Export, actor)


def shown_exports(actor: Actor) -> QuerySet[Export]:
    """`visible_exports` with `row_count`, how many rows were sent."""
    return visible_exports(actor).annotate(row_count=Sum("parts__row_count", default=0))


def visible_certificates(actor: Actor) -> QuerySet[Certificate]:
    if actor.kind == "agency":
        return Certificate.objects.filter(agency=actor.agency_id)
    return institution_only(Certificate, actor)
