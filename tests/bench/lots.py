"""Comparable lots: how alike they are and how long it takes, beside plain chance and bare blocks.

The table is that of the method's reference: the largest standardised mean difference of any lot
and, in brackets, the spread of the lots' sums of money.
"""

import resource
import time

import numpy as np

from portfolios import lot_balance, lots
from portfolios.lot_covariates import Loans
from tests.portfolios.tapes import tape

SHAPES = (
    (20_000, 5),
    (20_000, 20),
    (100_000, 10),
    (100_000, 20),
    (1_000_000, 20),
    (500_000, 50),
    (5_000_000, 50),
)
ALLOWED_SECONDS = {(1_000_000, 20): 5, (5_000_000, 50): 20}
REPEATS = 3
SEED = 20_261_125


def show() -> None:
    """Print one line a shape: the best time of three, since other work only ever adds to it."""
    print(
        f"{'lots of loans alike':32} {'random':>16} {'blocks':>16} {'exchanges':>16}"
        f" {'time':>7} {'of CPU':>7}"
    )
    for count, lot_count in SHAPES:
        loans = tape(count, SEED)
        shares_ppm = [1_000_000 // lot_count] * lot_count
        chance = np.random.default_rng(SEED).permutation(count) % lot_count
        blocks = lots.draw(loans, shares_ppm, SEED, refine=False)
        taken, worked = [], []
        for _repeat in range(REPEATS):
            started, began = time.perf_counter(), time.process_time()
            drawn = lots.draw(loans, shares_ppm, SEED)
            taken.append(time.perf_counter() - started)
            worked.append(time.process_time() - began)
        columns = " ".join(
            f"{_words(loans, one, lot_count):>16}" for one in (chance, blocks, drawn)
        )
        allowed = ALLOWED_SECONDS.get((count, lot_count))
        target = f" of {allowed} s allowed" if allowed else ""
        print(
            f"{count:>9,} loans into {lot_count:>2} lots      {columns}"
            f" {min(taken):6.2f}s {min(worked):6.2f}s{target}",
            flush=True,
        )
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory with the lots {peak_mb:.0f} MB")


def _words(loans: Loans, part_of: np.ndarray, lot_count: int) -> str:
    found = lot_balance.report(loans, part_of, lot_count, [[lot] for lot in range(lot_count)])
    largest = max(lot.largest_ppm for lot in found) / 1_000_000
    return f"{largest:.4f} ({lot_balance.spread_ppm(found) / 10_000:.1f} %)"


if __name__ == "__main__":
    show()
