"""What shares of a portfolio would come to, and the draw of loans into them."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from config import money
from portfolios import lot_balance, lots
from portfolios.lot_balance import LotBalance
from portfolios.lot_covariates import Loans

LEFT_OVER = lots.UNPLACED


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
    """The lots of an award in the order of its shares, what is held out and what stays unplaced.

    `left_out` are loans that a rule keeps out: rows with `code`, `loan_count`, `balance_minor`.
    """

    lots: list[Lot]
    share_ppm: int
    held_out_loans: int
    held_out_minor: int
    unplaced_loans: int
    unplaced_minor: int
    left_out: Sequence = ()

    @property
    def is_above_whole(self) -> bool:
        return self.share_ppm > money.PPM


@dataclasses.dataclass(frozen=True, slots=True)
class Split:
    """How loans are drawn: the winners' shares, in parts per million of the portfolio.

    Of each share the same part, together `comparison_ppm`, is a lot of its own to compare the
    winners by. `hold_out_ppm` is drawn like the others and placed with nobody.
    """

    shares_ppm: tuple[int, ...]
    comparison_ppm: int = 0
    hold_out_ppm: int = 0

    @property
    def comparisons_ppm(self) -> list[int]:
        return money.split_by_shares(self.comparison_ppm, [1] * len(self.shares_ppm))

    @property
    def parts_ppm(self) -> list[int]:
        """What is drawn: the shares without their comparison lots, those lots, the hold-out."""
        own = [
            share_ppm - comparison_ppm
            for share_ppm, comparison_ppm in zip(self.shares_ppm, self.comparisons_ppm, strict=True)
        ]
        return [*own, *self.comparisons_ppm, self.hold_out_ppm]

    @property
    def is_possible(self) -> bool:
        """Whether anything can be drawn: no share smaller than the comparison lot in it."""
        return min(self.parts_ppm) >= 0 and sum(self.shares_ppm) > 0

    @property
    def hold_out(self) -> int:
        """The number of the hold-out among the parts."""
        return 2 * len(self.shares_ppm)

    def parts_of(self, winner: int) -> tuple[int, int]:
        """The numbers of a winner's parts: its share, and its comparison lot."""
        return winner, len(self.shares_ppm) + winner


@dataclasses.dataclass(frozen=True, slots=True)
class Drawn:
    """A draw: a part per loan (`LEFT_OVER` for none) and how alike the lots are.

    `lots` are the winners' whole lots, `comparisons` their comparison lots where there are any.
    """

    part_of: np.ndarray
    lots: list[LotBalance]
    comparisons: list[LotBalance]
    hold_out: LotBalance | None

    @property
    def judged(self) -> list[LotBalance]:
        return [*self.lots, *self.comparisons, *([self.hold_out] if self.hold_out else [])]

    @property
    def largest_ppm(self) -> int:
        return max(lot.largest_ppm for lot in self.judged)

    @property
    def spread_ppm(self) -> int:
        return lot_balance.spread_ppm(self.judged)

    @property
    def is_refused(self) -> bool:
        return any(lot.is_refused for lot in self.judged)

    @property
    def needs_acceptance(self) -> bool:
        return any(lot.needs_acceptance for lot in self.judged)


def draw(loans: Loans, split: Split, seed: str) -> Drawn:
    """Draw loans into the parts of a split; `seed` is hexadecimal. The same gives the same."""
    part_of = lots.draw(loans, split.parts_ppm, int(seed, 16))
    winners = range(len(split.shares_ppm))
    groups: list[tuple[int, ...]] = [split.parts_of(winner) for winner in winners]
    groups += [(len(winners) + winner,) for winner in winners] if split.comparison_ppm else []
    groups += [(split.hold_out,)] if split.hold_out_ppm else []
    found = lot_balance.report(loans, part_of, len(split.parts_ppm), groups)
    return Drawn(
        part_of=part_of,
        lots=found[: len(winners)],
        comparisons=found[len(winners) : 2 * len(winners)] if split.comparison_ppm else [],
        hold_out=found[-1] if split.hold_out_ppm else None,
    )


def plan(offers: Sequence[Offer], *, loans: int, balance_minor: int, hold_out_ppm: int = 0) -> Plan:
    """The lots that these shares of `loans` loans would be, counted as `lots.draw` counts.

    Where the shares and the hold-out are more than the whole each is counted on its own and
    nothing is left.
    """
    shares_ppm = [*(offer.share_ppm for offer in offers), hold_out_ppm]
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
                problem=_problem(counts[place], offer.capacity_loans, loans),
            )
            for place, offer in enumerate(offers)
        ],
        share_ppm=sum(shares_ppm),
        held_out_loans=counts[-2],
        held_out_minor=balances[-2],
        unplaced_loans=counts[-1],
        unplaced_minor=balances[-1],
    )


def compared(plan: Plan, split: Split) -> Plan:
    """The plan with the shares marked that are smaller than the comparison lot in them."""
    parts = zip(plan.lots, split.shares_ppm, split.comparisons_ppm, strict=True)
    lots = [
        dataclasses.replace(lot, problem="BELOW_COMPARISON") if share_ppm < needed_ppm else lot
        for lot, share_ppm, needed_ppm in parts
    ]
    return dataclasses.replace(plan, lots=lots)


def _problem(lot_loans: int, capacity_loans: int, loans: int) -> str:
    if not loans:
        return "NO_LOAN_LEFT"
    if not lot_loans:
        return "EMPTY_LOT"
    return "ABOVE_CAPACITY" if lot_loans > capacity_loans else ""
