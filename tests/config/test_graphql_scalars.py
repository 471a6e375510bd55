"""Money, rates, moments and identifiers, as literals and as variables."""

import datetime
import json

import pytest
from django.test import override_settings

from config.graphql import scalars
from tests.config import toy_graphql as toy

pytestmark = pytest.mark.django_db

KEY = "0190f0c0-0000-7000-8000-000000000001"
LITERAL = '{ amountMinor: %s, loanId: "' + KEY + '" }'


@pytest.fixture(autouse=True)
def served():
    with override_settings(
        ROOT_URLCONF=toy.__name__, MIDDLEWARE=[f"{toy.__name__}.actor_middleware"]
    ):
        yield


def by_variable(client, **given):
    rows = [{"loanId": KEY, "amountMinor": given.pop("amount", 1)}]
    return toy.post(
        client,
        "mutation($input: RowsEchoInput!) { rowsEcho(input: $input) { totalMinor seen at } }",
        {"input": {"rows": rows, **given}},
    )


def by_literal(client, amount):
    return toy.post(
        client,
        "mutation { rowsEcho(input: { rows: [%s] }) { totalMinor } }" % (LITERAL % amount),
    )


@pytest.mark.parametrize("amount", [0, 1299, -5, 2**31, 2**63 - 1, -(2**63)])
def test_money_is_any_whole_number_of_64_bits(client, amount):
    for response in (by_variable(client, amount=amount), by_literal(client, amount)):
        assert response.status_code == 200
        assert response.json()["data"]["rowsEcho"]["totalMinor"] == amount


@pytest.mark.parametrize(
    "amount", ["12.99", "12.0", "1e3", "true", '"1299"', str(2**63), str(-(2**63) - 1), "9" * 5000]
)
def test_money_is_nothing_else(client, amount):
    assert by_literal(client, amount).json()["errors"][0]["extensions"]["code"] == (
        "VALIDATION_FAILED"
    )
    if len(amount) < 100:
        response = by_variable(client, amount=json.loads(amount))
        assert response.status_code == 400
        assert response.json()["errors"][0]["extensions"]["code"] == "VARIABLES_INVALID"


def test_money_that_is_no_whole_number_is_never_answered():
    for wrong in (12.99, True, "12", 2**63):
        with pytest.raises(Exception, match="whole number"):
            scalars.MinorUnits.serialize(wrong)


@pytest.mark.parametrize(
    ("rate", "status"), [(0, 200), (1_000_000, 200), (1_000_001, 400), (-1, 400)]
)
def test_a_rate_is_between_nothing_and_the_whole(client, rate, status):
    assert by_variable(client, ratePpm=rate).status_code == status


def test_a_moment_keeps_its_offset_and_is_answered_in_utc(client):
    response = by_variable(client, at="2026-03-01T09:30:00+08:00")
    assert response.json()["data"]["rowsEcho"]["at"] == "2026-03-01T01:30:00+00:00"


@pytest.mark.parametrize(
    "moment",
    ["2026-03-01T09:30:00", "2026-03-01", "soon", 1, True, "9999-12-31T23:59:59-14:00", ""],
)
def test_a_moment_without_an_offset_is_refused(client, moment):
    response = by_variable(client, at=moment)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "VARIABLES_INVALID"


def test_a_naive_moment_is_never_answered():
    with pytest.raises(Exception, match="offset"):
        scalars.DateTime.serialize(datetime.datetime(2026, 3, 1))


def test_identifiers_arrive_as_uuids_and_a_malformed_one_as_no_row(client):
    answer = toy.post(
        client, "query($ids: [ID]) { keys(ids: $ids) }", {"ids": [KEY, "garbage", "7"]}
    )
    nil = str(scalars.NO_ROW)
    assert answer.json() == {"data": {"keys": [KEY, nil, nil]}}


def test_rows_arrive_as_plain_dicts(client):
    seen = by_variable(client, amount=5).json()["data"]["rowsEcho"]["seen"]
    assert seen == f"[{{'loan_id': UUID('{KEY}'), 'amount_minor': 5}}]"


def test_choices_are_an_enumeration_both_ways(client):
    document = 'mutation { groupAdd(input: { name: "north", mood: %s }) { mood } }'
    assert toy.post(client, document % "CROSS").json()["data"]["groupAdd"]["mood"] == "CROSS"
    assert toy.post(client, document % "ANGRY").status_code == 400
    assert scalars.choices(toy.Mood, "Mood") is toy.MoodEnum
