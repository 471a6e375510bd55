"""How much is paid at a time: the typical payment apart from what a few large ones add."""

import dataclasses

import numpy as np
import pytest

from marketplace.success import cells, dispersion, factors, sizes
from marketplace.success.book import Book, paid
from marketplace.success.scores import score
from tests.marketplace import simulated

EVEN = simulated.SCENARIOS[0]
AGENCY = 7


def of(book: Book):
    payments = paid(book, simulated.POLICY)
    split = factors.split(cells.of(book, payments), book.group_of)
    found = sizes.split(book, payments, split)
    return split, found, dispersion.of(book, payments, split, found)


@pytest.fixture(scope="module")
def book() -> Book:
    return simulated.simulate(EVEN, seed=50).book


def own(book: Book) -> np.ndarray:
    """Which payments are on loans of the one agency."""
    return book.agency[book.paid_loan] == AGENCY


def test_the_two_parts_are_the_size_and_both_are_of_an_average_agency(book):
    split, found, _variances = of(book)
    assert found.typical * found.large == pytest.approx(split.size, rel=1e-12)
    paid_loans = np.bincount(book.agency, found.expected)
    assert (found.typical * paid_loans).sum() == pytest.approx(paid_loans.sum(), rel=1e-9)


def test_who_always_gets_a_quarter_more_has_a_typical_payment_a_quarter_larger(book):
    _split, before, _variances = of(book)
    more = dataclasses.replace(book, cash=np.where(own(book), 1.25 * book.cash, book.cash))
    _split, after, _variances = of(more)
    against = np.arange(book.agencies) != AGENCY
    moved = after.typical / before.typical
    # What a payment is measured by moves a little too: the agency is one of the forty.
    assert moved[AGENCY] / np.median(moved[against]) == pytest.approx(1.25, rel=0.01)


def test_one_great_settlement_moves_the_large_payments_and_hardly_the_typical_one(book):
    split, before, _variances = of(book)
    cash = book.cash.copy()
    one = np.flatnonzero(own(book) & (cash > 0))[0]
    cash[one] = 0.2 * cash[own(book)].sum()
    after_split, after, _variances = of(dataclasses.replace(book, cash=cash))
    assert after_split.size[AGENCY] > 1.1 * split.size[AGENCY]
    assert after.typical[AGENCY] == pytest.approx(before.typical[AGENCY], rel=0.02)
    assert after.large[AGENCY] > 1.1 * before.large[AGENCY]


def test_the_typical_payment_is_surer_than_the_cash_and_says_how_sure(book):
    """Its error against the size that each agency was given is what its variance says."""
    errors, variances = [], []
    for seed in range(50, 56):
        world = simulated.simulate(EVEN, seed)
        _split, found, variance = of(world.book)
        error = np.log(found.typical / world.size)
        errors.append(error - np.average(error, weights=1 / variance.typical))
        variances.append(variance.typical)
        assert (variance.typical < variance.size / 4).all()
    assert np.mean(np.square(errors) / variances) == pytest.approx(1, abs=0.25)


def test_lots_that_differ_in_what_is_paid_make_it_less_sure(book):
    _split, _found, before = of(book)
    dice = np.random.default_rng(3)
    by_lot = np.exp(dice.normal(0, 0.3, (book.agencies, int(book.lot.max()) + 1)))
    cash = book.cash * by_lot[book.agency[book.paid_loan], book.lot[book.paid_loan]]
    _split, _found, after = of(dataclasses.replace(book, cash=cash))
    assert (after.typical > before.typical + 0.3**2 / 12).all()


def test_where_nobody_paid_nothing_is_said_of_a_payment(book):
    none = dataclasses.replace(
        book,
        paid_loan=book.paid_loan[~own(book)],
        paid_month=book.paid_month[~own(book)],
        cash=book.cash[~own(book)],
    )
    _split, found, variance = of(none)
    assert (found.typical[AGENCY], found.large[AGENCY]) == (1, 1)
    assert np.isinf([variance.typical[AGENCY], variance.large[AGENCY]]).all()
    nobody = dataclasses.replace(
        book, paid_loan=book.paid_loan[:0], paid_month=book.paid_month[:0], cash=book.cash[:0]
    )
    assert [one.index for one in score(nobody).scores if not np.isfinite(one.index)] == []
