"""Statements: prepared by one person, approved by another, exact to the unit."""

import calendar
import datetime
import hashlib
import json
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Case, Count, F, Sum, When
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.selectors import visible_memberships
from config import clock, errors
from payouts.models import CommissionEntry, Payout, Statement, StatementLine
from payouts.selectors import visible_commission_entries, visible_statements
from payouts.services import commissions

BATCH = 2000

State = Statement.State
Kind = CommissionEntry.Kind
SIGNED_AMOUNT = Case(When(kind=Kind.ACCRUAL, then=F("amount_minor")), default=-F("amount_minor"))


def month_end(starts_on: datetime.date, time_zone: str) -> datetime.datetime:
    """The first moment after the month that starts on that day, in the institution's zone."""
    days = calendar.monthrange(starts_on.year, starts_on.month)[1]
    following = starts_on + datetime.timedelta(days=days)
    return datetime.datetime.combine(following, datetime.time(), ZoneInfo(time_zone))


def prepare(*, actor: Actor, starts_on: datetime.date) -> list[Statement]:
    """Draft a statement per agency and currency for one month that is over.

    Takes every entry accrued before the month's end that no statement holds yet. What comes to
    nothing or less is carried forward: it stays unstated. Calling it again makes what is missing.
    Raises `InvalidInput` for a day that is not the first of a month or a month not yet over.
    """
    policies.demand(actor, policies.FINANCE_PREPARERS)
    if starts_on.day != 1:
        raise errors.InvalidInput(
            "NOT_A_MONTH", _("A month starts on its first day."), field="starts_on"
        )
    until = month_end(starts_on, selectors.time_zone_of(actor))
    commissions.accrue(actor=actor)
    with transaction.atomic():
        commissions.lock_books(actor)
        if clock.now() < until:
            raise errors.InvalidInput(
                "MONTH_NOT_OVER", _("This month is not over yet."), field="starts_on"
            )
        return [
            _draft(actor, membership, currency, starts_on, until)
            for membership, currency in _due(actor, starts_on, until)
        ]


def unstated(actor: Actor, until: datetime.datetime):
    """Commission entries before a moment that no statement holds."""
    return visible_commission_entries(actor).filter(line=None, accrued_at__lt=until)


def _due(actor: Actor, starts_on, until) -> list:
    """Memberships and currencies with something to pay and no statement for the month."""
    sums = (
        unstated(actor, until)
        .order_by()
        .values("agency", "currency")
        .annotate(total=Sum(SIGNED_AMOUNT))
        .filter(total__gt=0)
    )
    made = set(
        visible_statements(actor).filter(starts_on=starts_on).values_list("membership", "currency")
    )
    memberships = {member.agency_id: member for member in visible_memberships(actor)}
    due = [(memberships[row["agency"]], row["currency"]) for row in sums]
    return [pair for pair in due if (pair[0].pk, pair[1]) not in made]


def _draft(actor: Actor, membership, currency: str, starts_on, until) -> Statement:
    entries = list(
        unstated(actor, until)
        .filter(agency=membership.agency_id, currency=currency)
        .select_related("recovery", "reversal")
        .order_by("accrued_at", "pk")
    )
    statement = Statement(
        institution_id=membership.institution_id,
        agency_id=membership.agency_id,
        membership=membership,
        currency=currency,
        starts_on=starts_on,
        prepared_at=clock.now(),
        prepared_by_id=actor.user_id,  # type: ignore[misc]
        line_count=len(entries),
    )
    lines = [_line(statement, entry) for entry in entries]
    statement.total_minor = sum(_signed(line) for line in lines)
    statement.content_sha256 = content_sha256(statement, lines)
    statement.save(force_insert=True)
    StatementLine.objects.bulk_create(lines, batch_size=BATCH)
    audit.record(
        actor,
        "statement.prepare",
        statement,
        changes={
            "total_minor": statement.total_minor,
            "currency": statement.currency,
            "lines": len(lines),
        },
    )
    return statement


def _line(statement: Statement, entry: CommissionEntry) -> StatementLine:
    return StatementLine(
        institution_id=statement.institution_id,
        agency_id=statement.agency_id,
        statement=statement,
        entry=entry,
        kind=entry.kind,
        reference=entry.reversal.reference if entry.reversal else entry.recovery.reference,
        value_on=entry.recovery.value_on,
        base_minor=entry.base_minor,
        rate_ppm=entry.rate_ppm,
        amount_minor=entry.amount_minor,
    )


def _signed(line: StatementLine) -> int:
    return line.amount_minor if line.kind == Kind.ACCRUAL else -line.amount_minor


