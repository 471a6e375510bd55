"""The books, checked: every figure of the money computed again from what it was computed from."""

import dataclasses
import itertools
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from operator import attrgetter

from django.db.models import Count
from django.utils.translation import gettext as _

from agencies import actors, policies
from agencies.actors import Actor
from agencies.scope import scope
from payouts import commission, gateway
from payouts.models import CommissionEntry, Payout, PayoutAttempt, Statement, StatementLine
from payouts.selectors import (
    visible_commission_entries,
    visible_excesses,
    visible_payouts,
    visible_statement_lines,
    visible_statements,
)
from payouts.services import payouts, statements

MAY_CHECK = policies.SWEEPS | policies.FINANCE | policies.AUDITORS

Kind = CommissionEntry.Kind
Outcome = PayoutAttempt.State
State = Payout.State


@dataclasses.dataclass(frozen=True)
class Difference:
    """Two figures that should be one: `code` is stable, `subject` a noun and an identifier."""

    code: str
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.code} {self.subject}: {self.message}"


def differences(*, actor: Actor) -> list[Difference]:
    """Everything in one institution's books that does not follow from the rest; empty is good."""
    policies.demand(actor, MAY_CHECK)
    return [*_in_statements(actor), *_in_commission(actor), *_in_payouts(actor)]


def differences_from_stripe(institution_id) -> list[Difference]:
    """What Stripe lists for each payout against what we recorded; asks outside any transaction."""
    actor = actors.sweep(institution_id)
    with scope(actor):
        own = list(visible_payouts(actor).prefetch_related("attempts").order_by("pk"))
    return [difference for payout in own for difference in _from_stripe(payout)]


def _unequal(code: str, subject: str, recorded, computed) -> Iterator[Difference]:
    if recorded != computed:
        words = {"recorded": recorded, "computed": computed}
        yield Difference(code, subject, _("recorded %(recorded)s, computed %(computed)s") % words)


def _signed(fact: CommissionEntry | StatementLine, amount_minor: int) -> int:
    return amount_minor if fact.kind == Kind.ACCRUAL else -amount_minor


# --- statements


def _in_statements(actor: Actor) -> Iterator[Difference]:
    """A statement is its lines, a line is its entry, and an entry is on one statement at most."""
    lines = defaultdict(list)
    for line in visible_statement_lines(actor).select_related("entry").order_by("pk"):
        lines[line.statement_id].append(line)
    for statement in visible_statements(actor).order_by("pk"):
        yield from _in_statement(statement, lines[statement.pk])
    held = visible_statement_lines(actor).order_by().values("entry").annotate(times=Count("pk"))
    for row in held.filter(times__gt=1):
        yield from _unequal("ENTRY_TWICE", f"commission entry {row['entry']}", row["times"], 1)


def _in_statement(statement: Statement, lines: list[StatementLine]) -> Iterator[Difference]:
    subject = f"statement {statement.pk}"
    of_lines = sum(_signed(line, line.amount_minor) for line in lines)
    of_entries = sum(_signed(line.entry, line.entry.amount_minor) for line in lines)
    yield from _unequal("STATEMENT_TOTAL", subject, statement.total_minor, of_lines)
    yield from _unequal("STATEMENT_ENTRIES", subject, statement.total_minor, of_entries)
    yield from _unequal("STATEMENT_LINES", subject, statement.line_count, len(lines))
    content = statements.content_sha256(statement, lines)
    yield from _unequal("STATEMENT_CONTENT", subject, statement.content_sha256, content)
    copied = attrgetter("kind", "base_minor", "rate_ppm", "amount_minor", "agency_id")
    for line in lines:
        yield from _unequal(
            "LINE_OF_ENTRY", f"statement line {line.pk}", copied(line), copied(line.entry)
        )
        whose = (statement.agency_id, statement.currency)
        theirs = (line.entry.agency_id, line.entry.currency)
        yield from _unequal("LINE_OF_ANOTHER", f"statement line {line.pk}", whose, theirs)


# --- commission


def _in_commission(actor: Actor) -> Iterator[Difference]:
    """Every recovery's entries, step by step, and no more counted than was owed or accepted."""
    above = dict(visible_excesses(actor).values_list("recovery", "amount_minor"))
    entries = (
        visible_commission_entries(actor)
        .select_related("recovery", "placement", "spell", "reversal", "excess")
        .order_by("recovery", "accrued_at", "pk")
    )
    counted: Counter = Counter()
    owed: dict[uuid.UUID, int] = {}
    for recovery_id, group in itertools.groupby(entries, key=attrgetter("recovery_id")):
        steps = list(group)
        yield from _in_recovery(steps, above.get(recovery_id, 0))
        for entry in steps:
            counted[entry.spell_id] += _signed(entry, entry.base_minor)
            owed.setdefault(entry.spell_id, entry.spell.balance_minor)
            owed[entry.spell_id] += entry.base_minor if entry.excess_id else 0
    for spell_id, base_minor in counted.items():
        yield from _unequal(
            "COUNTED_ABOVE_BALANCE",
            f"placed loan {spell_id}",
            base_minor,
            min(base_minor, owed[spell_id]),
        )


