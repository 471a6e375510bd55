"""Recalls, the loans they name, and objections to them."""

from django.db.models import Case, Count, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from agencies.actors import Actor
from portfolios import access
from portfolios.models import Objection, Recall, RecalledLoan
from portfolios.selectors.scoping import events, institution_only


def visible_recalls(actor: Actor) -> QuerySet[Recall]:
    """An agency sees what is announced about placements that it holds."""
    if actor.kind == "agency":
        live = access.live_placements(actor).values("pk")
        return Recall.objects.filter(agency=actor.agency_id, placement__in=live)
    return institution_only(Recall, actor)


def visible_recalled_loans(actor: Actor) -> QuerySet[RecalledLoan]:
    return events(RecalledLoan, actor)


def visible_objections(actor: Actor) -> QuerySet[Objection]:
    return events(Objection, actor)


def shown_recalls(actor: Actor) -> QuerySet[Recall]:
    """`visible_recalls` with their placement and bank, and how many objections are `open_count`,
    to be shown."""
    waiting = visible_objections(actor).filter(
        recalled_loan__recall=OuterRef("pk"), state=Objection.State.OPEN
    )
    counts = waiting.order_by().values("recalled_loan__recall").annotate(count=Count("pk"))
    return (
        visible_recalls(actor)
        .select_related("placement", "institution")
        .annotate(open_count=Coalesce(Subquery(counts.values("count")), 0))
    )


def shown_recalled_loans(actor: Actor) -> QuerySet[RecalledLoan]:
    """`visible_recalled_loans` with the loan, its objection and `recall_state`, to be shown."""
    rows = visible_recalled_loans(actor).select_related("loan", "recall", "objection")
    return rows.annotate(
        recall_state=Case(
            When(is_kept=True, then=Value("stays")),
            When(spell__closed_at__isnull=False, then=Value("gone")),
            When(recall__state=Recall.State.WITHDRAWN, then=Value("stays")),
            When(objection__state=Objection.State.OPEN, then=Value("objected")),
            default=Value("goes"),
        )
    )


def shown_objections(actor: Actor) -> QuerySet[Objection]:
    """`visible_objections` with the loan, the agency and the recall, to be shown."""
    return visible_objections(actor).select_related("loan", "agency", "recalled_loan__recall")
