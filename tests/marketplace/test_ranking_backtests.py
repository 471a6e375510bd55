"""Back-tests: who would move under a proposed policy, on what was known at past quarters."""

import datetime

import pytest

from agencies.scope import scope
from config import errors
from marketplace.models import (
    SuccessCell,
)
from marketplace.services import ranking_backtests, rankings
from tests import world
from tests.marketplace import ranked
from tests.marketplace.ranked import DAYS, LENIENT

pytestmark = pytest.mark.django_db


@pytest.fixture
def panel(clock):
    return ranked.after_days(clock)


@pytest.fixture
def empty(clock):
    return ranked.on_its_first_day(clock)


def test_a_back_test_says_who_would_stand_where(panel, clock):
    clock.set(ranked.QUARTER_END)
    then = panel.places(panel.compute())
    clock.set(ranked.NOON + 100 * DAYS)
    now = panel.places(panel.compute())
    policy = panel.propose(**LENIENT)
    before = panel.counts()
    made = panel.backtest(policy)
    assert panel.counts() == {**before, "RankingBacktest": 1}
    # Of the last four quarters one had loans.
    assert made.moments == [
        "2026-04-01T00:00:00-04:00",
        (ranked.NOON + 100 * DAYS).isoformat(),
    ]
    found = {row["agency"]: row["places"] for row in made.results}
    assert found.keys() == then.keys()
    assert {agency: places[0]["before"] for agency, places in found.items()} == then
    assert {agency: places[1]["before"] for agency, places in found.items()} == now
    panel.adopt(policy)
    assert panel.in_force() == 2
    adopted = panel.places(panel.compute())
    assert {agency: places[1]["after"] for agency, places in found.items()} == adopted
    assert adopted != now
    elm = str(panel.houses["Elm"].agency.pk)
    assert (adopted[elm]["position"], adopted[elm]["is_tied"]) == (1, False)
    assert panel.entries()[2:] == [
        ("backtest", "", {"currency": "USD", "version": 2, "moments": 2, "agencies": 5}),
        ("adopt", "Agreed", {"version": 2, "state": "adopted"}),
    ]


def test_what_was_ranked_stays_and_comes_out_again_under_its_own_policy(panel):
    old = panel.compute()
    scores = panel.places(old)
    policy = panel.propose(
        strata=[["balance", [500]]], least_payment=200, window_months=3, least_months=1
    )
    panel.backtest(policy)
    panel.adopt(policy)
    new = panel.compute()
    assert (old.policy.version, new.policy.version) == (1, 2)
    assert new.inputs_sha256 != old.inputs_sha256
    assert panel.places(old) == scores
    # Verifying counts the cells anew: what is kept for the new policy is the same.
    with scope(panel.bank.actor("auditor")) as actor:
        for run in (old, new):
            assert rankings.verify(actor=actor, run_id=run.pk) == {
                "inputs": True,
                "results": True,
                "code": True,
            }
        by_policy = SuccessCell.objects.order_by().values_list("policy__version", "payers")
        assert {version for version, _payers in by_policy} == {1, 2}
        # 105 to 135 of a month are less than the 200 that now count as paying.
        assert sum(payers for version, payers in by_policy if version == 1) == 60
        assert sum(payers for version, payers in by_policy if version == 2) == 0


def test_where_nothing_is_placed_there_is_nothing_to_try(empty):
    policy = empty.propose(window_months=6)
    for currency, code in (("USD", "NOTHING_PLACED"), ("gold", "UNKNOWN_CURRENCY")):
        with pytest.raises(errors.DomainError) as refusal:
            empty.backtest(policy, currency)
        assert refusal.value.code == code
    assert empty.adopt(policy).state == "adopted"
    assert empty.counts()["RankingBacktest"] == 0


def test_on_the_first_day_a_back_test_finds_nothing_and_suffices(empty):
    house = world.make_agency()
    world.join_panel(empty.bank, house)
    ranked.place(empty.bank, house, 100_00)
    policy = empty.propose(window_months=6)
    with pytest.raises(errors.InvalidState):
        empty.adopt(policy)
    made = empty.backtest(policy)
    assert (made.moments, made.results) == ([], [])
    assert empty.adopt(policy).state == "adopted"


def test_quarters_end_at_the_banks_midnight():
    now = datetime.datetime(2026, 3, 31, 17, tzinfo=datetime.UTC)  # 1 April in Shanghai
    assert [end.isoformat() for end in ranking_backtests.quarter_ends(now, "Asia/Shanghai")] == [
        "2025-07-01T00:00:00+08:00",
        "2025-10-01T00:00:00+08:00",
        "2026-01-01T00:00:00+08:00",
        "2026-04-01T00:00:00+08:00",
    ]
    new_york = ranking_backtests.quarter_ends(now, "America/New_York")
    assert new_york[-1].isoformat() == "2026-01-01T00:00:00-05:00"
