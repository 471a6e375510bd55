"""What the database alone holds of a dispute: who may say what, and once."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from agencies.scope import scope
from config import clock as the_clock
from marketplace.models import RankingDispute, RankingScore
from tests import world
from tests.marketplace.disputing import (
    NOON,
    compute,
    object_to,
    objection,
    only_dispute,
    pair,
    score_of,
)
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(clock):
    clock.set(NOON)
    return world.make_bank("Hudson Bank")


@pytest.fixture
def houses(bank, clock):
    return pair(bank, clock, loans=40, paying=4, days=90)


@pytest.fixture
def score(bank, houses):
    return score_of(bank, compute(bank), houses["Elm"])


@pytest.fixture
def api(houses):
    return over_http.machine(houses["Elm"])


def fails(change, error=DatabaseError):
    with pytest.raises(error), transaction.atomic():
        change()


def test_the_database_keeps_what_was_said_and_lets_only_the_bank_answer_once(
    bank, houses, score, api
):
    object_to(api, **objection(score))
    rows = RankingDispute.objects
    told = {
        "state": "answered",
        "outcome": "not_corrected",
        "answer": "No",
        "answered_at": the_clock.now(),
        "answered_by": "Somebody",
    }
    with scope(houses["Elm"].actor()):
        assert rows.update(**told) == 0
        fails(lambda: rows.all().delete())
    with scope(bank.actor("vendor_manager")):
        fails(lambda: rows.update(statement="Nothing is wrong"))
        fails(lambda: rows.all().delete())
        fails(lambda: rows.update(**told | {"outcome": "corrected"}), IntegrityError)
        fails(lambda: rows.update(**told | {"answer": ""}), IntegrityError)
        assert rows.update(**told) == 1
        assert rows.update(answer="Yes") == 0
        fails(lambda: RankingScore.objects.update(index=2.0))
    assert only_dispute(bank).answer == "No"


def test_the_database_lets_an_agency_object_to_its_own_score_alone(bank, houses, score):
    rival = score_of(bank, score.run, houses["Alder"])
    row = {
        "institution_id": bank.institution.pk,
        "agency_id": houses["Elm"].agency.pk,
        "run_id": score.run_id,
        "score_id": score.pk,
        "subject": "other",
        "statement": "It is wrong",
        "raised_at": the_clock.now(),
        "raised_by": "Elm",
    }
    create = RankingDispute.objects.create
    with scope(houses["Elm"].actor()):
        fails(lambda: create(**row | {"score_id": rival.pk}), IntegrityError)
        fails(lambda: create(**row | {"agency_id": houses["Alder"].agency.pk}))
        fails(lambda: create(**row | {"subject": "payment"}), IntegrityError)
        fails(
            lambda: create(
                **row
                | {
                    "state": "answered",
                    "outcome": "not_corrected",
                    "answer": "We take it back",
                    "answered_at": the_clock.now(),
                    "answered_by": "Elm",
                }
            )
        )
        create(**row)
    with scope(bank.actor("vendor_manager")):
        fails(lambda: create(**row))
