"""The engine that makes loans indistinguishable, over made-up and drawn populations."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketplace import anonymity

BANDS = ("0-10", "10-20", "20-50", "50-100", "100-", "")
PLACES = (None, "CA", "NY", "TX")


def columns(rows) -> list[anonymity.Column]:
    """Columns "owed" (bands) and "place" (words) of rows (band, place, …)."""
    table = np.array([row[:2] for row in rows]).reshape(-1, 2)
    return [
        anonymity.Column("owed", BANDS, table[:, 0], is_banded=True),
        anonymity.Column("place", PLACES, table[:, 1]),
    ]


def coarsened(rows) -> tuple[anonymity.Cells, np.ndarray]:
    """The cells of rows (band, place, borrower, …), and the borrowers."""
    borrowers = np.array([row[2] for row in rows])
    return anonymity.coarsen(columns(rows), borrowers), borrowers


def told(rows) -> dict[tuple[str, ...], int]:
    cells, _borrowers = coarsened(rows)
    return dict(zip(cells.labels, cells.loans, strict=True))


def covers(label: str, code: int, labels) -> bool:
    """Whether somebody who knows the finest band or word of a loan finds it under the label."""
    if label in (anonymity.ANY, labels[code] or ""):
        return True
    if "-" not in label or not labels[code]:
        return False
    low, high = label.split("-")
    own_low, own_high = labels[code].split("-")
    above = not high or (own_high and int(own_high) <= int(high))
    return int(low) <= int(own_low) and bool(above)


populations = st.lists(
    st.tuples(
        st.integers(0, len(BANDS) - 1),
        st.integers(0, len(PLACES) - 1),
        st.integers(0, 25),
        st.integers(1, 5_000),
    ),
    min_size=1,
    max_size=90,
)


@settings(max_examples=150, deadline=None)
@given(populations)
@example([(0, 1, borrower, 100) for borrower in range(5)] + [(4, 0, 9, 100)])
@example([(band, 1, 7, 100) for band in range(6)] * 9 + [(0, 2, 8, 1)])
def test_whoever_knows_a_loan_finds_five_borrowers_or_nothing(rows):
    cells, borrowers = coarsened(rows)
    for number, (band, place, *_rest) in enumerate(rows):
        cell = cells.cell_of_loan[number]
        if cell < 0:
            continue
        label = cells.labels[cell]
        assert covers(label[0], band, BANDS)
        assert covers(label[1], place, PLACES)
        assert place or label[1] == anonymity.ANY
    for cell, loans in enumerate(cells.loans):
        members = cells.cell_of_loan == cell
        assert members.sum() == loans
        assert len(set(borrowers[members])) >= 5
    assert len(set(cells.labels)) == len(cells.labels)
    few = len(set(borrowers)) < 5
    assert cells.suppressed_loans == (len(rows) if few else 0)
    assert sum(cells.loans) + cells.suppressed_loans == len(rows)


@settings(max_examples=80, deadline=None)
@given(populations, st.randoms(use_true_random=False))
def test_the_order_of_the_loans_says_nothing(rows, dice):
    shuffled = list(rows)
    dice.shuffle(shuffled)
    assert told(shuffled) == told(rows)


def test_neighbouring_bands_are_merged_before_a_word_is_lost():
    rows = [(0, 1, n) for n in range(5)] + [(1, 2, 10 + n) for n in range(3)]
    rows += [(0, 2, 20 + n) for n in range(2)]
    assert told(rows) == {("0-10", "CA"): 5, ("0-20", "NY"): 5}


def test_what_is_too_few_even_then_joins_the_coarsest_cell():
    rows = [(0, 1, n) for n in range(6)] + [(4, 2, 10)]
    assert told(rows) == {("any", "any"): 7}
    more = rows + [(1, 1, 20 + n) for n in range(6)]
    assert sum(told(more).values()) == 13
    assert told(more)["any", "any"] == 7


def test_a_borrower_with_many_loans_is_one():
    four = [(0, 1, n) for n in range(4)] + [(0, 1, 0)] * 20
    cells, _borrowers = coarsened(four)
    assert (cells.labels, cells.suppressed_loans) == ([], 24)
    assert told([*four, (0, 1, 4)]) == {("0-10", "CA"): 25}


def test_there_are_never_more_cells_than_may_be_kept():
    rows = [(n % 5, 1 + n % 3, n) for n in range(300)]
    borrowers = np.arange(300)
    fine = anonymity.coarsen(columns(rows), borrowers)
    bounded = anonymity.coarsen(columns(rows), borrowers, most_cells=4)
    assert len(fine.loans) == 15
    assert len(bounded.loans) <= 4
    assert sum(bounded.loans) == 300
    assert min(bounded.loans) >= 75


def groups(rows, name="owed") -> list[anonymity.Group]:
    """Groups of rows (band, place, borrower, balance)."""
    column = next(one for one in columns(rows) if one.name == name)
    borrowers = np.array([row[2] for row in rows])
    return anonymity.divide(column, borrowers, np.array([row[3] for row in rows]))


def test_small_groups_are_put_together_with_the_smallest_that_is_shown():
    rows = [(0, 1, n, 100) for n in range(7)] + [(1, 1, 10 + n, 100) for n in range(5)]
    rows += [(2, 1, 20, 100)]
    assert groups(rows) == [
        anonymity.Group("0-10", 7, 700),
        anonymity.Group(anonymity.OTHER, 6, 600),
    ]


def test_a_sum_that_is_mostly_one_borrowers_is_left_out_with_another():
    dominated = [(0, 1, n, 10) for n in range(5)] + [(0, 1, 9, 51)]
    rest = [(1, 1, 20 + n, 20) for n in range(5)] + [(2, 1, 30 + n, 500) for n in range(5)]
    # The whole is told, so a single sum left out could be computed from it: the next one goes too.
    assert [group.balance_minor for group in groups(dominated + rest)] == [None, None, 2_500]
    fair = [*dominated[:-1], (0, 1, 9, 50)]
    assert [group.balance_minor for group in groups(fair + rest)] == [100, 100, 2_500]


@settings(max_examples=150, deadline=None)
@given(populations)
def test_no_sum_or_what_is_left_of_the_whole_tells_of_one_borrower(rows):
    borrowers = np.array([row[2] for row in rows])
    owed = np.array([row[3] for row in rows])
    made = groups(rows)
    assert sum(group.loans for group in made) == len(rows)
    named = {label: code for code, label in enumerate(BANDS)}
    codes = np.array([row[0] for row in rows])
    shown = [group.label for group in made if group.label != anonymity.OTHER]
    of_group = {label: codes == named[label] for label in shown}
    of_group[anonymity.OTHER] = ~np.isin(codes, [named[label] for label in shown])
    hidden = np.zeros(len(rows), dtype=bool)
    whole = anonymity.total(borrowers, owed)
    for group in made:
        members = of_group[group.label]
        assert members.sum() == group.loans
        assert len(set(borrowers[members])) >= min(5, len(set(borrowers)))
        if group.balance_minor is None:
            hidden |= members
        else:
            assert group.balance_minor == owed[members].sum()
            assert is_safe(members, borrowers, owed)
    if whole is not None and hidden.any():
        assert hidden.all() or is_safe(hidden, borrowers, owed)


def is_safe(members, borrowers, owed) -> bool:
    """Five borrowers or more, none of whom owes more than half."""
    people = sorted(set(borrowers[members]))
    each = [owed[members & (borrowers == person)].sum() for person in people]
    return len(people) >= 5 and 2 * max(each) <= sum(each)
