"""Rankings kept: fair, repeatable, once a night, and nobody shown a rival."""

import csv
import datetime
import io
import json

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from agencies.models import AuditEntry
from agencies.scope import scope
from agencies.services import panel
from config import clock as the_clock
from config import errors, watermarks
from marketplace import tasks
from marketplace.models import (
    CurrentRanking,
    RankingCut,
    RankingPolicy,
    RankingRun,
    RankingScore,
)
from marketplace.selectors import pack_text, shown_ranking
from marketplace.services import rankings
from portfolios.models import Loan, PlacedLoan, Recovery
from portfolios.selectors import visible_spells
from portfolios.services import complaints, placements
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
NAMES = ("Alder", "Birch", "Cedar", "Damson", "Elm")
EASY_MINOR, HARD_MINOR = 400_00, 2_000_00
"""Balances of two bands. Of small loans one in four pays, of large ones one in twelve."""
SKILL = {"Alder": 1, "Birch": 1, "Cedar": 1, "Damson": 1, "Elm": 2}
EASY_OF_TEN = {"Alder": 9, "Birch": 5, "Cedar": 5, "Damson": 5, "Elm": 1}
"""How many of ten loans are easy: Alder was given those that anybody collects on."""
LOANS = 160


def complain(bank, loan, *, outcome=None, is_agency_at_fault=False, severity="low"):
    with scope(bank.actor("compliance_officer")) as actor:
        opened = complaints.open(
            actor=actor,
            loan_reference=loan.reference,
            category="frequency",
            severity=severity,
            happened_on=the_clock.now().date(),
            account="Six calls in one day",
            summary="How often did you ring?",
        )
        if outcome:
            complaints.decide(
                actor=actor,
                complaint_id=opened.pk,
                outcome=outcome,
                is_agency_at_fault=is_agency_at_fault,
                reason="As the log shows",
            )


def place(bank, house, *balances_minor, currency="USD"):
    portfolio = world.make_portfolio(bank, balances_minor=list(balances_minor), currency=currency)
    world.place(bank, house, portfolio)
    with scope(bank.actor("auditor")):
        return list(Loan.objects.filter(portfolio=portfolio).order_by("reference"))


