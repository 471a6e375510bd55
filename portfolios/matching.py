"""Pairing the bank's receipts with what agencies reported."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

MATCHED = "matched"
UNMATCHED = "unmatched"
AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Money:
    """A receipt or a report: `id` is ordered by time and breaks ties between equal days."""

    id: Any
    loan_reference: str
    currency: str
    amount_minor: int
    value_on: date

    @property
    def key(self) -> tuple[str, str, int]:
        return (self.loan_reference, self.currency, self.amount_minor)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`pairs` of ids (receipt, report), and the state of every receipt by its id."""

    pairs: list[tuple]
    states: dict[Any, str]


def pair(receipts: Iterable[Money], reports: Iterable[Money]) -> Outcome:
    """Pair receipts and reports of the same loan, currency and amount.

    As many of the one as of the other pair up in the order of their value dates. Where the
    numbers differ nobody can tell which belong together, and a person decides.
    """
    by_key: dict[tuple, tuple[list[Money], list[Money]]] = defaultdict(lambda: ([], []))
    for receipt in receipts:
        by_key[receipt.key][0].append(receipt)
    for report in reports:
        by_key[report.key][1].append(report)
    pairs: list[tuple] = []
    states: dict[Any, str] = {}
    for came_in, reported in by_key.values():
        if len(came_in) == len(reported):
            state = MATCHED
            pairs += zip(_in_order(came_in), _in_order(reported), strict=True)
        else:
            state = AMBIGUOUS if reported else UNMATCHED
        states.update((receipt.id, state) for receipt in came_in)
    return Outcome(pairs, states)


def _in_order(money: list[Money]) -> list:
    return [one.id for one in sorted(money, key=lambda one: (one.value_on, one.id))]
