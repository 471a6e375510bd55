"""What must hold of any book: names, order, currency and splitting change no place."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.success import cells
from marketplace.success.book import Book, Policy, paid
from marketplace.success.scores import Result, score
from tests.marketplace.successes import ALL_CASH, book, with_payments

SEEDS = st.integers(0, 10**6)
quick = settings(max_examples=25, deadline=None)

FIGURES = ("index", "low", "high", "expected", "reliability", "raw_index", "rank")


def figures(result: Result) -> dict[int, tuple]:
    """Agency → its figures; the rank is 0 where it has none."""
    found = {}
    for one in result.scores:
        rank = one.place.expected_rank if one.place else 0.0
        found[one.agency] = (*(getattr(one, name) for name in FIGURES[:-1]), rank)
    return found


def assert_same(one: Result, other: Result, agency_of=lambda agency: agency, rel: float = 1e-9):
    mine, theirs = figures(one), figures(other)
    for agency, found in mine.items():
        assert theirs[agency_of(agency)] == pytest.approx(found, rel=rel, abs=1e-12)


@quick
@given(SEEDS)
def test_the_same_book_gives_the_same_bytes(seed):
    one, other = score(book(seed), ALL_CASH), score(book(seed), ALL_CASH)
    assert one.scores == other.scores


@quick
@given(SEEDS)
def test_cells_counted_elsewhere_give_the_same(seed):
    policy = Policy(least_payment=1, cap_quantile=0.9)
    made = dataclasses.replace(book(seed), is_random=np.random.default_rng(seed).random(240) < 0.3)
    everything = dataclasses.replace(policy, cap_quantile=1)
    doubled = cells.apart(made)
    counted = cells.of(doubled, paid(doubled, everything))
    one, other = score(made, policy), score(made, policy, counted)
    assert one.capped > 0
    assert [found.agency for found in one.scores] == [found.agency for found in other.scores]
    for one_score, other_score in zip(one.scores, other.scores, strict=True):
        assert one_score.index == pytest.approx(other_score.index, rel=1e-9)
        assert one_score.expected == pytest.approx(other_score.expected, rel=1e-9)


@given(SEEDS)
def test_the_order_of_rows_does_not_matter(seed):
    made, dice = book(seed), np.random.default_rng(seed + 1)
    loans = dice.permutation(len(made.agency))
    payments = dice.permutation(len(made.cash))
    place = np.argsort(loans)
    shuffled = dataclasses.replace(
        made,
        **{
            name: getattr(made, name)[loans]
            for name in ("agency", "stratum", "lot", "balance", "starts", "ends")
        },
        paid_loan=place[made.paid_loan][payments],
        paid_month=made.paid_month[payments],
        cash=made.cash[payments],
    )
    assert_same(score(made, ALL_CASH), score(shuffled, ALL_CASH))


@quick
@given(SEEDS)
def test_who_is_called_what_does_not_matter(seed):
    made = book(seed)
    name = np.random.default_rng(seed + 2).permutation(made.agencies)
    renamed = dataclasses.replace(made, agency=name[made.agency])
    assert_same(score(made, ALL_CASH), score(renamed, ALL_CASH), lambda agency: name[agency])


@quick
@given(SEEDS, st.sampled_from([0.01, 7.0, 100.0]))
def test_the_currency_does_not_matter(seed, factor):
    made = book(seed)
    other = dataclasses.replace(made, balance=made.balance * factor, cash=made.cash * factor)
    policy = dataclasses.replace(ALL_CASH, least_payment=ALL_CASH.least_payment * factor)
    one, two = score(made, ALL_CASH), score(other, policy)
    for agency, found in figures(one).items():
        names = [name for name in FIGURES if name != "expected"]
        theirs = dict(zip(FIGURES, figures(two)[agency], strict=True))
        mine = dict(zip(FIGURES, found, strict=True))
        assert [theirs[name] for name in names] == pytest.approx(
            [mine[name] for name in names], rel=1e-6
        )


@quick
@given(SEEDS)
def test_splitting_a_payment_within_a_month_gains_nothing(seed):
    made = book(seed)
    half = np.floor(made.cash / 2)
    split = with_payments(
        dataclasses.replace(made, cash=made.cash - half), made.paid_loan, made.paid_month, half
    )
    assert_same(score(made, ALL_CASH), score(split, ALL_CASH))


@quick
@given(SEEDS)
def test_a_reversal_returns_what_was_before_the_payment(seed):
    made = book(seed)
    loan = np.array([0, 5])
    month = np.zeros(2, dtype=np.int64)
    paid = with_payments(made, loan, month, np.array([700.0, 900.0]))
    back = with_payments(paid, loan, month, np.array([-700.0, -900.0]))
    assert score(back, ALL_CASH).scores == score(made, ALL_CASH).scores
    assert score(paid, ALL_CASH).scores != score(made, ALL_CASH).scores


@quick
@given(SEEDS)
def test_an_agency_without_loans_changes_nobodys_place(seed):
    made = book(seed)
    more = dataclasses.replace(made, agencies=made.agencies + 1)
    one, two = score(made, ALL_CASH), score(more, ALL_CASH)
    assert_same(one, two)
    (new,) = [found for found in two.scores if found.agency == made.agencies]
    assert (new.loans, new.expected, new.status.value) == (0, 0, "too little data")
    assert new.place is None


@quick
@given(SEEDS)
def test_what_was_expected_is_what_was_observed_in_all(seed):
    found = score(book(seed), ALL_CASH).scores
    for group in {one.group for one in found}:
        own = [one for one in found if one.group == group]
        expected, observed = sum(one.expected for one in own), sum(one.observed for one in own)
        assert expected == pytest.approx(observed, rel=1e-9)


@quick
@given(SEEDS)
def test_the_raw_rate_is_explained_without_a_rest(seed):
    for one in score(book(seed), ALL_CASH).scores:
        if one.expected:
            performance = one.observed / one.expected
            explained = one.exposure_factor * one.mix_factor * performance
            assert explained == pytest.approx(one.raw_index, rel=1e-9, abs=1e-12)
            assert one.count * one.tilt * one.size == pytest.approx(performance, rel=1e-9, abs=1e-9)


@quick
@given(SEEDS)
def test_agencies_that_share_no_loans_of_a_kind_are_not_compared(seed):
    """Two banks' books side by side: each keeps its own ranking."""
    one, two = book(seed), book(seed + 1)
    both = Book(
        agency=np.r_[one.agency, two.agency + one.agencies],
        stratum=np.r_[one.stratum, two.stratum + one.strata],
        lot=np.r_[one.lot, two.lot],
        balance=np.r_[one.balance, two.balance],
        starts=np.r_[one.starts, two.starts],
        ends=np.r_[one.ends, two.ends],
        paid_loan=np.r_[one.paid_loan, two.paid_loan + len(one.agency)],
        paid_month=np.r_[one.paid_month, two.paid_month],
        cash=np.r_[one.cash, two.cash],
        group_of=np.r_[one.group_of, two.group_of + one.groups],
        agencies=one.agencies + two.agencies,
    )
    result = score(both, ALL_CASH)
    assert result.groups == 2
    groups = {found.agency: found.group for found in result.scores}
    assert len({groups[agency] for agency in range(one.agencies)}) == 1
    assert groups[0] != groups[one.agencies]
    alone = {found.agency: found.expected for found in score(one, ALL_CASH).scores}
    for found in result.scores:
        if found.agency < one.agencies:
            assert found.expected == pytest.approx(alone[found.agency], rel=0.05)


@quick
@given(SEEDS)
def test_more_cash_never_lowers_an_index(seed):
    made = book(seed)
    richer = dataclasses.replace(
        made, cash=np.where(made.agency[made.paid_loan] == 0, made.cash * 2, made.cash)
    )
    before = {one.agency: one.observed / one.expected for one in score(made, ALL_CASH).scores}
    after = {one.agency: one.observed / one.expected for one in score(richer, ALL_CASH).scores}
    assert after[0] >= before[0] - 1e-9


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"balance": np.zeros(240)}, "a balance is not above zero"),
        ({"ends": np.full(240, -1.0)}, "an exposure is negative"),
        ({"agency": np.full(240, 6)}, "an agency is out of range"),
        ({"paid_loan": np.full(120, 240)}, "the loan of a payment is out of range"),
        ({"cash": np.full(120, np.nan)}, "an amount is not a number"),
        ({"paid_month": np.full(120, -1)}, "a month on book is negative"),
        ({"lot": np.zeros(3, dtype=int)}, "the columns of loans differ in length"),
    ],
)
def test_what_is_no_book_is_refused(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(book(1), **change)
