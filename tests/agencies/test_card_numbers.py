"""Card numbers in free text."""

import pytest

from agencies.card_numbers import contains_card_number


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "paid with 4111 1111 1111 1111 today",
        "4111-1111-1111-1111",
        "3782 822463 10005",
        "378282246310005",
        "4222222222222",
        "６２００ ００００ ００００ ０００５",
        "6200000000000000000",
    ],
)
def test_a_card_number_is_found(text):
    assert contains_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4111111111111112",
        "411111111111",
        "41111111111111110000",
        "called 2030-01-15 and 212 555 0100, then 212 555 0199",
        "invoice 4111 1111 1111 1112",
        "0.4111 1111",
    ],
)
def test_other_numbers_are_left_alone(text):
    assert not contains_card_number(text)
