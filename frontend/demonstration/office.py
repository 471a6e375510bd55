"""The bank's own desks: receipts, reversals, complaints, statements and payouts."""

import csv
import datetime
import io
import random

from agencies.models.users import Role
from agencies.scope import scope
from frontend.demonstration.cast import Cast
from frontend.demonstration.market import Lot
from payouts.selectors import visible_excesses, visible_statements
from payouts.services import commissions, payouts, statements
from portfolios import receipt_files
from portfolios.models import Complaint
from portfolios.selectors import visible_confirmations, visible_recoveries
from portfolios.services import complaints, receipts, reversals

SUMMARIES = {
    Complaint.Category.HARASSMENT: "The borrower says that the caller threatened to visit at work.",
    Complaint.Category.FREQUENCY: "The borrower says that the calls came late at night.",
    Complaint.Category.DISCLOSURE: "The borrower says that a neighbour was told of the debt.",
    Complaint.Category.FALSE_STATEMENT: "The borrower says that an arrest was announced.",
    Complaint.Category.NOT_OWED: "The borrower says that the balance is too high.",
}
REVERSED = 0.006
NOT_YET_RECEIVED = 0.03


def confirm(cast: Cast, rng: random.Random, today: datetime.date) -> None:
    """The bank's receipts up to today: nearly all that was reported, and a few that nobody did."""
    with scope(cast.bank(Role.FINANCE_PREPARER)) as actor:
        confirmed = visible_confirmations(actor).values("recovery")
        reported = visible_recoveries(actor).exclude(pk__in=confirmed).select_related("loan")
        reported = reported.order_by("reference")
        rows = [
            (f"BR-{r.reference}", r.loan.reference, r.amount_minor, r.value_on)
            for r in reported
            if rng.random() > NOT_YET_RECEIVED
        ]
        for number in range(2):
            stray = (f"BR-{today:%y%m%d}-{number}", f"HN-{rng.randint(1, 9999):04d}", 150_00, today)
            rows.append(stray)
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(receipt_files.COLUMNS)
        for reference, loan, amount_minor, value_on in rows:
            amount = f"{amount_minor // 100}.{amount_minor % 100:02d}"
            writer.writerow((reference, loan, amount, "USD", value_on.isoformat()))
        receipts.confirm(
            actor=actor, file_name=f"receipts-{today}.csv", content=text.getvalue().encode()
        )


def reverse_some(cast: Cast, rng: random.Random, since: datetime.datetime) -> None:
    """A few confirmed payments bounce, some of them in part."""
    with scope(cast.bank(Role.FINANCE_PREPARER)) as actor:
        fresh = visible_confirmations(actor).filter(confirmed_at__gte=since)
        fresh = fresh.select_related("recovery").order_by("recovery__reference")
        for recovery in [confirmation.recovery for confirmation in fresh]:
            if rng.random() < REVERSED:
                whole = rng.random() < 0.6
                reversals.reverse(
                    actor=actor,
                    recovery_id=recovery.pk,
                    reversal_reference=f"RV-{recovery.reference}",
                    amount_minor=None if whole else max(recovery.amount_minor // 3, 1),
                    reason="Returned unpaid by the borrower's bank.",
                )


def complain(
    cast: Cast, rng: random.Random, lots: list[Lot], today: datetime.date
) -> list[tuple[Lot, Complaint]]:
    """Borrowers complain, more often about careless agencies; answers what is now open."""
    opened = []
    for lot in lots:
        expected = 0.25 + 2.5 * (1 - lot.player.character.care)
        for _each in range(int(expected + rng.random())):
            category = rng.choice(list(SUMMARIES))
            with scope(cast.bank(Role.COMPLIANCE_OFFICER)) as actor:
                made = complaints.open(
                    actor=actor,
                    loan_reference=rng.choice(lot.holdings).reference,
                    category=category.value,
                    severity=_severity(rng, lot),
                    happened_on=today - datetime.timedelta(days=2),
                    summary=SUMMARIES[category],
                    account="They would not stop calling me.",
                )
            opened.append((lot, made))
    return opened


def _severity(rng: random.Random, lot: Lot) -> str:
    """Hardly ever high, unless the agency is careless."""
    high = 0.3 if lot.player.character.care < 0.9 else 0.0
    weights = {Complaint.Severity.LOW: 0.6, Complaint.Severity.MEDIUM: 0.4}
    weights[Complaint.Severity.HIGH] = high
    return rng.choices(list(weights), list(weights.values()))[0].value


def answer(lot: Lot, complaint: Complaint) -> None:
    with scope(lot.player.head) as actor:
        complaints.answer(
            actor=actor,
            complaint_id=complaint.pk,
            answer="We have listened to the recording and spoken with the collector concerned.",
        )


def decide(cast: Cast, rng: random.Random, lot: Lot, complaint: Complaint) -> None:
    """Upheld more often where the agency is careless."""
    upheld = rng.random() < 0.25 + (1 - lot.player.character.care)
    with scope(cast.bank(Role.COMPLIANCE_OFFICER)) as actor:
        complaints.decide(
            actor=actor,
            complaint_id=complaint.pk,
            outcome=(Complaint.Outcome.UPHELD if upheld else Complaint.Outcome.NOT_UPHELD).value,
            is_agency_at_fault=upheld,
            reason="Judged by the recording and the log of contacts.",
        )


def settle_month(cast: Cast, month: datetime.date, *, leave_open: bool = False) -> None:
    """State a month, approve the statements and pay them; the last one is left to the visitor."""
    with scope(cast.bank(Role.FINANCE_PREPARER)) as actor:
        commissions.accrue(actor=actor)
    _decide_excesses(cast, leave_open)
    with scope(cast.bank(Role.FINANCE_PREPARER)) as actor:
        made = statements.prepare(actor=actor, starts_on=month)
        handed_in = made[:-1] if leave_open else made
        for statement in handed_in:
            statements.submit(actor=actor, statement_id=statement.pk)
    with scope(cast.bank(Role.FINANCE_APPROVER)) as actor:
        waiting = visible_statements(actor).filter(state="submitted").order_by("pk")
        for statement in list(waiting)[: 3 if leave_open else None]:
            statements.approve(actor=actor, statement_id=statement.pk)
    while payouts.send_due(cast.institution.pk):
        pass


def _decide_excesses(cast: Cast, leave_open: bool) -> None:
    if leave_open:
        return
    with scope(cast.bank(Role.FINANCE_APPROVER)) as actor:
        for excess in visible_excesses(actor).filter(state="open").order_by("recovery__reference"):
            commissions.decide_excess(
                actor=actor,
                excess_id=excess.pk,
                accept=False,
                reason="Above what was owed; the borrower is being paid back.",
            )
