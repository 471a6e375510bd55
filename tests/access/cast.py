"""Everybody who may try: two banks and three agencies in one market, and somebody unknown."""

import dataclasses
import uuid

from django.test import Client

from agencies.scope import scope
from agencies.services import panel
from payouts.simulator import server
from portfolios.models import Loan, Recovery
from tests import world
from tests.access import estate, year
from tests.access.estate import Estate
from tests.portfolios import over_http

INSTITUTION_ROLES = (
    "administrator",
    "vendor_manager",
    "compliance_officer",
    "finance_preparer",
    "finance_approver",
    "auditor",
)
AGENCY_ROLES = ("agency_administrator", "collector")
STRANGERS = ("rival", "other bank")
ABSENT = uuid.UUID("019d0000-0000-7000-8000-00000000abcd")
"""The form of our identifiers, and nobody's."""


@dataclasses.dataclass(frozen=True)
class Attacker:
    """Somebody with a browser or a token; `side` is where they belong, as in `READERS`."""

    side: str
    role: str
    client: Client = dataclasses.field(compare=False)

    def __str__(self) -> str:
        return f"{self.role} of {self.side}"


@dataclasses.dataclass
class Market:
    """`ours` is the estate that is attacked, `theirs` that of the other bank and the rival agency.

    The rival is on our bank's panel and bids there too. A third agency was suspended there; `lost`
    are the rows of its own past.
    """

    ours: Estate
    theirs: Estate
    lost: dict[str, list[uuid.UUID]]
    attackers: list[Attacker]
    readers: dict[str, frozenset[str]]

    def leaks(self, attacker: Attacker, text: str) -> list[str]:
        """The marks in `text` that the attacker must not read."""
        return self.leaks_to(attacker.side, text)

    def leaks_to(self, side: str, text: str) -> list[str]:
        """The marks in `text` that nobody of this side may read."""
        return [
            mark
            for mark, sides in self.readers.items()
            if side not in sides and mark.lower() in text.lower()
        ]

    def of(self, side: str, role: str) -> Attacker:
        (found,) = [one for one in self.attackers if (one.side, one.role) == (side, role)]
        return found

    @property
    def everyone_once(self) -> list[Attacker]:
        """One of each role, the rival agency, and somebody unknown."""
        return [one for one in self.attackers if one.side not in ("other bank", "suspended")]

    @property
    def people(self) -> dict[str, uuid.UUID]:
        """Somebody of our bank, and of the agency."""
        return dict(zip(("bank", "house"), self.ours.ids["user"], strict=True))

    def own(self, attacker: Attacker) -> dict[str, list[uuid.UUID]]:
        """Rows by kind of the attacker's own side, ours for somebody unknown."""
        if attacker.side == "suspended":
            return self.lost
        return self.theirs.ids if attacker.side in STRANGERS else self.ours.ids


def readers(ours: Estate, theirs: Estate) -> dict[str, frozenset[str]]:
    """Which sides may read a mark; everybody else must never see it."""
    by_mark = {}
    for one, bank, house, panel_sides in (
        (ours, "bank", "house", {"house", "rival", "suspended"}),
        (theirs, "other bank", "rival", {"rival"}),
    ):
        for kind, sides in {
            "market": {bank} | panel_sides,
            "private": {bank},
            "live": {bank, house},
            "gone": {bank},
            "lasting": {bank, house},
            "offer": {bank, house},
            "sealed": {house},
            "inside": {house},
            "title": {bank, house} | ({"bank"} if one is theirs else set()),
        }.items():
            by_mark[one.mark(kind)] = frozenset(sides)
    by_mark[ours.mark("suspended")] = frozenset({"bank"})
    by_mark[theirs.mark("counter")] = frozenset({"rival"})
    return by_mark


def build(clock, settings) -> Market:
    """The whole market, committed; it is the fourth of May 2026 afterwards."""
    clock.set(estate.FOUNDED_AT)
    ours, theirs = estate.found("Zephyr"), estate.found("Quokka")
    suspended = world.make_agency("Third House")
    estate.join(ours, theirs.house)
    third = estate.join(ours, suspended)
    trades = [(one, estate.trade(one)) for one in (ours, theirs)]
    estate.bid(theirs.house, trades[0][1]["still"], theirs.mark("counter"))
    clock.set(estate.AWARDED_AT)
    for one, listings in trades:
        estate.place(one, listings["sold"])
    lost = f"{ours.mark('suspended')}-1"
    placement = world.place(ours.bank, suspended, estate.portfolio(ours, "suspended", lost))
    clock.set(year.WORKED_AT)
    for one in (ours, theirs):
        year.work(one)
        year.complain(one)
        year.announce(one)
        year.recall(one)
        year.accrue(one)
    year.log_work(suspended, lost, f"{ours.mark('suspended')}-a")
    with scope(suspended.actor()):
        past = {
            "membership": [third.pk],
            "placement": [placement.pk],
            "loan": [Loan.objects.get().pk],
            "recovery": [Recovery.objects.get().pk],
        }
    with scope(ours.bank.actor("compliance_officer")) as actor:
        panel.suspend(actor=actor, membership_id=third.pk, reason="It called at night")
    clock.set(year.APRIL)
    _pay((ours, theirs), settings)
    clock.set(year.MAY)
    for one in (ours, theirs):
        year.conclude(one)
    attackers = _attackers(ours, theirs, suspended)
    return Market(ours, theirs, past, attackers, readers(ours, theirs))


def _pay(estates, settings) -> None:
    with server.running(":memory:", balances={"usd": 10_000_00}) as running:
        settings.STRIPE_API_KEY = "sk_test_simulator"
        settings.STRIPE_API_BASE = running.url
        for one in estates:
            year.settle(one)
            year.accrue(one)


def _attackers(ours: Estate, theirs: Estate, suspended: world.House) -> list[Attacker]:
    made = [Attacker("nowhere", "public", Client())]
    for side, bank in (("bank", ours.bank), ("other bank", theirs.bank)):
        made += [Attacker(side, role, over_http.person(bank, role)) for role in INSTITUTION_ROLES]
    houses = {"house": ours.house, "rival": theirs.house, "suspended": suspended}
    for side, house in houses.items():
        made += [Attacker(side, role, over_http.person(house, role)) for role in AGENCY_ROLES]
        made.append(Attacker(side, "machine_client", over_http.machine(house)))
    return made
