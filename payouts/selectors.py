"""What an actor may see of the money: the only way from an id to an object of this chapter.

An agency sees approved statements made out to it, their lines and their payouts, also after a
recall: what was earned stays earned.
"""

from django.db.models import QuerySet

from agencies.actors import Actor
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
