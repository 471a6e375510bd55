"""Strata in words: bands as people say them, and no word for what all loans have in common."""

from types import SimpleNamespace

import pytest
from django.utils import translation

from frontend import success_strata
from frontend.success_strata import Strata

BANDS = [
    ["product", None],
    ["days_past_due", [91, 181]],
    ["balance", [500, 1_000]],
    ["earlier_placements", [1, 2]],
    ["score", [600]],
]


def strata(*texts: str, currency: str = "USD") -> Strata:
    segments = [{"stratum": text} for text in texts]
    run = SimpleNamespace(policy=SimpleNamespace(strata=BANDS), currency=currency)
    return Strata.of(SimpleNamespace(run=run, scores=[SimpleNamespace(segments=segments)]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("card|0|0|0|", "card · up to 90 days · up to $500 · never placed before · no score"),
        (
            "card|1|1|1|0",
            "card · 91–180 days · $500–$1K · placed 1 time before · score up to 599",
        ),
        (
            "loan|2|2|2|1",
            "loan · from 181 days · from $1K · placed 2 times before or more · score from 600",
        ),
    ],
)
def test_bands_are_said_as_people_say_them(text, said):
    everything = strata("card|0|0|0|", "card|1|1|1|0", "loan|2|2|2|1")
    assert everything.words(text) == said


def test_what_all_have_in_common_is_not_said():
    some = strata("card|0|0|0|1", "card|1|0|0|1")
    assert some.words("card|1|0|0|1") == "91–180 days"
    assert strata("card|0|0|0|1").words("card|0|0|0|1").startswith("card · up to 90 days")


def test_amounts_are_in_the_units_of_the_currency_and_in_the_language():
    assert "¥500–¥1K" in strata("a|0|1|0|", "b|0|0|0|", currency="JPY").words("a|0|1|0|")
    with translation.override("zh-hans"):
        assert "首次委案" in strata("a|0|1|0|", "b|0|0|1|").words("a|0|1|0|")


def segment(stratum: str, observed: int, expected: int, payers: float) -> dict:
    return {
        "stratum": stratum,
        "observed_minor": observed,
        "expected_minor": expected,
        "expected_payers": payers,
    }


def test_kinds_of_loans_are_summed_and_stand_in_the_order_of_their_bands():
    told = strata("card|0|0|0|", "card|2|0|0|", "card|1|1|0|")
    kinds = told.coarse(
        [
            segment("card|2|0|0|", 30, 20, 9.0),
            segment("card|1|1|0|", 5, 10, 3.0),
            segment("card|1|0|0|", 10, 10, 3.0),
        ]
    )
    assert [told.coarse_words(key) for key in sorted(kinds)] == ["91–180 days", "from 181 days"]
    first, second = (kinds[key] for key in sorted(kinds))
    assert (success_strata.index(first), success_strata.index(second)) == (0.75, 1.5)
    assert success_strata.index(segment("", 10, 10, 4.9)) is None
    assert success_strata.index(segment("", 10, 0, 9.0)) is None
