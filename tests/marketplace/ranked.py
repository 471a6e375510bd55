"""A bank that ranks five agencies: set up on 2 March, with loans that paid in the first month."""

import dataclasses
import datetime

from agencies import actors
from agencies.models import AuditEntry, User
from agencies.scope import scope
from marketplace.models import (
    RankingBacktest,
    RankingPolicy,
    RankingRun,
    RankingScore,
    SuccessCell,
    SuccessSheet,
)
from marketplace.services import (
    ranking_backtests,
    ranking_policies,
    ranking_proposals,
    rankings,
)
from portfolios.models import Loan
from tests import world

NOON = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
QUARTER_END = datetime.datetime(2026, 4, 1, 4, tzinfo=datetime.UTC)
"""Midnight in New York."""
NAMES = ("Alder", "Birch", "Cedar", "Damson", "Elm")
LOANS = 40
DAYS = datetime.timedelta(days=1)
LENIENT = {"tie_probability_ppm": 510_000, "ranked_from_ppm": 0, "provisional_from_ppm": 0}
"""Everybody has a place, and hardly anybody shares one."""


@dataclasses.dataclass
class Panel:
    """The bank, its agencies by name, and what its people do about the policy."""

    bank: world.Bank
    houses: dict[str, world.House]

    def propose(self, role: str = "vendor_manager", **changes) -> RankingPolicy:
        with scope(self.bank.actor(role)) as actor:
            return ranking_proposals.propose(actor=actor, reason="Others do", **changes)

    def backtest(self, policy, currency: str = "USD", role: str = "vendor_manager"):
        with scope(self.bank.actor(role)) as actor:
            return ranking_backtests.backtest(actor=actor, policy_id=policy.pk, currency=currency)

    def adopt(self, policy, role: str = "compliance_officer") -> RankingPolicy:
        with scope(self.bank.actor(role)) as actor:
            return ranking_proposals.adopt(actor=actor, policy_id=policy.pk, reason="Agreed")

    def refuse(self, policy, role: str = "compliance_officer") -> RankingPolicy:
        with scope(self.bank.actor(role)) as actor:
            return ranking_proposals.refuse(actor=actor, policy_id=policy.pk, reason="Too strict")

    def compute(self, currency: str = "USD"):
        with scope(self.bank.actor("vendor_manager")) as actor:
            return rankings.compute(actor=actor, currency=currency)

    def counts(self) -> dict[str, int]:
        """How many rows there are of all that a policy may or may not lead to."""
        models = (
            RankingPolicy,
            RankingBacktest,
            RankingRun,
            RankingScore,
            SuccessCell,
            SuccessSheet,
        )
        with scope(self.bank.actor("auditor")):
            return {model.__name__: model.objects.count() for model in models}

    def in_force(self) -> int:
        """The version in force."""
        with scope(self.bank.actor("auditor")) as actor:
            return ranking_policies.current(actor=actor).version

    def entries(self) -> list[tuple]:
        """Action, reason and changes of what the audit trail says of policies."""
        with scope(self.bank.actor("auditor")):
            found = AuditEntry.objects.filter(action__startswith="ranking_policy.").order_by("pk")
            return [(one.action.split(".")[1], one.reason, one.changes) for one in found]

    def places(self, run) -> dict[str, dict]:
        """Agency → its place in a run, as a back-test tells it."""
        with scope(self.bank.actor("auditor")):
            return {
                str(score.agency_id): {
                    "status": score.status,
                    "position": score.position,
                    "is_tied": score.is_tied,
                    "index": round(score.index, ranking_backtests.DIGITS),
                }
                for score in run.scores.all()
            }


def after_days(clock) -> Panel:
    """The five agencies a hundred days after they got their loans."""
    clock.set(NOON)
    made = opened(*NAMES)
    clock.set(NOON + 100 * DAYS)
    return made


def on_its_first_day(clock) -> Panel:
    """A bank that has placed nothing."""
    clock.set(NOON)
    return opened()


def opened(*names: str) -> Panel:
    """Agencies with forty loans of 1,000.00 each; of the first 4, of the next 8, and so on, paid
    about 100.00. Without names there is a bank alone."""
    bank = world.make_bank("Hudson Bank")
    houses = {}
    for number, name in enumerate(names, 1):
        houses[name] = world.make_agency(f"{name} Recoveries")
        world.join_panel(bank, houses[name])
        paying = place(bank, houses[name], *[1000_00] * LOANS)[: 4 * number]
        world.recover_each(bank, houses[name], paying, 100_00 + 7 * number)
    return Panel(bank, houses)


def place(bank, house, *balances_minor, currency="USD") -> list[Loan]:
    portfolio = world.make_portfolio(bank, balances_minor=list(balances_minor), currency=currency)
    world.place(bank, house, portfolio)
    with scope(bank.actor("auditor")):
        return list(Loan.objects.filter(portfolio=portfolio).order_by("reference"))


def colleague(bank: world.Bank, role: str) -> User:
    """Another person of the bank's with this role: `bank.users["second_<role>"]`."""
    made = User(
        email=f"second@{bank.institution.slug}.example",
        name="Second",
        role=role,
        institution=bank.institution,
    )
    with scope(actors.founder_of_institution(bank.institution.pk)):
        made.save()
    bank.users[f"second_{role}"] = made
    return made
