"""Rankings kept: fair, of what is chosen, once a night, and never changed."""

import datetime

import pytest
from django.db import DatabaseError, transaction

from agencies.models import AuditEntry
from agencies.scope import scope
from config import errors
from marketplace import tasks
from marketplace.models import (
    CurrentRanking,
    RankingCut,
    RankingPolicy,
    RankingRun,
    RankingScore,
)
from marketplace.selectors import shown_ranking
from marketplace.services import rankings
from portfolios.models import Loan, PlacedLoan, Recovery
from portfolios.selectors import visible_spells
from portfolios.services import placements
from tests import world
from tests.marketplace import uneven
from tests.marketplace.uneven import (
    EASY_MINOR,
    HARD_MINOR,
    LOANS,
    NAMES,
    NOON,
    collect,
    complain,
    compute,
    name_of,
    place,
    shown,
)
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(clock):
    clock.set(NOON)
    return world.make_bank("Hudson Bank")


@pytest.fixture
def houses(bank, clock):
    """Of Hudson Bank, after a hundred days."""
    made = uneven.houses(bank)
    clock.set(NOON + datetime.timedelta(days=uneven.EXPOSED_DAYS))
    return made


def test_the_best_is_who_recovers_most_on_the_same_loans_not_who_was_given_easy_ones(bank, houses):
    compute(bank)
    found = shown(bank)
    by_name = {name_of(score): score for score in found.scores}
    assert max(by_name, key=lambda name: by_name[name].rate_ppm) == "Alder"
    assert max(by_name, key=lambda name: by_name[name].index) == "Elm"
    alder, elm = by_name["Alder"], by_name["Elm"]
    # 144 × 400.00 and 16 × 2,000.00 were placed with Alder; 36 and 2 of them paid a tenth.
    assert alder.placed_minor == 144 * EASY_MINOR + 16 * HARD_MINOR
    assert alder.observed_minor == 36 * 40_00 + 2 * 200_00
    assert alder.mix_factor > 1 > elm.mix_factor
    assert elm.index > 1 > alder.index
    assert sum(score.observed_minor for score in found.scores) == pytest.approx(
        sum(score.expected_minor for score in found.scores), abs=5
    )
    for score in found.scores:
        performance = score.count_factor * score.tilt_factor * score.size_factor
        assert score.raw_index == pytest.approx(
            score.exposure_factor * score.mix_factor * performance, rel=1e-12
        )
        assert sum(segment["observed_minor"] for segment in score.segments) == score.observed_minor
        assert score.low < score.index < score.high
        assert len(score.curve) == 4


def test_returning_the_hard_loans_gains_nothing(bank, houses, clock):
    clock.set(NOON)
    twin = world.make_bank("Twin Bank")
    for name, house in houses.items():
        world.join_panel(twin, house)
        collect(twin, name, house)
    clock.set(NOON + datetime.timedelta(days=20))
    with scope(houses["Elm"].actor()) as actor:
        unpaid = visible_spells(actor).filter(institution=twin.institution)
        unpaid = unpaid.exclude(pk__in=Recovery.objects.values("spell"))
        for placement_id in set(unpaid.values_list("placement", flat=True)):
            placements.give_back(
                actor=actor,
                placement_id=placement_id,
                loan_ids=list(unpaid.filter(placement=placement_id).values_list("loan", flat=True)),
                reason="Cannot be reached",
            )
    with scope(twin.actor("auditor")):
        assert PlacedLoan.objects.filter(close_kind="returned").count() > 100
    clock.set(NOON + datetime.timedelta(days=100))
    compute(bank)
    compute(twin)
    kept, returned = ({name_of(s): s for s in shown(each).scores} for each in (bank, twin))
    for name in NAMES:
        for figure in ("index", "low", "high", "expected_minor", "recovered_minor"):
            assert getattr(kept[name], figure) == getattr(returned[name], figure)


