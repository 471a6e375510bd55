"""Agencies whose skill is known, on loans that chance and the bank gave them.

The scenarios are those of the method's reference; the parameters are ours and written here. Forty
agencies work loans of 108 strata (3 products × 6 ages × 3 balances × 2 earlier placements) in six
lots each, placed 1 to 18 months ago; one in five is recalled for a neutral reason at a random
moment. In each month a loan pays with the chance of its stratum × the shape over months × the
agency's skill (sd .20) × its lot (sd .10) × the loan (sd .50). A payment is a part of the balance
(sd .60) × the agency's size of payments (sd .08); one in twenty is nine tenths of it, and 1.5 % are
reversed.
"""

import dataclasses

import numpy as np

from marketplace.success.book import Book, Policy

PRODUCTS, AGES, BANDS, PRIORS = 3, 6, 3, 2
STRATA = PRODUCTS * AGES * BANDS * PRIORS
MONTHS = 18
LOTS = 6
POLICY = Policy(least_payment=1, least_share_ppm=0, cap_quantile=1)
"""All cash counts, as in the reference's simulation: the truth has no cap either."""


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What differs: `mix` is how the strata follow what the bank thinks of an agency, which is
    right with a correlation of .5 (above 0: those it thinks better got easier loans),
    `interaction` the sd of an agency's skill by product and age, `by_balance` by balance,
    `unrecorded` the sd of a debtor quality that nobody recorded and that follows skill;
    `random_part` of each agency's loans is dealt by chance, of every stratum and quality alike."""

    name: str
    mix: float = 0.0
    loans: int = 2_000
    interaction: float = 0.0
    by_balance: float = 0.0
    unrecorded: float = 0.0
    specialists: bool = False
    random_part: float = 0.0
    agencies: int = 40


SCENARIOS = (
    Scenario("S0 mix unrelated to skill"),
    Scenario("S1 better agencies got easier loans", mix=0.6),
    Scenario("S2 better agencies got harder loans", mix=-0.6),
    Scenario("S3 as S2, 500 loans each", mix=-0.6, loans=500),
    Scenario("S4 as S2, skill differs by segment", mix=-0.6, interaction=0.15),
    Scenario("S5 as S1, unrecorded quality", mix=0.6, unrecorded=0.15),
    Scenario("S6 as S5, 15 % random lots", mix=0.6, unrecorded=0.15, random_part=0.15),
    Scenario("S7 half are of one product", specialists=True),
    Scenario("S8 as S2, 15,000 loans each", mix=-0.6, loans=15_000),
    Scenario("S9 skill differs by balance", by_balance=0.15),
)


@dataclasses.dataclass(frozen=True)
class Simulated:
    """A book, the true index of each agency (the cash to be expected of it ÷ that of an agency
    of skill 1, on its own loans over their own months) and the part of it that is its `size` of
    payments."""

    book: Book
    truth: np.ndarray
    size: np.ndarray


