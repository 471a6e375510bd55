"""Where a claim past limitation may no longer be collected at all, as data with its source.

In most places limitation is a defence that the borrower has to raise: a suit, or the threat of
one, is then out of the question, but asking for payment is not. In some the right itself is gone.
"""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Law:
    """What the law of one jurisdiction says; `bars_action` where the right itself ends."""

    bars_action: bool
    source: str


LAWS = {
    "AU-NSW": Law(True, "Limitation Act 1969 (NSW), section 63: debts are extinguished"),
    "CN": Law(False, "民法典 (Civil Code), article 192: a defence of the obligor"),
    "DE": Law(False, "BGB, § 214: a right to refuse performance"),
    "FR": Law(True, "Code civil, article 2219: prescription extinguishes the right"),
    "GB-SCT": Law(
        True, "Prescription and Limitation (Scotland) Act 1973, section 6: obligations end"
    ),
    "US": Law(False, "12 CFR 1006.26(b): no suit and no threat of one"),
    "US-MS": Law(True, "Mississippi Code § 15-1-3: the right and the remedy end"),
    "US-WI": Law(True, "Wisconsin Statutes § 893.05: the right is extinguished"),
}
"""By ISO 3166 code. A part of a country that is not listed follows the country."""

BARRING = frozenset(code for code, law in LAWS.items() if law.bars_action)
EXCEPTIONS = frozenset(code for code, law in LAWS.items() if "-" in code and not law.bars_action)
"""Parts of a country in which, unlike perhaps in the rest of it, nothing is barred."""


def law_of(jurisdiction: str) -> Law | None:
    """The law for a country or a part of one; None where it is unknown, and a warning is due."""
    return LAWS.get(jurisdiction) or LAWS.get(jurisdiction[:2])
