"""Drawing a portfolio's loans into lots at random, so that nobody chooses who gets which loan."""

from collections.abc import Sequence

import numpy as np

from config import errors, money

UNPLACED = -1


def draw(
    loan_ids: Sequence[object],
    shares_ppm: Sequence[int],
    seed: int,
    *,
    groups: Sequence[int] | None = None,
) -> list[int]:
    """The lot of each loan, as an index into `shares_ppm`; `UNPLACED` beyond the shares' sum.

    The number of loans per lot follows the shares by largest remainder. Loans with the same
    number in `groups` (one borrower's) stay together; then a lot may hold up to half a group
    more or fewer at either end. The same seed, ids and groups give the same lots in whatever
    order they come: loans are sorted by id, and the shuffle sorts by the raw output of PCG64,
    a stream that NumPy keeps the same from version to version (NEP 19).

    Raises `INVALID_SHARES`, `SHARES_ABOVE_WHOLE` (more than 1,000,000 together); ValueError for
    a negative seed, ids that repeat, or groups of another length.
    """
    rest_ppm = money.PPM - sum(shares_ppm)
    if rest_ppm < 0:
        raise errors.InvalidInput("SHARES_ABOVE_WHOLE", "The shares are more than 100 % together.")
    counts = money.split_by_shares(len(loan_ids), [*shares_ppm, rest_ppm])
    names = [str(loan_id) for loan_id in loan_ids]
    by_id = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.intp)
    if len(set(names)) < len(names):
        raise ValueError("the same loan was given twice")
    units = np.arange(len(names)) if groups is None else _in_order_met(groups, by_id)

    keys = np.random.PCG64(seed).random_raw(int(units.max(initial=-1)) + 1)
    shuffled = np.argsort(keys[units], kind="stable")
    # A unit goes where its middle falls, so no lot's edge is off by more than half a unit.
    _, starts, sizes = np.unique(keys[units][shuffled], return_index=True, return_counts=True)
    middles = np.repeat(starts + sizes / 2, sizes)
    lots = np.searchsorted(np.cumsum(counts), middles, side="right")

    drawn = np.empty(len(names), dtype=np.intp)
    drawn[by_id[shuffled]] = np.where(lots == len(shares_ppm), UNPLACED, lots)
    return drawn.tolist()


def _in_order_met(groups: Sequence[int], by_id: np.ndarray) -> np.ndarray:
    """Groups renumbered 0, 1, … as they are met going through the loans sorted by id."""
    if len(groups) != len(by_id):
        raise ValueError("one group per loan is needed")
    _, firsts, numbers = np.unique(
        np.asarray(groups)[by_id], return_index=True, return_inverse=True
    )
    return np.argsort(np.argsort(firsts))[numbers]
