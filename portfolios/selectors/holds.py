"""Pauses of collection."""

from datetime import date

from django.db.models import Case, QuerySet, Value, When

from agencies.actors import Actor
from portfolios.models import Hold
from portfolios.selectors.scoping import institution_only


def visible_holds(actor: Actor) -> QuerySet[Hold]:
    return institution_only(Hold, actor)


def shown_holds(actor: Actor, today: date) -> QuerySet[Hold]:
    """`visible_holds` with the loan and its holder, and `hold_state`: `to_review` from the day of
    review on, `held`, or `lifted`."""
    return (
        visible_holds(actor)
        .select_related("loan__agency")
        .annotate(
            hold_state=Case(
                When(released_at__isnull=False, then=Value("lifted")),
                When(review_on__lte=today, then=Value("to_review")),
                default=Value("held"),
            )
        )
    )
