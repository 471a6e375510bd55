"""The ranking: how near it comes to a truth that is known, and what five million loans cost."""

import concurrent.futures
import dataclasses
import itertools
import resource
import time

import numpy as np

from marketplace.success.book import Book
from marketplace.success.scores import score
from tests.marketplace import simulated, yardsticks

SEEDS = range(1_000, 1_100)
"""Worlds on which nothing was chosen: what in the engine is a choice was looked at on others."""
LOANS, AGENCIES, STRATA, MONTHS, PAYMENTS = 5_000_000, 200, 360, 24, 736_000
METHODS = ("raw rate", "pooled O/E, shrunk", "this engine")


def show(seeds: range = SEEDS) -> None:
    """Print a line a scenario: Spearman, the true best five found, coverage of 95 % intervals."""
    names = "".join(f"{name:>24}" for name in METHODS)
    print(f"{f'agencies ranked, {len(seeds)} worlds each':38}{names}")
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for scenario in simulated.SCENARIOS:
            worlds = list(pool.map(_compared, itertools.repeat(scenario), seeds))
            cells = ""
            for method in METHODS:
                marks = np.array([dataclasses.astuple(world[method]) for world in worlds])
                spearman, top, coverage = marks.mean(axis=0)
                cells += f"{spearman:10.3f} {top:5.2f} {coverage:7.3f}"
            print(f"{scenario.name:38}{cells}", flush=True)


def _compared(scenario: simulated.Scenario, seed: int) -> dict[str, yardsticks.Marks]:
    return yardsticks.compared(simulated.simulate(scenario, seed))


def show_speed() -> None:
    """Score a history of five million loans from memory, and a tenth of it."""
    for loans in (LOANS // 10, LOANS):
        book = _history(loans)
        taken = []
        for _repeat in range(3):
            started = time.perf_counter()
            score(book)
            taken.append(time.perf_counter() - started)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"score {loans:,} loans of {AGENCIES} agencies: {min(taken):.2f} s, {peak_mb:.0f} MB")


def _history(loans: int) -> Book:
    dice = np.random.default_rng(loans)
    payments = PAYMENTS * loans // LOANS
    ends = np.minimum(dice.integers(1, MONTHS * 30, loans) / 30, MONTHS)
    paid_loan = dice.integers(0, loans, payments)
    return Book(
        agency=dice.integers(0, AGENCIES, loans),
        stratum=dice.integers(0, STRATA, loans),
        lot=dice.integers(0, 6, loans),
        balance=np.round(np.exp(dice.normal(7, 1, loans)), 2),
        starts=np.zeros(loans),
        ends=ends,
        paid_loan=paid_loan,
        paid_month=(dice.random(payments) * ends[paid_loan]).astype(np.int64),
        cash=np.round(dice.random(payments) * 500, 2),
        group_of=np.arange(STRATA) // 12,
        agencies=AGENCIES,
    )