def test_a_run_cannot_be_changed_and_the_current_one_is_a_pointer(bank, houses, clock):
    first = compute(bank)
    clock.advance(days=1)
    second = compute(bank)
    with scope(bank.actor("vendor_manager")):
        assert CurrentRanking.objects.get().run_id == second.pk
        assert RankingRun.objects.count() == 2
        for change in (
            lambda: RankingRun.objects.filter(pk=first.pk).update(results_sha256="0" * 64),
            lambda: RankingScore.objects.update(index=2.0),
            lambda: RankingScore.objects.all().delete(),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()
    assert {score.agency_id for score in shown(bank).scores} == shown(bank).earlier.keys()


def test_complaints_gate_and_do_not_weigh(bank, houses, clock):
    before = {name_of(score): score for score in _computed(bank).scores}
    with scope(bank.actor("auditor")):
        loan = Loan.objects.filter(agency=houses["Elm"].agency).first()
        other = Loan.objects.filter(agency=houses["Birch"].agency).first()
    complain(bank, loan, outcome="upheld", is_agency_at_fault=True, severity="high")
    complain(bank, other, outcome="upheld", is_agency_at_fault=False, severity="high")
    complain(bank, other)
    clock.advance(minutes=1)
    after = {name_of(score): score for score in _computed(bank).scores}
    elm, birch = after["Elm"], after["Birch"]
    assert (elm.light, elm.has_critical, elm.status, elm.position) == ("red", True, "barred", None)
    assert (elm.complaints_received, elm.complaints_upheld) == (1, 1)
    assert (birch.complaints_received, birch.complaints_upheld) == (2, 0)
    assert birch.light == "green"
    assert {name: score.index for name, score in before.items()} == {
        name: score.index for name, score in after.items()
    }


def _computed(bank):
    compute(bank)
    return shown(bank)


def test_another_currency_is_another_ranking_and_none_is_refused(bank, houses, clock):
    place(bank, houses["Cedar"], 700_00, currency="EUR")
    with pytest.raises(errors.InvalidState) as refusal:
        compute(bank, "EUR")  # it has no day of exposure yet
    clock.advance(days=1)
    compute(bank, "EUR")
    (score,) = shown(bank, currency="EUR").scores
    assert (score.agency.name, score.placed_minor, score.rate_ppm, score.status) == (
        "Cedar Recoveries",
        700_00,
        0,
        "too_little",
    )
    assert shown(bank) is None
    with pytest.raises(errors.InvalidState) as refusal:
        compute(bank, "JPY")
    assert refusal.value.code == "NOTHING_PLACED"
    with pytest.raises(errors.InvalidInput) as refusal:
        compute(bank, "Gold")
    assert refusal.value.code == "UNKNOWN_CURRENCY"
    with scope(bank.actor("auditor")):
        assert RankingRun.objects.count() == 1


def test_a_run_of_one_portfolio_or_product_is_a_ranking_of_its_own(bank, houses):
    with scope(bank.actor("auditor")):
        portfolio = Loan.objects.filter(agency=houses["Elm"].agency).first().portfolio
    whole = compute(bank)
    part = compute(bank, cut=RankingCut(portfolio.pk))
    product = compute(bank, cut=RankingCut(product="personal loan"))
    assert shown(bank).run.pk == whole.pk
    assert shown(bank, cut=RankingCut(portfolio.pk)).run.pk == part.pk
    assert [name_of(s) for s in shown(bank, cut=RankingCut(portfolio.pk)).scores] == ["Elm"]
    # There is one product: the same loans give the same figures, counted from scratch.
    assert shown(bank, cut=RankingCut(product="personal loan")).run.pk == product.pk
    assert (product.inputs_sha256, product.results_sha256) == (
        whole.inputs_sha256,
        whole.results_sha256,
    )
    with pytest.raises(errors.InvalidState):
        compute(bank, cut=RankingCut(product="mortgage"))
    with scope(world.make_bank().actor("vendor_manager")) as actor, pytest.raises(errors.NotFound):
        rankings.compute(actor=actor, currency="USD", cut=RankingCut(portfolio.pk))


def test_a_run_of_a_period_counts_its_days_and_what_is_known_of_them_now(bank, houses, clock):
    first = NOON.date()
    # Months on book of 30 days that begin within the period: the second and half of the third.
    period = RankingCut(
        starts_on=first + datetime.timedelta(days=30), ends_on=first + datetime.timedelta(days=74)
    )
    with scope(bank.actor("auditor")):
        loan = Loan.objects.filter(agency=houses["Birch"].agency).order_by("pk").first()
    day = first + datetime.timedelta(days=40)
    world.recover(bank, houses["Birch"], loan, 50_00, value_on=day)
    clock.advance(minutes=1)
    run = compute(bank, cut=period)
    scores = {name_of(score): score for score in shown(bank, cut=period).scores}
    # What came in before the period is not of it, though it is known.
    assert {name: score.recovered_minor for name, score in scores.items()} == {
        name: 50_00 * (name == "Birch") for name in NAMES
    }
    assert [len(score.curve) for score in scores.values()] == [3] * 5
    assert sum(part["loan_months"] for part in scores["Elm"].segments) == LOANS * 1.5
    assert shown(bank) is None
    with scope(bank.actor("auditor")) as actor:
        assert all(rankings.verify(actor=actor, run_id=run.pk).values())
    with scope(houses["Birch"].actor()) as actor:
        assert shown_ranking(actor, currency="USD", cut=period) is None
    for wrong, code in (
        (RankingCut(starts_on=day), "REQUIRED"),
        (RankingCut(ends_on=day), "REQUIRED"),
        (RankingCut(starts_on=day, ends_on=first), "ENDS_BEFORE_IT_STARTS"),
        (RankingCut(starts_on=day, ends_on=clock.now().date()), "FUTURE_DATE"),
    ):
        with pytest.raises(errors.InvalidInput) as refusal:
            compute(bank, cut=wrong)
        assert refusal.value.code == code
    with scope(bank.actor("auditor")):
        assert RankingRun.objects.count() == 1


def test_only_vendor_managers_compute_by_hand_and_it_is_recorded(bank, houses):
    for wrong in (bank.actor("auditor"), houses["Elm"].actor()):
        with scope(wrong) as actor, pytest.raises(errors.NotAllowed):
            rankings.compute(actor=actor, currency="USD")
    manager = over_http.person(bank, "vendor_manager")
    done = over_http.do(
        manager, "rankingCompute", "ranking { scores { agencyName } }", currency="USD"
    )
    assert done["errors"] == []
    assert len(done["ranking"]["scores"]) == 5
    with scope(bank.actor("auditor")):
        entry = AuditEntry.objects.get(action="ranking.compute")
        assert entry.changes == {"currency": "USD", "agencies": 5, "loans": 800, "policy": 1}
        policy = RankingPolicy.objects.get()
        assert (policy.version, policy.state, policy.proposed_by) == (1, "adopted", None)
        assert AuditEntry.objects.filter(action="ranking_policy.begin").count() == 1


def test_the_sweep_ranks_once_on_each_day_of_the_institution(bank, houses, clock):
    other = world.make_bank(time_zone="Asia/Shanghai")
    world.join_panel(other, houses["Elm"])
    place(other, houses["Elm"], 100_00)
    place(bank, houses["Elm"], 100_00, currency="EUR")

    def counts():
        found = []
        for each in (bank, other):
            with scope(each.actor("auditor")):
                found.append(RankingRun.objects.count())
        return found

    tasks.compute_rankings()
    assert counts() == [1, 0]  # what was placed today has no day of exposure yet
    tasks.compute_rankings()
    assert counts() == [1, 0]
    clock.advance(hours=13)  # 06:00 UTC: the next day in New York, the same in Shanghai
    tasks.compute_rankings()
    assert counts() == [3, 0]
    clock.advance(hours=12)
    tasks.compute_rankings()
    assert counts() == [3, 1]