def _in_recovery(steps: list[CommissionEntry], above_minor: int) -> Iterator[Difference]:
    """One recovery: what it accrued, what each reversal left of it, and what that comes to."""
    recovery = steps[0].recovery
    base_minor, earned_minor, left_minor = 0, 0, recovery.amount_minor
    for entry in steps:
        subject = f"commission entry {entry.pk}"
        after_minor = base_minor + _signed(entry, entry.base_minor)
        if entry.reversal:
            left_minor -= entry.reversal.amount_minor
            yield from _unequal(
                "ENTRY_BASE", subject, after_minor, min(base_minor, max(left_minor, 0))
            )
        elif entry.excess:
            accepted_minor = min(entry.base_minor, entry.excess.amount_minor)
            yield from _unequal("ENTRY_BASE", subject, entry.base_minor, accepted_minor)
        else:
            accrues_minor = recovery.amount_minor - above_minor
            yield from _unequal("ENTRY_BASE", subject, after_minor, accrues_minor)
        yield from _unequal("ENTRY_RATE", subject, entry.rate_ppm, entry.placement.rate_ppm)
        step_minor = commission.adjustment(base_minor, after_minor, entry.rate_ppm)
        recorded_minor = _signed(entry, entry.amount_minor)
        yield from _unequal("ENTRY_AMOUNT", subject, recorded_minor, step_minor)
        base_minor, earned_minor = after_minor, earned_minor + recorded_minor
    if left_minor <= 0:
        yield from _unequal("REVERSED_EARNS", f"recovery {recovery.pk}", earned_minor, 0)
    yield from _unequal(
        "RECOVERY_BASE", f"recovery {recovery.pk}", base_minor, min(base_minor, max(left_minor, 0))
    )


# --- payouts


def _in_payouts(actor: Actor) -> Iterator[Difference]:
    """One payout per approved statement, of its total; paid by exactly one attempt or not paid."""
    unpaid = visible_statements(actor).filter(state=Statement.State.APPROVED, payout=None)
    for statement_id in unpaid.values_list("pk", flat=True):
        yield from _unequal("PAYOUT_MISSING", f"statement {statement_id}", 0, 1)
    own = visible_payouts(actor).select_related("statement").prefetch_related("attempts")
    for payout in own.order_by("pk"):
        yield from _in_payout(payout)


def _in_payout(payout: Payout) -> Iterator[Difference]:
    subject, statement = f"payout {payout.pk}", payout.statement
    yield from _unequal("PAYOUT_AMOUNT", subject, payout.amount_minor, statement.total_minor)
    yield from _unequal("PAYOUT_CURRENCY", subject, payout.currency, statement.currency)
    yield from _unequal(
        "PAYOUT_UNAPPROVED", subject, statement.state, Statement.State.APPROVED.value
    )
    outcomes = Counter(attempt.state for attempt in payout.attempts.all())
    paid, sending = payout.state == State.PAID, payout.state == State.SENDING
    yield from _unequal("PAYOUT_SUCCEEDED", subject, outcomes[Outcome.SUCCEEDED], int(paid))
    still_open = sum(outcomes[state] for state in payouts.OPEN)
    yield from _unequal("PAYOUT_OPEN", subject, still_open, int(sending))
    for attempt in payout.attempts.all():
        frozen = (attempt.amount_minor, attempt.currency)
        owed = (payout.amount_minor, payout.currency)
        yield from _unequal("ATTEMPT_AMOUNT", f"attempt {attempt.pk}", frozen, owed)


# --- Stripe


def _from_stripe(payout: Payout) -> Iterable[Difference]:
    subject = f"payout {payout.pk}"
    try:
        found = gateway.find_transfers(transfer_group=payouts.transfer_group(payout.pk))
    except gateway.GatewayError as error:
        reason = _("Stripe gave no list: %(error)s") % {"error": type(error).__name__}
        return [Difference("STRIPE_SILENT", subject, reason)]
    # The answer to a payout that is being sent may be on its way to us.
    if payout.state == State.SENDING:
        return _unequal("STRIPE_TRANSFERS", subject, min(len(found), 1), len(found))
    if payout.state != State.PAID:
        return _unequal("STRIPE_TRANSFERS", subject, 0, len(found))
    return _from_transfers(payout, found)


def _from_transfers(payout: Payout, found: list[gateway.Transfer]) -> Iterator[Difference]:
    subject = f"payout {payout.pk}"
    yield from _unequal("STRIPE_TRANSFERS", subject, 1, len(found))
    succeeded = (one for one in payout.attempts.all() if one.state == Outcome.SUCCEEDED)
    destination = next((one.destination for one in succeeded), "")
    recorded = (
        payout.remote_id,
        payout.amount_minor,
        payout.currency,
        destination,
        payout.reversed_minor,
    )
    listed = attrgetter(
        "remote_id", "amount_minor", "currency", "destination", "amount_reversed_minor"
    )
    for transfer in found:
        yield from _unequal("STRIPE_TRANSFER", subject, recorded, listed(transfer))
