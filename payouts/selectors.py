"""What an actor may see of the money: the only way from an id to an object of this chapter.

An agency sees approved statements made out to it, their lines and their payouts, also after a
recall: what was earned stays earned.
"""

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from agencies.actors import Actor
from agencies.models import PanelMembership
from agencies.selectors import visible_memberships
from payouts.models import (
    CommissionEntry,
    Excess,
    Payout,
    PayoutAccount,
    PayoutAttempt,
    Statement,
    StatementLine,
)


def _of_institution(model, actor: Actor) -> QuerySet:
    if actor.kind in ("institution", "sweep"):
        return model.objects.filter(institution=actor.institution_id)
    return model.objects.none()


def _of_either(model, actor: Actor, **for_agency) -> QuerySet:
    if actor.kind == "agency":
        return model.objects.filter(agency=actor.agency_id, **for_agency)
    return _of_institution(model, actor)


def visible_commission_entries(actor: Actor) -> QuerySet[CommissionEntry]:
    return _of_institution(CommissionEntry, actor)


def visible_excesses(actor: Actor) -> QuerySet[Excess]:
    return _of_institution(Excess, actor)


def visible_statements(actor: Actor) -> QuerySet[Statement]:
    return _of_either(Statement, actor, state=Statement.State.APPROVED)


def visible_statement_lines(actor: Actor) -> QuerySet[StatementLine]:
    return _of_either(StatementLine, actor, statement__state=Statement.State.APPROVED)


def visible_payouts(actor: Actor) -> QuerySet[Payout]:
    return _of_either(Payout, actor)


def visible_payout_attempts(actor: Actor) -> QuerySet[PayoutAttempt]:
    return _of_institution(PayoutAttempt, actor)


def visible_payout_accounts(actor: Actor) -> QuerySet[PayoutAccount]:
    return _of_either(PayoutAccount, actor)


def shown_statements(actor: Actor) -> QuerySet[Statement]:
    """Statements with both sides and `payment`, the state of the payout where there is one."""
    return (
        visible_statements(actor)
        .select_related("agency", "institution")
        .annotate(payment=F("payout__state"))
    )


def shown_payouts(actor: Actor) -> QuerySet[Payout]:
    """Payouts with their statement and both sides, and `account`, the state of the account."""
    accounts = visible_payout_accounts(actor).filter(membership=OuterRef("statement__membership"))
    return (
        visible_payouts(actor)
        .select_related("statement", "agency", "institution")
        .annotate(account=Subquery(accounts.values("state")[:1]))
    )


def payout_sums(actor: Actor) -> list[dict]:
    """Per currency `on_the_way_minor`, `paid_minor` (less what came back) and `failed`, a count."""
    paid = Q(state=Payout.State.PAID)
    by_currency = (
        visible_payouts(actor)
        .order_by()
        .values("currency")
        .annotate(
            on_the_way_minor=Coalesce(Sum("amount_minor", filter=~paid), 0),
            paid_minor=Coalesce(Sum(F("amount_minor") - F("reversed_minor"), filter=paid), 0),
            failed=Count("pk", filter=Q(state=Payout.State.FAILED)),
        )
    )
    return [dict(row) for row in by_currency.order_by("currency")]


def line_sums(actor: Actor, statement: Statement) -> dict[str, int]:
    """What a statement's lines come to in minor units, by kind: `accrual` and `clawback`."""
    lines = visible_statement_lines(actor).filter(statement=statement).order_by()
    sums = dict(lines.values_list("kind").annotate(Sum("amount_minor")))
    return {"accrual": 0, "clawback": 0} | sums


def memberships_with_account(actor: Actor) -> QuerySet[PanelMembership]:
    """The panel with `account` (its state or null), `remote_id`, `requested_at`, `refusal_code`."""
    own = visible_payout_accounts(actor).filter(membership=OuterRef("pk"))
    found = {
        name: Subquery(own.values(column)[:1])
        for name, column in {
            "account": "state",
            "remote_id": "remote_id",
            "requested_at": "requested_at",
            "refusal_code": "refusal_code",
        }.items()
    }
    return visible_memberships(actor).select_related("agency").annotate(**found)


def shown_excesses(actor: Actor) -> QuerySet[Excess]:
    """Money above a balance with the payment that brought it, and where that belongs."""
    return visible_excesses(actor).select_related(
        "recovery__agency", "recovery__loan", "recovery__placement"
    )
