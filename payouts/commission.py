"""Commission at a flat rate: what a recovery earns, and what a reversal takes back.

Amounts are whole minor units of one currency, rates parts per million frozen at the award.
"""

from collections.abc import Sequence

from config import money


def accrued(base_minor: int, rate_ppm: int) -> int:
    """Commission on a base, rounded once, half away from zero."""
    return money.share(base_minor, rate_ppm)


def adjustment(previous_base_minor: int, new_base_minor: int, rate_ppm: int) -> int:
    """What to add to commission when its base changes: accrued(new) − accrued(previous).

    Differences telescope: however a recovery is reversed piece by piece, the pieces add up to
    exactly what it had accrued. Rating each piece by itself would be off by a rounding each.
    """
    return accrued(new_base_minor, rate_ppm) - accrued(previous_base_minor, rate_ppm)


def eligible(amounts_minor: Sequence[int], room_minor: int) -> list[int]:
    """The part of each recovery, in order, that lies within the balance still owed.

    `room_minor` is the placed balance less what counted before; none is left when it is negative.
    Raises ValueError for a negative amount: a reversal is an `adjustment`, not a recovery.
    """
    left_minor = max(room_minor, 0)
    parts = []
    for amount_minor in amounts_minor:
        if amount_minor < 0:
            raise ValueError("a recovery is not negative")
        part_minor = min(amount_minor, left_minor)
        left_minor -= part_minor
        parts.append(part_minor)
    return parts
