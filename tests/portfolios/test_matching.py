"""Pairs of receipts and reports, as a law."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from portfolios import matching

DAY = datetime.date(2030, 1, 1)
MONEY = st.tuples(st.sampled_from("AB"), st.integers(1, 2), st.integers(0, 3))


def _money(kind, drawn):
    return [
        matching.Money(f"{kind}{number}", loan, "USD", amount, DAY + datetime.timedelta(days=days))
        for number, (loan, amount, days) in enumerate(drawn)
    ]


@given(st.lists(MONEY, max_size=8), st.lists(MONEY, max_size=8), st.randoms())
def test_pairs_have_equal_amounts_and_do_not_depend_on_the_order(came_in, reported, random):
    receipt_list, report_list = _money("B", came_in), _money("P", reported)
    outcome = matching.pair(receipt_list, report_list)
    by_id = {money.id: money for money in receipt_list + report_list}
    assert all(by_id[one].key == by_id[other].key for one, other in outcome.pairs)
    assert len({one for pair in outcome.pairs for one in pair}) == 2 * len(outcome.pairs)
    assert set(outcome.states) == {money.id for money in receipt_list}
    for money in receipt_list:
        came = sum(other.key == money.key for other in receipt_list)
        said = sum(other.key == money.key for other in report_list)
        expected = "matched" if came == said else "ambiguous" if said else "unmatched"
        assert outcome.states[money.id] == expected
    random.shuffle(receipt_list)
    random.shuffle(report_list)
    again = matching.pair(receipt_list, report_list)
    assert sorted(again.pairs) == sorted(outcome.pairs)
    assert again.states == outcome.states
