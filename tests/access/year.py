"""What happens between a bank and its agency in two months: a row of everything."""

import datetime

from agencies import actors
from agencies.scope import scope
from config import clock
from marketplace.services import (
    ranking_backtests,
    ranking_disputes,
    ranking_proposals,
    rankings,
)
from payouts.models import Excess, Payout, PayoutAccount, Statement
from payouts.services import accounts, commissions, payouts, statements
from portfolios.models import Complaint, ComplaintIntake, Hold, Objection, ReceiptLine, Recovery
from portfolios.services import (
    certificates,
    complaints,
    contacts,
    exports,
    holds,
    intakes,
    late_receipts,
    objections,
    placements,
    promises,
    recalls,
    receipts,
    recoveries,
    reversals,
)
from tests import world
from tests.access.estate import Estate

WORKED_AT = datetime.datetime(2026, 3, 20, 15, tzinfo=datetime.UTC)
APRIL = datetime.datetime(2026, 4, 2, 12, tzinfo=datetime.UTC)
MAY = datetime.datetime(2026, 5, 4, 12, tzinfo=datetime.UTC)
PAID_ON = datetime.date(2026, 3, 10)
RECEIPTS_HEADER = "receipt_reference,loan_reference,amount,currency,value_date"


def log_work(house: world.House, loan: str, mark: str) -> None:
    """A contact, a promise and a payment of 400.00 on a loan by the agency's collector."""
    with scope(house.actor("collector")) as actor:
        contacts.log(
            actor=actor,
            reference=loan,
            measure="negotiation",
            channel="phone",
            direction="outbound",
            outcome="conversation",
            happened_at=clock.now(),
            note=mark,
        )
        promises.log(
            actor=actor,
            reference=loan,
            amount_minor=100_00,
            due_on=datetime.date(2026, 4, 1),
        )
    pay(house, loan, f"{mark}-paid", 400_00)


def pay(house: world.House, loan: str, reference: str, amount_minor: int) -> None:
    """A recovery that the agency reports."""
    row = {
        "loan_reference": loan,
        "reference": reference,
        "amount_minor": amount_minor,
        "value_on": PAID_ON,
        "channel": "bank_transfer",
    }
    with scope(house.actor("collector")) as actor:
        (answer,) = recoveries.log(actor=actor, idempotency_key=reference, rows=[row])
    assert answer.id, answer


def work(estate: Estate) -> None:
    """What an agency does with its loans in March, and what the bank receives."""
    live, lasting = estate.references["loan"], estate.references["lasting"]
    log_work(estate.house, live, f"{estate.mark('live')}-a")
    log_work(estate.house, estate.references["gone"], f"{estate.mark('gone')}-a")
    pay(estate.house, lasting, f"{estate.mark('lasting')}-b", 300_00)
    pay(estate.house, f"{estate.mark('live')}-2", f"{estate.mark('lasting')}-c", 1_200_00)
    estate.references["recovery"] = f"{estate.mark('live')}-a-paid"
    with scope(estate.bank.actor("finance_preparer")) as actor:
        accounts.request(actor=actor, membership_id=estate.membership.pk)
        receipt(
            estate,
            actor,
            (lasting, "300.00"),
            (f"{estate.mark('live')}-2", "1200.00"),
            (live, "9.99"),
        )
    with scope(estate.house.actor("collector")) as actor:
        reversals.reverse(
            actor=actor,
            reference=f"{estate.mark('lasting')}-b",
            reversal_reference=f"{estate.mark('lasting')}-v",
            amount_minor=50_00,
            reason="The cheque came back",
        )


def receipt(estate: Estate, actor, *received: tuple[str, str]) -> None:
    """A file of the bank's receipts: (loan, amount) of each."""
    mark = estate.mark("private")
    rows = [f"{mark}-{loan}-{amount},{loan},{amount},USD,{PAID_ON}" for loan, amount in received]
    content = "\n".join([RECEIPTS_HEADER, *rows]).encode()
    read = receipts.confirm(actor=actor, file_name=f"{mark}.csv", content=content)
    estate.keep("receipt_file", read.receipt_file)
    unmatched = ReceiptLine.State.UNMATCHED
    estate.keep("receipt_line", *ReceiptLine.objects.filter(state=unmatched))


def complain(estate: Estate) -> None:
    """A complaint about a loan that is about to be recalled, another's words, and two holds."""
    for loan in (estate.references["lasting"], f"{estate.mark('private')}-x"):
        with scope(actors.public_for(estate.bank.institution.pk)) as visitor:
            intakes.receive(
                actor=visitor,
                loan_reference=loan,
                category="harassment",
                happened_on=PAID_ON,
                account=estate.mark("private"),
                time_zone=estate.bank.institution.time_zone,
            )
    with scope(estate.bank.actor("compliance_officer")) as actor:
        first, second = ComplaintIntake.objects.order_by("pk")
        made = complaints.open(
            actor=actor,
            loan_reference=estate.references["lasting"],
            category="harassment",
            severity="high",
            happened_on=PAID_ON,
            summary=f"{estate.mark('lasting')} what happened?",
            intake_id=first.pk,
        )
        estate.keep("complaint", made)
        estate.keep("intake", second, first)
        held = holds.open_hold(
            actor=actor,
            loan_id=estate.ids["loan"][0],
            kind="dispute",
            reason=f"{estate.mark('live')} disputed",
        )
        estate.keep("hold", held, Hold.objects.get(complaint=made))
    with scope(estate.house.actor()) as actor:
        complaints.answer(
            actor=actor, complaint_id=made.pk, answer=f"{estate.mark('lasting')} we regret it"
        )
    with scope(estate.bank.actor("auditor")):
        assert Complaint.objects.get().agency_id == estate.house.agency.pk


