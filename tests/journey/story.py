"""Who takes part in the journey, what they hold, and what was paid: the test's own books."""

import dataclasses
import datetime
import re
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from django.core import mail

from tests.journey.api import Api
from tests.journey.browser import Browser
from tests.lending import Loan, LoanFile, half_away

PASSWORD = "seven bridges over a quiet river"
PPM = 1_000_000
SWEPT_SECONDS = 45


def usd(amount_minor: int) -> str:
    """An amount as the pages show it."""
    return f"${amount_minor // 100:,}.{amount_minor % 100:02}"


def major(amount_minor: int) -> str:
    """An amount as files have it and people type it."""
    return f"{amount_minor // 100}.{amount_minor % 100:02}"


def until(look: Callable[[], Any], what: str) -> Any:
    """What `look` answers as soon as it is something: a sweep brings it about."""
    deadline = time.monotonic() + SWEPT_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: no sweep did it in {SWEPT_SECONDS} seconds"
        time.sleep(0.2)
    return found


@dataclasses.dataclass
class Payment:
    """Money that an agency reported, and what became of it."""

    loan: Loan
    reference: str
    amount_minor: int
    value_on: datetime.date
    is_confirmed: bool = True
    reversals: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def left_minor(self) -> int:
        """What was reported and not taken back."""
        return self.amount_minor - sum(self.reversals.values())

    @property
    def net_minor(self) -> int:
        """What counts as recovered."""
        return self.left_minor if self.is_confirmed else 0

    def lines(self, rate_ppm: int) -> list[tuple[str, str, int, int]]:
        """(kind, reference, base, commission) of each step of its commission.

        Of what came in for the balance: each step is the difference of two amounts that were
        rounded once, half away from zero.
        """
        if not self.is_confirmed:
            return []
        base_minor = min(self.amount_minor, self.loan.balance_minor)
        steps = [("ACCRUAL", self.reference, base_minor, _commission(base_minor, rate_ppm))]
        for reference, back_minor in self.reversals.items():
            after_minor = base_minor - back_minor
            less_minor = _commission(base_minor, rate_ppm) - _commission(after_minor, rate_ppm)
            steps.append(("CLAWBACK", reference, back_minor, less_minor))
            base_minor = after_minor
        return steps


def _commission(base_minor: int, rate_ppm: int) -> int:
    return half_away(Fraction(base_minor * rate_ppm, PPM))


@dataclasses.dataclass
class House:
    """An agency: its administrator's browser, its system, and what it was awarded."""

    name: str
    email: str
    browser: Browser
    membership: str = ""
    api: Api | None = None
    rate_ppm: int = 0
    placement: str = ""
    loans: dict[str, Loan] = dataclasses.field(default_factory=dict)
    payments: dict[str, Payment] = dataclasses.field(default_factory=dict)
    first_batch: list[str] = dataclasses.field(default_factory=list)
    paid_minor: int = 0

    @property
    def balance_minor(self) -> int:
        return sum(loan.balance_minor for loan in self.loans.values())

    @property
    def net_minor(self) -> int:
        return sum(payment.net_minor for payment in self.payments.values())

    @property
    def reported_minor(self) -> int:
        return sum(payment.left_minor for payment in self.payments.values())

    @property
    def lines(self) -> list[tuple[str, str, int, int]]:
        """Every step of commission, in no order."""
        return [line for one in self.payments.values() for line in one.lines(self.rate_ppm)]

    @property
    def commission_minor(self) -> int:
        """What it has earned until now, and owes nothing of."""
        signs = {"ACCRUAL": 1, "CLAWBACK": -1}
        return sum(signs[kind] * amount for kind, _reference, _base, amount in self.lines)


@dataclasses.dataclass
class Journey:
    """The portal, the clock, and everybody in it."""

    url: str
    clock: Any
    file: LoanFile
    bank: dict[str, Browser] = dataclasses.field(default_factory=dict)
    houses: dict[str, House] = dataclasses.field(default_factory=dict)
    portfolio: str = ""
    listing: str = ""

    def at(self, text: str) -> datetime.datetime:
        """Let it be this moment, written in ISO 8601 with its offset."""
        return self.clock.set(datetime.datetime.fromisoformat(text))

    def stranger(self) -> Browser:
        """A browser in which nobody has logged in."""
        return Browser(self.url)

    def mailed_link(self, email: str) -> str:
        """The link in the last message to an address."""
        message = [message for message in mail.outbox if message.to == [email]][-1]
        return re.search(r"https?://\S+", message.body)[0]

    def join(self, email: str, link: str = "") -> Browser:
        """Accept an invitation by the link in the mail, choose a password, and log in."""
        link = link or self.mailed_link(email)
        browser = self.stranger()
        page = browser.fill_in(link, {"password": PASSWORD, "again": PASSWORD})
        page.says("Your password is set.")
        browser.open(link, status=404)
        return browser.log_in(email, PASSWORD)
