"""Rounding, parsing, splitting and showing of money."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import errors, money

AMOUNTS = st.integers(-(10**15), 10**15)
SHARES = st.lists(st.integers(0, 1_000_000), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 2, 3), (-5, 2, -3), (1, 3, 0), (2, 3, 1), (-2, 3, -1), (0, 7, 0), (7, 1, 7), (1, 2, 1)],
)
def test_halves_go_away_from_zero(numerator, denominator, expected):
    assert money.round_half_away(numerator, denominator) == expected


@pytest.mark.parametrize("denominator", [0, -3])
def test_a_denominator_is_positive(denominator):
    with pytest.raises(ValueError, match="positive"):
        money.round_half_away(1, denominator)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**12))
def test_rounding_mirrors_and_is_off_by_at_most_a_half(numerator, denominator):
    rounded = money.round_half_away(numerator, denominator)
    assert money.round_half_away(-numerator, denominator) == -rounded
    assert 2 * abs(rounded * denominator - numerator) <= denominator


@pytest.mark.parametrize(
    ("amount_minor", "rate_ppm", "expected"),
    [
        (12_340, 225_000, 2_777),  # 27.765, where half-even gives 27.76
        (380, 225_000, 86),  # 0.855, where binary floats give 0.85
        (-12_340, 225_000, -2_777),
        (1_800_000, 200_000, 360_000),
        (10**15, 1_000_000, 10**15),
        (0, 500_000, 0),
    ],
)
def test_share(amount_minor, rate_ppm, expected):
    assert money.share(amount_minor, rate_ppm) == expected


@given(AMOUNTS, st.integers(0, 1_000_000))
def test_share_agrees_with_decimal_arithmetic(amount_minor, rate_ppm):
    exact = Decimal(amount_minor) * rate_ppm / 1_000_000
    # decimal's ROUND_HALF_UP rounds halves away from zero.
    assert money.share(amount_minor, rate_ppm) == exact.to_integral_value(ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("total", "shares_ppm", "expected"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (1_320_000, [3_333_333, 3_333_333, 3_333_334], [440_000, 440_000, 440_000]),
        (10, [150_000, 850_000], [2, 8]),
        (7, [0, 1_000_000], [0, 7]),
        (0, [500_000, 500_000], [0, 0]),
        (1, [1, 2], [0, 1]),
    ],
)
def test_split_by_largest_remainder(total, shares_ppm, expected):
    assert money.split_by_shares(total, shares_ppm) == expected


@given(AMOUNTS, SHARES)
def test_parts_add_up_and_stay_within_one_of_their_quota(total, shares_ppm):
    parts = money.split_by_shares(total, shares_ppm)
    whole = sum(shares_ppm)
    assert sum(parts) == total
    assert all(
        abs(part * whole - total * share) < whole
        for part, share in zip(parts, shares_ppm, strict=True)
    )
    assert money.split_by_shares(-total, shares_ppm) == [-part for part in parts]


@pytest.mark.parametrize("shares_ppm", [[], [0, 0], [500_000, -1], [-5]])
def test_shares_that_share_nothing_are_refused(shares_ppm):
    with pytest.raises(errors.InvalidInput) as refusal:
        money.split_by_shares(100, shares_ppm)
    assert refusal.value.code == "INVALID_SHARES"


def test_exponents_of_iso_4217():
    expected = {"USD": 2, "EUR": 2, "CNY": 2, "GBP": 2, "INR": 2, "RSD": 2, "IDR": 2}
    expected |= {"JPY": 0, "KRW": 0, "VND": 0, "ISK": 0, "KWD": 3, "BHD": 3, "IQD": 3}
    assert {code: money.exponent(code) for code in expected} == expected
    assert len(money.CURRENCIES) >= 150
    assert all(len(code) == 3 and code.isupper() for code in money.CURRENCIES)


@pytest.mark.parametrize("currency", ["", "usd", "XXX", "DOLLAR", "BTC"])
def test_an_unknown_currency_is_refused(currency):
    with pytest.raises(errors.InvalidInput) as refusal:
        money.parse_amount("1", currency)
    assert refusal.value.code == "UNKNOWN_CURRENCY"


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("12.34", "USD", 1_234),
        (" 12.3 ", "USD", 1_230),
        ("12", "USD", 1_200),
        ("-0.05", "EUR", -5),
        ("-0", "EUR", 0),
        ("0012.30", "EUR", 1_230),
        ("1234", "JPY", 1_234),
        ("1.234", "KWD", 1_234),
        ("10000000000000.00", "USD", 10**15),
    ],
)
def test_parse_amount(text, currency, expected):
    assert money.parse_amount(text, currency) == expected


def test_a_decimal_comma_is_read_when_asked_for():
    assert money.parse_amount("1234,56", "EUR", decimal_mark=",") == 123_456
    with pytest.raises(errors.InvalidInput):
        money.parse_amount("1234.56", "EUR", decimal_mark=",")


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        ("", "USD", "INVALID_NUMBER"),
        ("abc", "USD", "INVALID_NUMBER"),
        ("NaN", "USD", "INVALID_NUMBER"),
        ("Infinity", "USD", "INVALID_NUMBER"),
        ("1e3", "USD", "INVALID_NUMBER"),
        ("1,234.56", "USD", "INVALID_NUMBER"),
        ("1 234", "USD", "INVALID_NUMBER"),
        ("1_000", "USD", "INVALID_NUMBER"),
        ("+5", "USD", "INVALID_NUMBER"),
        ("5.", "USD", "INVALID_NUMBER"),
        (".5", "USD", "INVALID_NUMBER"),
        ("$5", "USD", "INVALID_NUMBER"),
        ("1.2.3", "USD", "INVALID_NUMBER"),
        ("٣", "USD", "INVALID_NUMBER"),
        ("5\n6", "USD", "INVALID_NUMBER"),
        ("9" * 5_000, "USD", "INVALID_NUMBER"),
        ("7654.889999999999", "USD", "TOO_MANY_DECIMALS"),
        ("12.500", "USD", "TOO_MANY_DECIMALS"),
        ("1.0", "JPY", "TOO_MANY_DECIMALS"),
        ("10000000000000.01", "USD", "AMOUNT_TOO_LARGE"),
        ("-10000000000000.01", "USD", "AMOUNT_TOO_LARGE"),
        ("9" * 50, "USD", "AMOUNT_TOO_LARGE"),
    ],
)
def test_what_is_not_an_exact_amount_is_refused(text, currency, code):
    with pytest.raises(errors.InvalidInput) as refusal:
        money.parse_amount(text, currency)
    assert refusal.value.code == code
    assert refusal.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7654.889999999999", 765_489), ("0.005", 1), ("-0.005", -1), ("0.0049999", 0)],
)
def test_noise_is_rounded_once_when_asked_for(text, expected):
    assert money.parse_amount(text, "USD", rounding=True) == expected


@given(AMOUNTS, st.sampled_from(["USD", "JPY", "KWD"]))
def test_parsing_reads_back_what_was_written(amount_minor, currency):
    written = f"{Decimal(amount_minor).scaleb(-money.exponent(currency)):f}"
    assert money.parse_amount(written, currency) == amount_minor


@given(st.text(max_size=40))
def test_any_text_gives_an_amount_or_a_refusal(text):
    try:
        amount_minor = money.parse_amount(text, "USD", rounding=True)
    except errors.InvalidInput:
        return
    assert abs(amount_minor) <= money.LARGEST_AMOUNT_MINOR


@pytest.mark.parametrize(
    ("amount_minor", "currency", "locale", "expected"),
    [
        (123_456, "USD", "en", "$1,234.56"),
        (-123_456, "USD", "en", "-$1,234.56"),
        (100, "EUR", "de", "1,00\xa0€"),
        (1_234, "JPY", "en", "¥1,234"),
        (123_456, "CNY", "zh-hans", "¥1,234.56"),
        # CLDR drops the dinar's hundredths; an amount must not lose them.
        (123_456, "RSD", "en", "RSD1,234.56"),
        (10**15, "USD", "en", "$10,000,000,000,000.00"),
    ],
)
def test_format_amount(amount_minor, currency, locale, expected):
    assert money.format_amount(amount_minor, currency, locale) == expected
