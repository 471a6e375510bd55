"""Loans to draw, made up: correlated as a bank's are, some of them with unknown scores."""

import numpy as np

from portfolios.lot_covariates import Levels, Loans

PRODUCTS = ("auto", "card", "mortgage", "personal", "student")
PRODUCT_SHARES = (0.1, 0.25, 0.05, 0.4, 0.2)


def tape(count: int, seed: int = 1, *, regions: int = 6, borrowers=None) -> Loans:
    """`count` loans; `borrowers` is a number per loan, each loan its own by default."""
    dice = np.random.default_rng(seed)
    quality = dice.normal(size=count)
    score = np.round(600 + 60 * quality + 40 * dice.normal(size=count))
    expected = np.round(80_000 + 40_000 * quality + 20_000 * dice.normal(size=count))
    is_unknown = dice.random(count) < 0.05
    return Loans(
        ids=dice.integers(0, 2**63, (count, 2), dtype=np.uint64),
        borrowers=np.arange(count) if borrowers is None else np.asarray(borrowers),
        balance_minor=np.exp(dice.normal(13, 1.1, count) + 0.3 * quality).astype(np.int64) + 1,
        days_past_due=dice.integers(90, 2_000, count),
        score=np.where(is_unknown, np.nan, score),
        expected_recovery_ppm=np.where(is_unknown, np.nan, np.clip(expected, 0, 1_000_000)),
        earlier_placements=np.minimum(dice.geometric(0.5, count) - 1, 3),
        products=Levels(PRODUCTS, dice.choice(5, count, p=PRODUCT_SHARES).astype(np.int32)),
        regions=Levels(
            tuple(f"R{number:02}" for number in range(regions)),
            dice.integers(0, regions, count).astype(np.int32),
        ),
    )


def alike(count: int) -> Loans:
    """Loans that differ in nothing but their ids, which count from 0."""
    same = np.zeros(count, np.int64)
    return Loans(
        ids=np.stack((same, np.arange(count)), axis=1).astype(np.uint64),
        borrowers=np.arange(count),
        balance_minor=same + 1_000_00,
        days_past_due=same + 300,
        score=np.full(count, np.nan),
        expected_recovery_ppm=np.full(count, np.nan),
        earlier_placements=same,
        products=Levels(("card",), same),
        regions=Levels(("NY",), same),
    )