def collect(bank, name, house):
    """A tenth of the balance from each loan that pays: as many as skill and ease let."""
    easy = LOANS * EASY_OF_TEN[name] // 10
    for number, balance_minor in ((easy, EASY_MINOR), (LOANS - easy, HARD_MINOR)):
        loans = place(bank, house, *[balance_minor] * number)
        every = (4 if balance_minor == EASY_MINOR else 12) // SKILL[name]
        for loan in loans[::every]:
            world.recover(bank, house, loan, balance_minor // 10)


@pytest.fixture
def bank(clock):
    clock.set(NOON)
    return world.make_bank("Hudson Bank")


@pytest.fixture
def houses(bank, clock):
    """Five agencies with 160 loans each for a hundred days; Elm is the best, with the hard ones."""
    made = {name: world.make_agency(f"{name} Recoveries") for name in NAMES}
    for name, house in made.items():
        world.join_panel(bank, house)
        collect(bank, name, house)
    clock.set(NOON + datetime.timedelta(days=100))
    return made


def compute(bank, currency="USD", **scope_of):
    with scope(bank.actor("vendor_manager")) as actor:
        return rankings.compute(actor=actor, currency=currency, **scope_of)


def shown(bank, **which):
    with scope(bank.actor("auditor")) as actor:
        return shown_ranking(actor, **{"currency": "USD", **which})


def score_of(bank, run, house) -> RankingScore:
    with scope(bank.actor("auditor")):
        return run.scores.get(agency=house.agency)


def name_of(score) -> str:
    return score.agency.name.split()[0]


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


def test_a_run_comes_out_again_from_what_is_recorded_whatever_came_after(bank, houses, clock):
    run = compute(bank)
    clock.advance(days=3)
    (loan,) = place(bank, houses["Elm"], 900_00)
    world.recover(bank, houses["Elm"], loan, 800_00)
    complain(bank, loan, outcome="upheld", is_agency_at_fault=True, severity="high")
    clock.advance(days=3)
    with scope(bank.actor("auditor")) as actor:
        assert rankings.verify(actor=actor, run_id=run.pk) == {
            "inputs": True,
            "results": True,
            "code": True,
        }
    again = compute(bank)
    assert (again.inputs_sha256, again.results_sha256) != (run.inputs_sha256, run.results_sha256)
    with scope(houses["Elm"].actor()) as actor, pytest.raises(errors.NotAllowed):
        rankings.verify(actor=actor, run_id=run.pk)
    with scope(world.make_bank().actor("auditor")) as actor, pytest.raises(errors.NotFound):
        rankings.verify(actor=actor, run_id=run.pk)


def test_the_command_says_whether_a_ranking_comes_out_again(bank, houses, owner, capsys):
    run = compute(bank)
    call_command("verify_ranking", str(run.pk))
    assert capsys.readouterr().out == "The ranking comes out again to the last bit.\n"
    with pytest.raises(CommandError, match="There is no such ranking"):
        call_command("verify_ranking", str(bank.institution.pk))
    # Somebody with the owner's rights takes a payment away.
    owner.execute(
        "delete from portfolios_confirmation"
        " where id = (select id from portfolios_confirmation limit 1)"
    )
    with pytest.raises(CommandError, match="not what went in"):
        call_command("verify_ranking", str(run.pk))


def test_what_commits_late_is_waited_for(bank, houses, clock, monkeypatch, database_environment):
    """A confirmation that was written before the moment of the run and is not committed yet."""
    monkeypatch.setattr(watermarks, "LONGEST_SECONDS", 0.2)
    with psycopg.connect(database_environment["DATABASE_URL"]) as other:
        other.execute("select fairplace_now()")
        with pytest.raises(errors.InvalidState) as refusal:
            compute(bank)
        assert refusal.value.code == "BUSY"
        other.commit()
        compute(bank)


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


QUERY = """query($currency: String!) { ranking(currency: $currency) {
    id institutionName policyVersion basis watermark scores { agencyId agencyName position isTied
    tier expectedRank index low high rawIndex exposureFactor mixFactor countFactor tiltFactor
    sizeFactor reliability status loans placedMinor observedMinor expectedMinor ratePpm light
    complaintsReceived complaintsUpheld segments { stratum payers observedMinor expectedMinor } }
    field { index low high status } } }"""


def test_an_agency_sees_itself_and_a_field_without_names(bank, houses):
    compute(bank)
    for name, house in houses.items():
        answer = over_http.ask(over_http.machine(house), QUERY, currency="USD")["ranking"]
        assert [row["agencyName"] for row in answer["scores"]] == [f"{name} Recoveries"]
        assert len(answer["field"]) == 5
        text = json.dumps(answer)
        for rival, other in houses.items():
            if rival != name:
                assert rival not in text
                assert str(other.agency.pk) not in text
    with scope(houses["Elm"].actor()):
        assert RankingScore.objects.count() == 1  # the database hides the rest as well


def test_in_a_field_of_four_an_agency_is_told_nothing_of_the_others(bank, houses, clock):
    for name in ("Alder", "Birch", "Cedar", "Damson"):
        place(bank, houses[name], 100_00, currency="EUR")
    clock.advance(days=10)
    run = compute(bank, "EUR")
    assert run.field == []
    answer = over_http.ask(over_http.machine(houses["Cedar"]), QUERY, currency="EUR")["ranking"]
    (own,) = answer["scores"]
    assert (answer["field"], own["position"], own["expectedRank"]) == ([], None, None)
    for name in ("expectedMinor", "rawIndex", "exposureFactor", "mixFactor", "countFactor"):
        assert own[name] is None
    assert own["segments"] == []
    score = score_of(bank, run, houses["Cedar"])
    api = over_http.machine(houses["Cedar"])
    assert over_http.ask(api, PACK, score=str(score.pk)) == {"rankingPack": None}
    absent = over_http.ask(over_http.machine(houses["Elm"]), QUERY, currency="EUR")["ranking"]
    assert (absent["scores"], absent["field"]) == ([], [])
    place(bank, houses["Elm"], 100_00, currency="EUR")
    clock.advance(days=10)
    assert len(compute(bank, "EUR").field) == 5


def test_where_one_agency_is_most_of_the_field_it_is_not_shown(bank, houses, clock):
    for name in NAMES:
        place(bank, houses[name], 100_00 if name != "Elm" else 500_00, currency="EUR")
    clock.advance(days=10)
    assert compute(bank, "EUR").field == []


def test_a_pack_is_ones_own_cells_and_adds_up_to_what_was_expected(bank, houses):
    run = compute(bank)
    score, rival = (score_of(bank, run, houses[name]) for name in ("Elm", "Alder"))
    with scope(houses["Elm"].actor()) as actor:
        text = pack_text(actor, score.pk)
        with pytest.raises(errors.NotFound):
            pack_text(actor, rival.pk)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sum(int(row["cash_counted_minor"]) for row in rows) == score.observed_minor
    expected = sum(float(row["expected_cash_minor"]) for row in rows)
    assert round(expected) == score.expected_minor
    for row in rows:
        again = float(row["expected_cash_per_balance_day"]) * int(row["balance_days_minor"])
        assert again == pytest.approx(float(row["expected_cash_minor"]), rel=1e-9)
    assert {row["balance"] for row in rows} == {"0", "2"}
    with scope(bank.actor("auditor")) as actor:
        assert pack_text(actor, score.pk) == text


def test_a_pack_withholds_what_would_tell_of_one_rival(bank, houses, clock):
    for name in ("Alder", "Birch"):
        place(bank, houses[name], *[3_000_00] * 5)  # a band that nobody else has
    clock.advance(days=40)
    score = score_of(bank, compute(bank), houses["Alder"])
    with scope(houses["Alder"].actor()) as actor:
        rows = list(csv.DictReader(io.StringIO(pack_text(actor, score.pk))))
    withheld = [row for row in rows if row["balance"] == "withheld"]
    assert [row["expected_cash_per_balance_day"] for row in withheld] == [""]
    assert all(row["balance"] != "3" for row in rows)
    assert round(sum(float(row["expected_cash_minor"]) for row in rows)) == score.expected_minor
    # Of the band of two alone, the rest would tell: cells of all five are withheld with it.
    assert int(withheld[0]["balance_days_minor"]) > 5 * 3_000_00 * 40
    with scope(houses["Alder"].actor()) as actor:
        (own,) = shown_ranking(actor, currency="USD").scores
    assert own.segments
    assert all("|3|" not in segment["stratum"] for segment in own.segments)
    with scope(bank.actor("auditor")) as actor:
        everything = shown_ranking(actor, currency="USD").scores
    assert any("|3|" in s["stratum"] for score in everything for s in score.segments)


def test_who_shares_its_loans_with_one_rival_alone_is_not_told_what_was_expected(
    bank, houses, clock
):
    for name in ("Alder", "Birch", "Cedar", "Damson", "Elm"):
        place(bank, houses[name], *[100_00] * 5, currency="EUR")
    lone = {name: world.make_agency(f"{name} Recoveries") for name in ("Fir", "Gorse")}
    for house in lone.values():
        world.join_panel(bank, house)
        place(bank, house, *[5_000_00] * 2, currency="EUR")
    clock.advance(days=40)
    run = compute(bank, "EUR")
    assert len(run.field) == 7
    told = {name_of(s): s.is_told for s in shown(bank, currency="EUR").scores}
    assert told == {name: name in NAMES for name in (*NAMES, *lone)}
    score = score_of(bank, run, lone["Fir"])
    with scope(lone["Fir"].actor()) as actor:
        (own,) = shown_ranking(actor, currency="EUR").scores
        assert (own.expected_minor, own.segments, own.curve) == (None, [], [])
        with pytest.raises(errors.NotFound):
            pack_text(actor, score.pk)


PACK = "query($score: ID!) { rankingPack(scoreId: $score) }"


def test_a_pack_over_graphql(bank, houses):
    run = compute(bank)
    own, rival = (score_of(bank, run, houses[name]) for name in ("Elm", "Alder"))
    api = over_http.machine(houses["Elm"])
    text = over_http.ask(api, PACK, score=str(own.pk))["rankingPack"]
    assert text.startswith("product,days_past_due,grade,balance,earlier_placements,month_on_book,")
    assert over_http.ask(api, PACK, score=str(rival.pk)) == {"rankingPack": None}


def test_without_standing_or_on_another_panel_there_is_no_ranking(bank, houses):
    compute(bank)
    stranger = world.make_agency()
    world.join_panel(world.make_bank(), stranger)
    nothing = {"ranking": None}
    assert over_http.ask(over_http.machine(stranger), QUERY, currency="USD") == nothing
    membership = world.join_panel(bank, stranger)
    api = over_http.machine(stranger)
    assert over_http.ask(api, QUERY, currency="USD")["ranking"]["scores"] == []
    with scope(bank.actor("compliance_officer")) as actor:
        panel.suspend(actor=actor, membership_id=membership.pk, reason="Licence has lapsed")
    assert over_http.ask(api, QUERY, currency="USD") == nothing


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
