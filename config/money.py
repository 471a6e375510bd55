"""Money as whole minor units beside an ISO 4217 code, rates as whole parts per million (ppm).

Every amount is rounded once, half away from zero, so that what is taken back mirrors what was
given.
"""

import copy
import re
from collections.abc import Sequence
from decimal import Decimal

from babel import Locale

from config import errors

PPM = 1_000_000
"""Parts per million that make a whole."""

LARGEST_AMOUNT_MINOR = 10**15
"""No single amount is larger: every sum of them stays far inside PostgreSQL's bigint."""

_CODES_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
        "CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
        "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL "
        "MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN "
        "PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
        "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
}
CURRENCIES: dict[str, int] = {
    code: exponent for exponent, codes in _CODES_BY_EXPONENT.items() for code in codes.split()
}
"""ISO 4217 code → number of decimals of its minor unit."""

_PLAIN_NUMBER = {mark: re.compile(rf"-?[0-9]+(?:[{mark}][0-9]+)?") for mark in (".", ",")}
_LONGEST_NUMBER = 60


def exponent(currency: str) -> int:
    """How many decimals the currency's minor unit has; `UNKNOWN_CURRENCY` if it is not listed."""
    if currency not in CURRENCIES:
        raise errors.InvalidInput(
            "UNKNOWN_CURRENCY", "The currency is not a code of ISO 4217 such as EUR."
        )
    return CURRENCIES[currency]


def round_half_away(numerator: int, denominator: int) -> int:
    """The whole number nearest to numerator ÷ denominator, halves away from zero.

    The denominator is positive, otherwise ValueError.
    """
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


def share(amount_minor: int, rate_ppm: int) -> int:
    """`rate_ppm` parts per million of an amount, rounded once."""
    return round_half_away(amount_minor * rate_ppm, PPM)


def split_by_shares(total: int, shares_ppm: Sequence[int]) -> list[int]:
    """Split a whole number in proportion to weights, so that the parts add up to it exactly.

    Largest remainder (Hamilton): each part is its quota cut towards zero, and what is left over
    goes one by one to the largest remainders, the earlier part first among equals. The weights
    need not add up to 1,000,000. A negative total mirrors the positive one.
    Raises `INVALID_SHARES` for a negative weight or when no weight is positive.
    """
    whole = sum(shares_ppm)
    if whole <= 0 or min(shares_ppm) < 0:
        raise errors.InvalidInput(
            "INVALID_SHARES", "Shares must not be negative, and one of them must be above zero."
        )
    sign = -1 if total < 0 else 1
    quotas = [divmod(abs(total) * weight, whole) for weight in shares_ppm]
    parts = [quota for quota, _ in quotas]
    largest_first = sorted(range(len(quotas)), key=lambda index: -quotas[index][1])
    for index in largest_first[: abs(total) - sum(parts)]:
        parts[index] += 1
    return [sign * part for part in parts]


def parse_number(text: str, *, decimal_mark: str = ".") -> Decimal:
    """A plain decimal number: digits, at most one decimal mark ("." or ","), a leading minus.

    Raises `INVALID_NUMBER` for anything else: grouping marks, exponents, NaN, infinity, signs of
    currency, or more than 60 characters.
    """
    text = text.strip()
    if len(text) > _LONGEST_NUMBER or not _PLAIN_NUMBER[decimal_mark].fullmatch(text):
        raise errors.InvalidInput(
            "INVALID_NUMBER",
            f'This is not a plain number: only digits and one "{decimal_mark}" are read, '
            "without thousands separators, currency signs or exponents.",
        )
    return Decimal(text.replace(decimal_mark, "."))


def minor_units(value: Decimal, currency: str, *, rounding: bool = False) -> int:
    """A finite decimal amount in minor units: exactly, or rounded once if `rounding`.

    Raises `UNKNOWN_CURRENCY`, `TOO_MANY_DECIMALS` (never dropped in silence: "12.500" is 12.5 to
    one reader and 12,500 to another), `AMOUNT_TOO_LARGE` beyond 10**15 minor units.
    """
    decimals = exponent(currency)
    if abs(value) > LARGEST_AMOUNT_MINOR:
        raise _too_large()
    if not rounding and -int(value.as_tuple().exponent) > decimals:
        raise errors.InvalidInput(
            "TOO_MANY_DECIMALS", f"An amount in {currency} has at most {decimals} decimals."
        )
    numerator, denominator = value.as_integer_ratio()
    amount_minor = round_half_away(numerator * 10**decimals, denominator)
    if abs(amount_minor) > LARGEST_AMOUNT_MINOR:
        raise _too_large()
    return amount_minor


def parse_amount(
    text: str, currency: str, *, decimal_mark: str = ".", rounding: bool = False
) -> int:
    """An amount written by people or systems, in minor units: `minor_units` of `parse_number`."""
    return minor_units(parse_number(text, decimal_mark=decimal_mark), currency, rounding=rounding)


def format_amount(amount_minor: int, currency: str, locale: str) -> str:
    """The amount as people of a locale ("en", "zh-hans") write it, with ISO 4217's decimals."""
    decimals = exponent(currency)
    babel_locale = Locale.parse(locale.replace("-", "_"))
    # CLDR shortens some currencies to what shops use; a ledger shows every minor unit there is.
    pattern = copy.copy(babel_locale.currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    value = Decimal(amount_minor).scaleb(-decimals)
    return pattern.apply(value, babel_locale, currency=currency, currency_digits=False)


def _too_large() -> errors.InvalidInput:
    return errors.InvalidInput(
        "AMOUNT_TOO_LARGE", "The amount is larger than any that can be recorded."
    )
