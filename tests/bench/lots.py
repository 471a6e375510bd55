"""Comparable lots: how long a draw takes beside bare blocks, which are drawn without exchanges.

How alike the lots are is printed too, in the terms of the method's reference: the largest
standardised mean difference of any lot and, in brackets, the spread of the lots' sums of money.
"""

import numpy as np

from portfolios import lot_balance, lots
from portfolios.lot_covariates import Loans
from tests.bench.figures import Figure
from tests.portfolios.tapes import tape

SHAPES = ((100_000, 20), (1_000_000, 20), (500_000, 50), (5_000_000, 50))
WITHIN_MS = {(1_000_000, 20): 5_000, (5_000_000, 50): 20_000}
REPEATS = 3
SEED = 20_261_125


def drawing():
    for count, lot_count in SHAPES:
        loans = tape(count, SEED)
        print(_likeness(loans, count, lot_count), flush=True)
        yield _draw(loans, count, lot_count)


def _draw(loans: Loans, count: int, lot_count: int) -> Figure:
    shares_ppm = [1_000_000 // lot_count] * lot_count

    def ours():
        lots.draw(loans, shares_ppm, SEED)

    def raw():
        lots.draw(loans, shares_ppm, SEED, refine=False)

    ours.repeats = REPEATS
    label = f"draw {lot_count} lots alike / blocks without exchanges"
    return Figure(label, count, ours, raw, within_ms=WITHIN_MS.get((count, lot_count)))


def _likeness(loans: Loans, count: int, lot_count: int) -> str:
    shares_ppm = [1_000_000 // lot_count] * lot_count
    chance = np.random.default_rng(SEED).permutation(count) % lot_count
    blocks = lots.draw(loans, shares_ppm, SEED, refine=False)
    drawn = lots.draw(loans, shares_ppm, SEED)
    told = ", ".join(
        f"{name} {_words(loans, part_of, lot_count)}"
        for name, part_of in (("chance", chance), ("blocks", blocks), ("exchanges", drawn))
    )
    return f"  {count:,} loans into {lot_count} lots: {told}"


def _words(loans: Loans, part_of: np.ndarray, lot_count: int) -> str:
    found = lot_balance.report(loans, part_of, lot_count, [[lot] for lot in range(lot_count)])
    largest = max(lot.largest_ppm for lot in found) / 1_000_000
    return f"{largest:.4f} ({lot_balance.spread_ppm(found) / 10_000:.1f} %)"


CASES = (drawing,)
