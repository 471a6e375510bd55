"""Recoveries, reversals, and what they come to."""

from django.db.models import BigIntegerField, Count, F, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from agencies.actors import Actor
from portfolios.models import Recovery, Reversal
from portfolios.selectors.scoping import events
from portfolios.selectors.sums import total


def visible_recoveries(actor: Actor) -> QuerySet[Recovery]:
    return events(Recovery, actor)


def visible_reversals(actor: Actor) -> QuerySet[Reversal]:
    return events(Reversal, actor)


def with_reversed(recoveries: QuerySet[Recovery]) -> QuerySet[Recovery]:
    """Adds `reversed_minor`: what was taken back of each recovery."""
    return recoveries.annotate(
        reversed_minor=total(Reversal, "amount_minor", recovery=OuterRef("pk"))
    )


def confirmed_net_minor(spells: Q) -> int:
    """Confirmed money less reversals over the recoveries that match `spells`."""
    recoveries = with_reversed(Recovery.objects.filter(spells, confirmation__isnull=False))
    totals = recoveries.aggregate(whole=Sum("amount_minor"), back=Sum("reversed_minor"))
    return (totals["whole"] or 0) - (totals["back"] or 0)


def shown_recoveries(actor: Actor) -> QuerySet:
    """`visible_recoveries` with `reversed_minor`, `confirmed_at` and the loan, to be shown."""
    recoveries = with_reversed(visible_recoveries(actor)).select_related("loan")
    return recoveries.annotate(confirmed_at=F("confirmation__confirmed_at"))


def reported_recoveries(actor: Actor) -> QuerySet:
    """Recoveries that no receipt has confirmed yet and that were not taken back whole."""
    waiting = shown_recoveries(actor).filter(confirmed_at__isnull=True)
    return waiting.filter(reversed_minor__lt=F("amount_minor"))


def recovery_totals(recoveries: QuerySet) -> list[dict]:
    """Sums of `shown_recoveries` by currency, the largest first.

    Each is {currency, count, net_minor, waiting_count, waiting_minor, oldest_at}: net of
    reversals, `waiting` for confirmation, `oldest_at` the oldest report among those.
    """
    net = F("amount_minor") - F("reversed_minor")
    waiting = Q(confirmed_at__isnull=True, reversed_minor__lt=F("amount_minor"))
    totals = (
        recoveries.order_by()
        .values("currency")
        .annotate(
            count=Count("pk"),
            net_minor=Coalesce(Sum(net), 0, output_field=BigIntegerField()),
            waiting_count=Count("pk", filter=waiting),
            waiting_minor=Coalesce(Sum(net, filter=waiting), 0, output_field=BigIntegerField()),
            oldest_at=Min("logged_at", filter=waiting),
        )
    )
    return sorted(totals, key=lambda total: -total["net_minor"])


def narrow_recoveries(
    recoveries: QuerySet,
    *,
    state: str | None = None,
    loan_reference: str | None = None,
    reference: str | None = None,
    is_above_balance: bool | None = None,
    agency_id=None,
) -> QuerySet:
    """Fewer of `shown_recoveries`; `state` is `reported` or `confirmed`."""
    if agency_id is not None:
        recoveries = recoveries.filter(agency=agency_id)
    if state:
        recoveries = recoveries.filter(confirmed_at__isnull=state == "reported")
    if loan_reference:
        recoveries = recoveries.filter(loan__reference=loan_reference)
    if reference:
        recoveries = recoveries.filter(reference=reference)
    if is_above_balance is not None:
        recoveries = recoveries.filter(is_above_balance=is_above_balance)
    return recoveries