def content_sha256(statement: Statement, lines: list[StatementLine]) -> str:
    """A hash of all that an approver signs: whom, how much, and every line."""
    content = {
        "membership": str(statement.membership_id),
        "currency": statement.currency,
        "starts_on": statement.starts_on.isoformat(),
        "total_minor": statement.total_minor,
        "lines": sorted(
            [str(line.entry_id), line.kind, line.base_minor, line.rate_ppm, line.amount_minor]
            for line in lines
        ),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def submit(*, actor: Actor, statement_id) -> Statement:
    """Hand a draft to whoever approves it."""
    policies.demand(actor, policies.FINANCE_PREPARERS)
    return _move(
        actor,
        statement_id,
        State.DRAFT,
        "statement.submit",
        state=State.SUBMITTED,
        submitted_at=clock.now(),
        submitted_by=actor.user_id,
        return_reason="",
    )


def send_back(*, actor: Actor, statement_id, reason: str) -> Statement:
    """Refuse to approve; the statement is a draft again."""
    policies.demand(actor, policies.FINANCE_APPROVERS)
    reason = texts.reason(reason)
    return _move(
        actor,
        statement_id,
        State.SUBMITTED,
        "statement.send_back",
        reason=reason,
        state=State.DRAFT,
        submitted_at=None,
        submitted_by=None,
        return_reason=reason,
    )


def discard(*, actor: Actor, statement_id, reason: str) -> None:
    """Throw a draft away; its entries are unstated again."""
    policies.demand(actor, policies.FINANCE_PREPARERS)
    reason = texts.reason(reason)
    statement = selectors.find(visible_statements(actor), pk=statement_id)
    with transaction.atomic():
        statement = Statement.objects.select_for_update().get(pk=statement.pk)
        if statement.state != State.DRAFT:
            raise errors.InvalidState("NOT_A_DRAFT", _("Only a draft can be discarded."))
        audit.record(
            actor,
            "statement.discard",
            statement,
            reason=reason,
            changes={"total_minor": statement.total_minor, "currency": statement.currency},
        )
        StatementLine.objects.filter(statement=statement).delete()
        Statement.objects.filter(pk=statement.pk).delete()


def approve(*, actor: Actor, statement_id) -> Payout:
    """Sign a submitted statement and have it paid; answers the payout.

    Raises `NotAllowed` when the actor prepared or submitted it, `InvalidState` when its lines are
    no longer what was submitted.
    """
    policies.demand(actor, policies.FINANCE_APPROVERS)
    statement = selectors.find(visible_statements(actor), pk=statement_id)
    if actor.user_id in (statement.prepared_by_id, statement.submitted_by_id):
        raise errors.NotAllowed("SAME_PERSON", _("Whoever prepared a statement cannot approve it."))
    with transaction.atomic():
        moment = clock.now()
        statement = _move(
            actor,
            statement_id,
            State.SUBMITTED,
            "statement.approve",
            agency_id=statement.agency_id,
            state=State.APPROVED,
            approved_at=moment,
            approved_by=actor.user_id,
        )
        lines = list(StatementLine.objects.filter(statement=statement))
        if (
            content_sha256(statement, lines) != statement.content_sha256
            or sum(map(_signed, lines)) != statement.total_minor
        ):
            raise errors.InvalidState(
                "CHANGED", _("The statement is not what was submitted. Send it back.")
            )
        return Payout.objects.create(
            institution_id=statement.institution_id,
            agency_id=statement.agency_id,
            statement=statement,
            currency=statement.currency,
            amount_minor=statement.total_minor,
            approved_at=moment,
        )


def _move(
    actor: Actor, statement_id, before, action: str, *, reason="", agency_id=None, **after
) -> Statement:
    statement = selectors.find(visible_statements(actor), pk=statement_id)
    with transaction.atomic():
        if not Statement.objects.filter(pk=statement.pk, state=before).update(**after):
            raise errors.InvalidState(
                "NOT_IN_THAT_STATE", _("The statement has changed meanwhile. Look at it again.")
            )
        audit.record(
            actor,
            action,
            statement,
            reason=reason,
            changes={
                "state": after["state"],
                "total_minor": statement.total_minor,
                "currency": statement.currency,
            },
            agency_id=agency_id,
        )
    statement.refresh_from_db()
    return statement


def carried_forward(actor: Actor, until: datetime.datetime) -> list[dict]:
    """`{agency, currency, total, entries}` of what no statement holds yet, per agency."""
    return list(
        unstated(actor, until)
        .order_by()
        .values("agency", "agency__name", "currency")
        .annotate(total=Sum(SIGNED_AMOUNT), entries=Count("pk"))
        .order_by("agency__name", "currency")
    )
