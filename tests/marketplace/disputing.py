"""Two agencies that are ranked, and what one says about a figure."""

import datetime

from agencies.scope import scope
from marketplace.models import RankingDispute, RankingRun, RankingScore
from marketplace.services import rankings
from portfolios.models import Loan, Recovery
from tests import world
from tests.portfolios import over_http

NOON = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
WANTED = """dispute { scoreId rankingId institutionId agencyId subject loanReference
    paymentReference statement state outcome answer correction raisedBy answeredBy }"""
LIST = """{ rankingDisputes(first: 50) { edges { node { statement state outcome answer
    correction } } } }"""


def pair(bank, clock, *, loans: int, paying: int, days: int) -> dict[str, world.House]:
    """Two agencies with so many loans of 1,000.00 each, of which some paid, so many days later."""
    made = {name: world.make_agency(f"{name} Recoveries") for name in ("Elm", "Alder")}
    for house in made.values():
        world.join_panel(bank, house)
        world.place(bank, house, world.make_portfolio(bank, balances_minor=[1000_00] * loans))
        world.recover_each(bank, house, loans_of(bank, house)[:paying], 100_00)
    clock.set(NOON + datetime.timedelta(days=days))
    return made


def loans_of(bank, house):
    with scope(bank.actor("auditor")):
        return list(Loan.objects.filter(agency=house.agency).order_by("reference"))


def compute(bank, **which):
    with scope(bank.actor("vendor_manager")) as actor:
        return rankings.compute(actor=actor, currency="USD", **which)


def score_of(bank, run, house) -> RankingScore:
    with scope(bank.actor("auditor")):
        return run.scores.get(agency=house.agency)


def objection(score, **change):
    return {
        "scoreId": str(score.pk),
        "subject": "PAYMENT",
        "statement": "P-1 was counted twice:\n100.00 came in once, on 2 March.",
        "loanReference": "L-1",
        "paymentReference": "P-1",
        **change,
    }


def object_to(client, **given):
    return over_http.do(client, "rankingDisputeRaise", WANTED, **given)


def answer_to(client, dispute, **change):
    given = {"outcome": "NOT_CORRECTED", "answer": "It came in twice: receipts 12 and 13."}
    return over_http.do(
        client, "rankingDisputeAnswer", WANTED, disputeId=str(dispute.pk), **given | change
    )


def only_dispute(bank) -> RankingDispute:
    with scope(bank.actor("auditor")):
        return RankingDispute.objects.get()


def kept(bank):
    """All that a dispute must leave alone: runs, scores, recoveries."""
    with scope(bank.actor("auditor")):
        return [
            list(model.objects.order_by("pk").values())
            for model in (RankingRun, RankingScore, Recovery)
        ]


def vars_of(dispute) -> dict:
    return {name: value for name, value in vars(dispute).items() if name != "_state"}


def codes(done) -> list[tuple]:
    return [(error["code"], error["field"]) for error in done["errors"]]