def export(estate: Estate) -> None:
    """The agency takes the loans of both placements out of the portal."""
    for placement_id in estate.ids["placement"]:
        with scope(estate.house.actor()) as actor:
            made = exports.ask(actor=actor, placement_id=placement_id)
        assert list(exports.rows(actor=actor, export=made))
        estate.keep("export", made)


def announce(estate: Estate) -> None:
    """A recall of two of the agency's loans, one of which it wants to keep."""
    loan = f"{estate.mark('live')}-3"
    with scope(estate.bank.actor("vendor_manager")) as actor:
        given = {
            "actor": actor,
            "placement_id": estate.ids["placement"][0],
            "references": [loan, estate.references["loan"]],
        }
        digest = recalls.preview(**given).digest
        estate.keep("recall", recalls.announce(**given, reason=estate.mark("live"), digest=digest))
    with scope(estate.house.actor()) as actor:
        objections.submit(
            actor=actor,
            recall_id=estate.ids["recall"][0],
            kind="visit_booked",
            note=estate.mark("live"),
            references=[loan],
        )
        estate.keep("objection", *Objection.objects.order_by("-made_at"))


def recall(estate: Estate) -> None:
    """The second placement comes back to the bank; the agency reports a payment too late."""
    export(estate)
    with scope(estate.bank.actor("vendor_manager")) as actor:
        placements.recall(
            actor=actor, placement_id=estate.ids["placement"][1], reason=estate.mark("gone")
        )
    with scope(estate.house.actor()) as actor:
        made = late_receipts.submit(
            actor=actor,
            institution_id=estate.bank.institution.pk,
            loan_reference=estate.references["lasting"],
            reference=f"{estate.mark('lasting')}-late",
            amount_minor=10_00,
            currency="USD",
            value_on=PAID_ON,
            note=estate.mark("lasting"),
        )
        estate.keep("late_receipt", made)
        given = certificates.attest(
            actor=actor,
            placement_id=estate.ids["placement"][1],
            statement=f"{estate.mark('lasting')} was deleted",
        )
        estate.keep("certificate", given)
        estate.keep("ended", given.placement_id)


def settle(estate: Estate) -> None:
    """March accrues and is stated, approved and paid, as far as Stripe lets it; run in April."""
    accounts.open_requested(estate.bank.institution.pk)
    preparer, approver = (estate.bank.actor(f"finance_{who}") for who in ("preparer", "approver"))
    with scope(preparer) as actor:
        (march,) = statements.prepare(actor=actor, starts_on=datetime.date(2026, 3, 1))
        statements.submit(actor=actor, statement_id=march.pk)
    with scope(approver) as actor:
        statements.approve(actor=actor, statement_id=march.pk)
        estate.keep("payout", Payout.objects.get())
        estate.keep("excess", Excess.objects.get())
        estate.keep("payout_account", PayoutAccount.objects.get())
    payouts.send_due(estate.bank.institution.pk)
    pay(estate.house, f"{estate.mark('live')}-3", f"{estate.mark('live')}-d", 100_00)
    with scope(preparer) as actor:
        receipt(estate, actor, (f"{estate.mark('live')}-3", "100.00"))


def accrue(estate: Estate) -> None:
    """What the sweep of commission does."""
    with scope(estate.bank.sweep) as actor:
        commissions.accrue(actor=actor)


def dispute(estate: Estate) -> None:
    """The agency objects to two figures behind its score; the bank has answered the second."""
    given = {
        "score_id": estate.ids["score"][0],
        "subject": "payment",
        "loan_reference": estate.references["lasting"],
        "payment_reference": f"{estate.mark('lasting')}-b",
    }
    with scope(estate.house.actor()) as actor:
        made = [
            ranking_disputes.raise_one(
                actor=actor, statement=f"{estate.mark('lasting')} was counted {how}", **given
            )
            for how in ("too late", "twice")
        ]
    estate.keep("ranking_dispute", *made)
    with scope(estate.bank.actor("vendor_manager")) as actor:
        ranking_disputes.answer(
            actor=actor,
            dispute_id=made[1].pk,
            outcome="corrected",
            answer=f"{estate.mark('lasting')} is right",
            correction=f"Reversal {estate.mark('lasting')}-v",
        )


def conclude(estate: Estate) -> None:
    """The draft of April, a ranking, what the agency says to it, and a proposal for its policy; run
    in May."""
    with scope(estate.bank.actor("finance_preparer")) as actor:
        statements.prepare(actor=actor, starts_on=datetime.date(2026, 4, 1))
        draft = Statement.objects.get(state=Statement.State.DRAFT)
        estate.keep("statement", draft, *Statement.objects.exclude(pk=draft.pk))
    with scope(estate.bank.actor("vendor_manager")) as actor:
        run = rankings.compute(actor=actor, currency="USD")
        estate.keep("score", run.scores.get(agency=estate.house.agency))
        proposal = ranking_proposals.propose(
            actor=actor, window_months=6, reason=estate.mark("private")
        )
        ranking_backtests.backtest(actor=actor, policy_id=proposal.pk, currency="USD")
        estate.keep("policy", proposal)
    dispute(estate)
    with scope(estate.house.actor()):
        estate.keep("recovery", Recovery.objects.get(reference=estate.references["recovery"]))
