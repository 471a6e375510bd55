"""Rankings come out again: from what was recorded before them, whatever came after."""

import datetime

import psycopg
import pytest
from django.core.management import CommandError, call_command

from agencies.scope import scope
from config import errors, watermarks
from marketplace.services import rankings
from tests import world
from tests.marketplace import uneven
from tests.marketplace.uneven import NOON, complain, compute, place

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
