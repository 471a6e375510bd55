"""What waits at disputes about rankings."""

from collections.abc import Iterable
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agencies.actors import Actor
from config import clock
from frontend.work.items import Item
from marketplace.models import RankingDispute
from marketplace.selectors import visible_ranking_disputes, visible_runs

State = RankingDispute.State
ANSWERS_SHOWN_FOR = timedelta(days=7)


def disputes_to_answer(actor: Actor) -> Iterable[Item]:
    """Figures to which agencies object."""
    count = visible_ranking_disputes(actor).filter(state=State.OPEN).count()
    yield Item(
        label=ngettext("dispute about the ranking", "disputes about the ranking", count),
        count=count,
        url=f"{reverse('ranking_disputes')}?state=open",
        icon="message-square-warning",
        note=_("Correct by an event what can be corrected, and answer the agency."),
    )


def disputes_answered(actor: Actor) -> Iterable[Item]:
    """What a bank answered in the last week, where the agency can still open its card."""
    since = clock.now() - ANSWERS_SHOWN_FOR
    found = visible_ranking_disputes(actor).filter(answered_at__gte=since)
    found = found.filter(run__in=visible_runs(actor)).order_by("-answered_at")
    answered = list(found.values_list("institution", "run__currency"))
    where = "?institution={}&currency={}".format(*answered[0]) if answered else ""
    yield Item(
        label=ngettext("objection answered", "objections answered", len(answered)),
        count=len(answered),
        url=f"{reverse('ranking')}{where}",
        tone="info",
        icon="message-square",
        note=_("Read on your card what the bank says to it."),
    )
