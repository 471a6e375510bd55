"""Disputes about rankings as either side sees them."""

from django.db.models import QuerySet

from agencies.actors import Actor
from marketplace.models import RankingDispute, RankingScore
from marketplace.selectors.rankings import visible_runs, visible_scores
from marketplace.selectors.scoping import is_bank


def visible_ranking_disputes(actor: Actor) -> QuerySet[RankingDispute]:
    """All of the bank's; an agency keeps what it raised itself, also after a suspension."""
    if is_bank(actor):
        return RankingDispute.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return RankingDispute.objects.none()
    return RankingDispute.objects.filter(agency=actor.agency_id)


def disputable_scores(actor: Actor) -> QuerySet[RankingScore]:
    """The agency's own scores in runs of panels on which it is in good standing."""
    if actor.kind != "agency":
        return RankingScore.objects.none()
    return visible_scores(actor).filter(run__in=visible_runs(actor))