def simulate(scenario: Scenario, seed: int) -> Simulated:
    """One world of a scenario."""
    dice = np.random.default_rng(seed)
    agencies = scenario.agencies
    product, age, band, prior = np.unravel_index(np.arange(STRATA), (PRODUCTS, AGES, BANDS, PRIORS))
    chance = (
        0.05
        * np.array([1, 0.6, 1.5])[product]
        * np.exp(-0.3 * age)
        * np.array([1.2, 1, 0.8])[band]
        * np.array([1, 0.6])[prior]
        * np.exp(dice.normal(0, 0.15, STRATA))
    )
    part = 0.10 * np.array([1.3, 1, 0.75])[band] * np.array([1, 1.2, 0.9])[product]
    skill = np.exp(dice.normal(0, 0.20, agencies))
    size = np.exp(dice.normal(0, 0.08, agencies))
    by_segment = np.exp(dice.normal(0, scenario.interaction, (agencies, PRODUCTS * AGES)))
    by_band = np.exp(dice.normal(0, scenario.by_balance, (agencies, BANDS)))

    agency = np.repeat(np.arange(agencies), scenario.loans)
    stratum = _strata(scenario, dice, np.log(chance), product, skill)
    count = len(agency)
    is_random = dice.random(count) < scenario.random_part
    stratum = np.where(is_random, dice.integers(0, STRATA, count), stratum)
    balance = np.round(
        np.array([300, 1_500, 6_000])[band[stratum]] * np.exp(dice.normal(0, 0.5, count)), 2
    )
    # The random loans are a lot of their own.
    lot = np.where(is_random, LOTS, dice.integers(0, LOTS, count))
    lot_age = dice.integers(1, MONTHS + 1, (agencies, LOTS + 1))
    ends = lot_age[agency, lot] - dice.random(count)
    recalled = dice.random(count) < 0.20
    ends = np.where(recalled, ends * dice.random(count), ends)

    own = (
        skill[agency]
        * by_segment[agency, product[stratum] * AGES + age[stratum]]
        * by_band[agency, band[stratum]]
    )
    quality = np.where(is_random, 1.0, _quality(scenario, dice, skill)[agency])
    frailty = dice.gamma(4, 1 / 4, count)
    between = np.exp(dice.normal(0, 0.10, (agencies, LOTS + 1)))[agency, lot]
    likely = chance[stratum] * own * quality * frailty * between
    paid_loan, paid_month, cash = _payments(
        dice, ends, likely, balance * part[stratum], balance, size[agency]
    )
    average = balance * (part[stratum] * 0.95 * np.exp(0.18) + 0.05 * 0.9)
    weight = average * chance[stratum] * _exposed(ends)
    truth = np.bincount(agency, weight * own) / np.bincount(agency, weight) * size
    made = Book(
        agency=agency,
        stratum=stratum,
        lot=lot,
        balance=balance,
        starts=np.zeros(count),
        ends=ends,
        paid_loan=paid_loan,
        paid_month=paid_month,
        cash=cash,
        group_of=product * AGES + age,
        agencies=agencies,
        is_random=is_random if scenario.random_part else None,
    )
    return Simulated(made, truth, size)


def _shape() -> np.ndarray:
    """How likely a payment is by month on book, against the second month."""
    months = np.arange(MONTHS)
    return np.where(months == 0, 0.6, np.exp(-np.clip(months - 2, 0, None) / 9))


def _exposed(ends: np.ndarray) -> np.ndarray:
    """Σ of the shape over the exposed months."""
    months = np.arange(MONTHS)
    return (np.clip(ends[:, None] - months, 0, 1) * _shape()).sum(axis=1)


def _strata(scenario, dice, log_chance, product, skill) -> np.ndarray:
    ease = (log_chance - log_chance.mean()) / log_chance.std()
    thought = 0.5 * np.log(skill) / 0.20 + np.sqrt(0.75) * dice.normal(0, 1, scenario.agencies)
    weight = np.exp(
        dice.normal(0, 0.5, (scenario.agencies, STRATA))
        + scenario.mix * thought[:, None] * ease[None, :]
    )
    if scenario.specialists:
        only = dice.integers(0, PRODUCTS, scenario.agencies)
        special = np.arange(scenario.agencies) % 2 == 0
        weight *= ~special[:, None] | (product[None, :] == only[:, None])
    weight /= weight.sum(axis=1, keepdims=True)
    return np.concatenate([dice.choice(STRATA, scenario.loans, p=own) for own in weight])


def _quality(scenario, dice, skill) -> np.ndarray:
    """What debtors are better or worse by, as far as nothing recorded tells."""
    follows = np.log(skill) / 0.20
    mixed = 0.7 * follows + np.sqrt(1 - 0.7**2) * dice.normal(0, 1, scenario.agencies)
    return np.exp(scenario.unrecorded * mixed)


def _payments(dice, ends, likely, part, balance, size) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loan, month and cash of each payment and reversal."""
    shape = _shape()
    found = []
    for month in range(MONTHS):
        exposed = np.clip(ends - month, 0, 1)
        chance = np.minimum(0.6, likely * shape[month]) * exposed
        hit = np.flatnonzero(dice.random(len(ends)) < chance)
        cash = part[hit] * np.exp(dice.normal(0, 0.6, len(hit)))
        lump = dice.random(len(hit)) < 0.05
        cash = np.where(lump, 0.9 * balance[hit], cash) * size[hit]
        back = hit[dice.random(len(hit)) < 0.015]
        found.append((hit, np.full(len(hit), month), np.round(cash, 2)))
        reversed_cash = -np.round(cash, 2)[np.searchsorted(hit, back)]
        found.append((back, np.full(len(back), month), reversed_cash))
    loan, month, cash = (np.concatenate(column) for column in zip(*found, strict=True))
    return loan, month, cash
