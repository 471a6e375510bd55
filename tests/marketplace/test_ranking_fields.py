"""What an agency sees of a ranking: itself, a field without names, and its own cells."""

import csv
import datetime
import io
import json

import pytest

from agencies.scope import scope
from agencies.services import panel
from config import errors
from marketplace.models import (
    RankingScore,
)
from marketplace.selectors import pack_text, shown_ranking
from tests import world
from tests.marketplace import uneven
from tests.marketplace.uneven import NAMES, NOON, compute, name_of, place, score_of, shown
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
