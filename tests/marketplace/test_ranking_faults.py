"""What goes wrong beside a ranking stays beside it: another bank's fault, a late commit."""

import datetime
import logging

import pytest

from agencies.scope import scope
from config import errors
from marketplace import tasks
from marketplace.models import CurrentRanking, RankingCut, RankingRun, SuccessCell
from marketplace.selectors import pack_text
from marketplace.services import exposures, ranking_answers, ranking_policies, success_cells
from marketplace.services import rankings as ranking_service
from portfolios.models import Loan
from portfolios.services import placements
from tests import world
from tests.marketplace.uneven import NOON, compute, place, score_of, shown

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def bank(clock):
    clock.set(NOON)
    return world.make_bank("Hudson Bank")


@pytest.fixture
def pair(bank, clock):
    """Two agencies with ten loans each for forty days, of which three have paid."""
    made = [world.make_agency(), world.make_agency()]
    for house in made:
        world.join_panel(bank, house)
        for loan in place(bank, house, *[1000_00] * 10)[:3]:
            world.recover(bank, house, loan, 100_00)
    clock.set(NOON + 40 * DAY)
    return made


def runs(bank) -> int:
    with scope(bank.actor("auditor")):
        return RankingRun.objects.count()


def test_one_banks_fault_stops_no_other_ones_ranking(bank, pair, clock, monkeypatch, caplog):
    others = [world.make_bank(), world.make_bank()]
    for other in others:
        world.join_panel(other, pair[0])
        place(other, pair[0], 100_00)
    clock.advance(days=1)
    find = ranking_answers.find

    def broken(*, actor, question, is_kept):
        if question.policy.institution_id == bank.institution.pk:
            raise RuntimeError("a fault of ours")
        return find(actor=actor, question=question, is_kept=is_kept)

    monkeypatch.setattr(ranking_answers, "find", broken)
    with caplog.at_level(logging.ERROR, logger="marketplace.tasks"):
        tasks.compute_rankings()
    assert [runs(each) for each in (bank, *others)] == [0, 1, 1]
    (told,) = [record for record in caplog.records if record.name == "marketplace.tasks"]
    assert str(bank.institution.pk) in told.getMessage()
    monkeypatch.undo()
    tasks.compute_rankings()
    assert [runs(each) for each in (bank, *others)] == [1, 1, 1]


def test_two_sweeps_make_one_run(bank, pair, monkeypatch):
    """The second one waits for the first, and finds what it has done."""
    lock = ranking_policies.in_force
    waited = []

    def after_another(*, actor):
        if not waited:
            waited.append(True)
            ranking_service.compute(actor=actor, currency="USD")
        return lock(actor=actor)

    monkeypatch.setattr(ranking_policies, "in_force", after_another)
    with scope(bank.sweep) as actor:
        assert ranking_service.compute_due(actor=actor) == 0
    assert runs(bank) == 1


def test_what_commits_while_cells_are_counted_is_counted_the_next_time(
    bank, pair, clock, monkeypatch, owner
):
    with scope(bank.actor("auditor")):
        loan = Loan.objects.filter(agency=pair[0].agency).order_by("reference").last()
    recovery = world.recover(bank, pair[0], loan, 70_00)
    owner.execute(
        "create temp table late as select * from portfolios_confirmation where recovery_id = %s",
        [recovery.pk],
    )
    owner.execute("delete from portfolios_confirmation where id = (select id from late)")
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=loan.placement_id, reason="Rotation")
    # So long after its end that nothing but its money can change it.
    clock.set(NOON + 150 * DAY)
    find = exposures.find

    def find_and_commit(question):
        find(question)
        owner.execute(
            "insert into portfolios_confirmation select * from late on conflict do nothing"
        )

    monkeypatch.setattr(exposures, "find", find_and_commit)
    compute(bank)
    monkeypatch.undo()
    clock.advance(days=1)
    run = compute(bank)
    with scope(bank.actor("auditor")) as actor:
        assert all(ranking_service.verify(actor=actor, run_id=run.pk).values())
        kept = SuccessCell.objects.filter(placement=loan.placement_id)
        assert sum(kept.values_list("cash_minor", flat=True)) == 3 * 100_00 + 70_00
    with scope(bank.sweep) as actor:
        success_cells.forget(actor=actor, policy=ranking_policies.in_force(actor=actor))


def test_a_loan_of_next_to_nothing_that_paid_a_lot_is_ranked_with_the_others(bank, pair, clock):
    clock.set(NOON)
    lone = world.make_agency()
    world.join_panel(bank, lone)
    (loan,) = place(bank, lone, 1)
    world.recover(bank, lone, loan, 50_000_00)
    clock.set(NOON + 40 * DAY)
    run = compute(bank)
    assert score_of(bank, run, lone).rate_ppm == 1_000_000_000


def test_too_many_kinds_of_loans_are_told_as_such_and_change_nothing(bank, pair, monkeypatch):
    monkeypatch.setattr("marketplace.success.book.MOST_CELLS", 1)
    with pytest.raises(errors.InvalidState) as refusal:
        compute(bank)
    assert refusal.value.code == "TOO_MANY_STRATA"
    assert runs(bank) == 0
    assert shown(bank) is None


def test_no_product_is_a_formula_in_a_spreadsheet(bank, pair, clock):
    clock.set(NOON)
    houses = [world.make_agency() for _each in range(5)]
    for house in houses:
        world.join_panel(bank, house)
        part = world.make_portfolio(bank, balances_minor=[1000_00] * 10)
        with scope(bank.actor("vendor_manager")):
            Loan.objects.filter(portfolio=part).update(product="=HYPERLINK(1)")
        world.place(bank, house, part)
    clock.set(NOON + 40 * DAY)
    score = score_of(bank, compute(bank), houses[0])
    with scope(bank.actor("auditor")) as actor:
        lines = pack_text(actor, score.pk).splitlines()[1:]
    assert [line.partition(",")[0] for line in lines] == ["'=HYPERLINK(1)"] * 2


def test_the_database_hides_rankings_of_a_part_from_agencies(bank, pair):
    with scope(bank.actor("auditor")):
        portfolio = Loan.objects.filter(agency=pair[0].agency).first().portfolio
    whole = compute(bank)
    compute(bank, cut=RankingCut(portfolio.pk))
    compute(bank, cut=RankingCut(product="personal loan"))
    assert runs(bank) == 3
    for house in pair:
        with scope(house.actor()):
            assert [run.pk for run in RankingRun.objects.all()] == [whole.pk]
            assert [one.run_id for one in CurrentRanking.objects.all()] == [whole.pk]
