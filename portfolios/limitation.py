"""Where a claim past limitation may no longer be collected at all, as data with its source.

In most places limitation is a defence that the borrower has to raise: a suit, or the threat of
one, is then out of the question, but asking for payment is not. In some the statute's own words
end the debt. Those are taken by their letter, also where courts leave it to the borrower to say so
and a payment made all the same is kept: what nobody can demand is not given to be collected.
"""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Law:
    """What the law of one jurisdiction says; `bars_action` where the right itself ends."""

    bars_action: bool
    source: str


LAWS = {
    "AU-NSW": Law(
        True, "Limitation Act 1969 (NSW), section 63(1): right and title to the debt end"
    ),
    "CA-QC": Law(True, "Code civil du Québec, articles 2875 and 2921: the right is extinguished"),
    "CN": Law(False, "民法典 (Civil Code), articles 192 and 193: a defence of the obligor"),
    "DE": Law(False, "BGB, § 214(1): a right to refuse performance"),
    "FR": Law(
        True,
        "Code civil, articles 2219 and 2249: the right is extinguished, what is paid is kept",
    ),
    "GB": Law(False, "Limitation Act 1980, section 5: no action; FCA Handbook, CONC 7.15.8 R"),
    "GB-SCT": Law(
        True,
        "Prescription and Limitation (Scotland) Act 1973, sections 6 and 7: obligations end",
    ),
    "US": Law(False, "12 CFR 1006.26(b): no suit and no threat of one"),
    "US-MS": Law(True, "Mississippi Code § 15-1-3(1): the right and the remedy end"),
    "US-WI": Law(True, "Wisconsin Statutes § 893.05: the right and the remedy end"),
    "ZA": Law(
        True,
        "Prescription Act 68 of 1969, section 10(1): the debt is extinguished;"
        " National Credit Act 34 of 2005, section 126B(1)(b): no further collection",
    ),
}
"""By ISO 3166 code. A part of a country that is not listed follows the country."""

BARRING = frozenset(code for code, law in LAWS.items() if law.bars_action)
EXCEPTIONS = frozenset(code for code, law in LAWS.items() if "-" in code and not law.bars_action)
"""Parts of a country in which, unlike perhaps in the rest of it, nothing is barred."""


def law_of(jurisdiction: str) -> Law | None:
    """The law for a country or a part of one; None where it is unknown, and a warning is due."""
    return LAWS.get(jurisdiction) or LAWS.get(jurisdiction[:2])
