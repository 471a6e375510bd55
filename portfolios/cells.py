"""Reading one cell: text in, a value or `FileRefused` out."""

import functools
import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal

from config import errors, money
from portfolios.file_messages import FileRefused
from portfolios.mappings.events import EVENT_OF_WORD, EVENTS

LARGEST_BALANCE_MINOR = 10**13
EARLIEST_YEAR = 1900
RATE_DECIMALS = {"fraction": 6, "percent": 4, "ppm": 0}
"""Unit of a rate → by how many decimals it is moved to be parts per million."""

_LONGEST_NUMBER = 60
_WHOLE_NUMBER = re.compile(r"(-?[0-9]{1,18})(?:\.0+)?")
_COMPACT_DAY = "%Y%m%d"
_CURRENCY_WORDS = {
    "RMB": "CNY",
    "人民币": "CNY",
    "元": "CNY",
    "美元": "USD",
    "欧元": "EUR",
    "港币": "HKD",
    "港元": "HKD",
    "英镑": "GBP",
    "日元": "JPY",
}
PRECISE = Context(prec=80)


def present(text: str) -> str:
    """The text, unless it is blank: `MISSING_VALUE`."""
    if not text:
        raise FileRefused("MISSING_VALUE")
    return text


def short_text(text: str, longest: int) -> str:
    """A text of at most `longest` characters, else `TOO_LONG`."""
    if len(text) > longest:
        raise FileRefused("TOO_LONG", longest=longest)
    return text


def reference_text(text: str) -> str:
    """A reference: 1 to 60 characters. Raises `MISSING_VALUE`, `TOO_LONG`."""
    return short_text(present(text), 60)


def digits_pattern(grouping: str, longest: int) -> str:
    """A regular expression of a whole number of at most `longest` digits, whose thousands may be
    set apart by `grouping`."""
    plain = f"[0-9]{{1,{longest}}}"
    if not grouping:
        return plain
    groups = f"(?:{re.escape(grouping)}[0-9]{{3}}){{1,{longest // 3}}}"
    return f"(?:[0-9]{{1,3}}{groups}|{plain})"


@functools.cache
def _number_shape(decimal_mark: str, grouping: str) -> re.Pattern[str]:
    whole = digits_pattern(grouping, _LONGEST_NUMBER)
    return re.compile(rf"-?{whole}(?:{re.escape(decimal_mark)}[0-9]+)?")


def number(text: str, *, decimal_mark: str = ".", grouping: str = "") -> Decimal:
    """A plain decimal number with at most one decimal mark, thousands set apart only by `grouping`.

    Raises `INVALID_NUMBER` for anything else: exponents, NaN, infinity, signs of currency, or more
    than 60 characters; `MISSING_VALUE` for blanks.
    """
    shape = _number_shape(decimal_mark, grouping)
    if len(present(text)) > _LONGEST_NUMBER or not shape.fullmatch(text):
        raise FileRefused("INVALID_NUMBER", decimal_mark=decimal_mark)
    if grouping:
        text = text.replace(grouping, "")
    return Decimal(text.replace(decimal_mark, "."))


def amount_minor(value: Decimal, currency: str, *, unit: str = "major") -> int:
    """An amount that is not negative, given in major or minor units, in minor units exactly.

    Raises `NEGATIVE_AMOUNT`, and as `signed_amount_minor`.
    """
    if value < 0:
        raise FileRefused("NEGATIVE_AMOUNT")
    if unit == "minor":
        if value != value.to_integral_value():
            raise FileRefused("MINOR_UNITS_ARE_WHOLE")
        value = value.scaleb(-money.exponent(currency), PRECISE)
    minor = signed_amount_minor(value, currency)
    if minor > LARGEST_BALANCE_MINOR:
        raise FileRefused("AMOUNT_TOO_LARGE")
    return minor


def signed_amount_minor(value: Decimal, currency: str) -> int:
    """An amount in minor units, exactly.

    Raises `AMOUNT_TOO_LARGE`, and `TOO_MANY_DECIMALS`: never dropped in silence, because "12.500"
    is 12.5 to one reader and 12,500 to another.
    """
    try:
        return money.minor_units(value, currency)
    except errors.InvalidInput as error:
        decimals = money.exponent(currency)
        raise FileRefused(error.code, currency=currency, decimals=decimals) from error


def rounded(value: Decimal, decimals: int) -> int:
    """The value moved by some decimals and rounded once, halves away from zero."""
    return int(value.scaleb(decimals, PRECISE).to_integral_value(ROUND_HALF_UP))


def rate_ppm(value: Decimal, unit: str) -> int:
    """A rate in ppm, 0 to 100 %, from a fraction, a percentage or ppm; `INVALID_RATE`."""
    # What is far out of range is refused before it is rounded: its digits are beyond counting.
    if (
        not -1 <= value <= 10 * money.PPM
        or not 0 <= rounded(value, RATE_DECIMALS[unit]) <= money.PPM
    ):
        raise FileRefused("INVALID_RATE")
    return rounded(value, RATE_DECIMALS[unit])


def day(text: str, formats: Iterable[str], *, as_of: date, may_be_future: bool = False) -> date:
    """A day from 1900 on. Raises `MISSING_VALUE`, `INVALID_DATE`, `FUTURE_DATE`."""
    formats = tuple(formats)
    present(text)
    for format_ in formats:
        # strptime would read 2024131 as some day.
        if format_ == _COMPACT_DAY and not (len(text) == 8 and text.isdigit()):
            continue
        try:
            found = datetime.strptime(text, format_).date()
        except ValueError:
            continue
        if found > as_of and not may_be_future:
            raise FileRefused("FUTURE_DATE", as_of=as_of.isoformat())
        if found.year >= EARLIEST_YEAR:
            return found
    raise FileRefused("INVALID_DATE", example=as_of.strftime(formats[0]))


def whole_number(text: str, lowest: int, highest: int) -> int:
    """A whole number, perhaps with `.0`; `INVALID_WHOLE_NUMBER` if it is none or out of bounds."""
    match = _WHOLE_NUMBER.fullmatch(present(text))
    if match is None or not lowest <= int(match[1]) <= highest:
        raise FileRefused("INVALID_WHOLE_NUMBER", lowest=f"{lowest:,}", highest=f"{highest:,}")
    return int(match[1])


def truth(text: str, true_words: Iterable[str], false_words: Iterable[str]) -> bool:
    """Whether the text is one of the words for true, in any case; `UNKNOWN_CHOICE` for others."""
    word = text.casefold()
    if word in true_words:
        return True
    if word in false_words:
        return False
    raise FileRefused("UNKNOWN_CHOICE", choices=", ".join([*true_words, *false_words]))


def iso_currency(text: str) -> str:
    """A code of ISO 4217; `MISSING_VALUE`, `UNKNOWN_CURRENCY`."""
    if present(text) not in money.CURRENCIES:
        raise FileRefused("UNKNOWN_CURRENCY")
    return text


def same_currency(text: str, currency: str) -> str:
    """The currency if the text is its code or a usual name of it, else `WRONG_CURRENCY`."""
    code = iso_currency(_CURRENCY_WORDS.get(text, text))
    if code != currency:
        raise FileRefused("WRONG_CURRENCY", given=code, expected=currency)
    return code


def event(text: str) -> str:
    """The event that a word stands for, in any case; `UNKNOWN_CHOICE` for others."""
    word = present(text).casefold().replace(" ", "_").replace("-", "_")
    if word not in EVENT_OF_WORD:
        raise FileRefused("UNKNOWN_CHOICE", choices=", ".join(EVENTS))
    return EVENT_OF_WORD[word]
