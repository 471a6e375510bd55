"""Countries by their ISO 3166-1 codes, as the CLDR knows them."""

from babel import Locale

NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
CODES = frozenset(
    code for code in Locale("en").territories if len(code) == 2 and code.isalpha()
).difference(NO_COUNTRIES)


def named(locale: Locale) -> list[tuple[str, str]]:
    """(code, name) in the language of `locale`, in the order of the names."""
    return sorted(((code, locale.territories[code]) for code in CODES), key=lambda pair: pair[1])
