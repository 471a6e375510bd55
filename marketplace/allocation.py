"""What shares of a portfolio would come to, before chance decides which loans they are."""

import dataclasses
from collections.abc import Sequence

from config import money


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """What a bidder asks and what it is to get: parts per million, a number of loans."""

    share_ppm: int
    rate_ppm: int
    capacity_loans: int


@dataclasses.dataclass(frozen=True, slots=True)
class Lot:
    """What one share comes to. `problem` is a code of `awards.REFUSALS`, or empty.

    `balance_minor` is what such a share holds on average; which loans it gets is drawn.
    `commission_minor` is the rate on that balance: the most that could ever be paid.
    """

    loans: int
    balance_minor: int
    commission_minor: int
    problem: str


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """The lots of an award in the order of its shares, and what stays unplaced.

    `left_out` are loans that a rule keeps out: rows with `code`, `loan_count`, `balance_minor`.
    """

    lots: list[Lot]
    share_ppm: int
    unplaced_loans: int
    unplaced_minor: int
    left_out: Sequence = ()

    @property
    def is_above_whole(self) -> bool:
        return self.share_ppm > money.PPM


def plan(offers: Sequence[Offer], *, loans: int, balance_minor: int) -> Plan:
    """The lots that these shares of `loans` loans would be, counted as `lots.draw` counts.

    Where the shares are more than the whole each is counted on its own and nothing is left.
    """
    shares_ppm = [offer.share_ppm for offer in offers]
    rest_ppm = money.PPM - sum(shares_ppm)
    if rest_ppm < 0:
        counts = [money.share(loans, share_ppm) for share_ppm in shares_ppm] + [0]
        balances = [money.share(balance_minor, share_ppm) for share_ppm in shares_ppm] + [0]
    else:
        counts = money.split_by_shares(loans, [*shares_ppm, rest_ppm])
        balances = money.split_by_shares(balance_minor, [*shares_ppm, rest_ppm])
    return Plan(
        lots=[
            Lot(
                loans=counts[place],
                balance_minor=balances[place],
                commission_minor=money.share(balances[place], offer.rate_ppm),
                problem=_problem(counts[place], offer.capacity_loans),
            )
            for place, offer in enumerate(offers)
        ],
        share_ppm=sum(shares_ppm),
        unplaced_loans=counts[-1],
        unplaced_minor=balances[-1],
    )


def _problem(loans: int, capacity_loans: int) -> str:
    if not loans:
        return "EMPTY_LOT"
    return "ABOVE_CAPACITY" if loans > capacity_loans else ""
