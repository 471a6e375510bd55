"""Finding numbers of payment cards in free text, where they must not be kept (PCI DSS 3.2)."""

import re
import unicodedata

_RUN = re.compile(r"(?<![0-9])[0-9]{13,19}(?![0-9])")
_GROUPS = re.compile(
    r"(?<![0-9])[0-9]{4}([ .-])"
    r"(?:[0-9]{4}\1[0-9]{4}\1[0-9]{1,4}(?:\1[0-9]{1,3})?|[0-9]{6}\1[0-9]{4,5})(?![0-9])"
)


def contains_card_number(text: str) -> bool:
    """Whether 13 to 19 digits, in one run or in the groups printed on cards, pass Luhn's check.

    Full-width digits count as digits. Other runs of numbers that merely stand side by side, such
    as a date and a phone number, do not.
    """
    text = unicodedata.normalize("NFKC", text)
    found = [*_RUN.finditer(text), *_GROUPS.finditer(text)]
    return any(_is_luhn(re.sub("[^0-9]", "", match.group())) for match in found)


def _is_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
