"""A ranking policy in words: what each value is called, what it says, and what it decides."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from frontend import tables
from frontend.templatetags import fairplace
from marketplace.models import RankingPolicy
from marketplace.services.ranking_policy_values import FIELDS

FACTS = {
    "days_past_due": gettext_lazy("Days past due"),
    "balance": gettext_lazy("Balance"),
    "earlier_placements": gettext_lazy("Earlier placements"),
    "score": gettext_lazy("Score"),
    "product": gettext_lazy("Product"),
    "grade": gettext_lazy("Grade"),
    "region": gettext_lazy("Region"),
}
LABELS = {
    "strata": gettext_lazy("Loans are alike by"),
    "window_months": gettext_lazy("Months looked back"),
    "least_payment": gettext_lazy("Least payment of a month"),
    "least_share_ppm": gettext_lazy("Least payment as part of the balance"),
    "lead_days": gettext_lazy("Days before payments at the bank count"),
    "settlement_floor_ppm": gettext_lazy("Settlement floor"),
    "cap_quantile_ppm": gettext_lazy("Quantile at which a loan's cash is capped"),
    "ranked_from_ppm": gettext_lazy("Reliability from which an agency is ranked"),
    "provisional_from_ppm": gettext_lazy("Reliability from which it is provisional"),
    "least_months": gettext_lazy("Months before an agency is ranked"),
    "tie_probability_ppm": gettext_lazy("Certainty that ends a shared place"),
    "amber_ratio_ppm": gettext_lazy("Complaints above which conduct is amber"),
    "red_ratio_ppm": gettext_lazy("Complaints above which conduct is red"),
    "smallest_field": gettext_lazy("Agencies needed before the field is shown"),
    "largest_share_ppm": gettext_lazy("Largest share of one agency in a shown field"),
}
NOTES = {
    "window_months": gettext_lazy("Of 30 days each."),
    "least_payment": gettext_lazy(
        "In whole units of the currency. A month with less counts as one without a payment."
    ),
    "least_share_ppm": gettext_lazy(
        "Of the balance on the first day. A month with less counts as one without a payment."
    ),
    "lead_days": gettext_lazy("What reached the bank earlier was on its way before."),
    "settlement_floor_ppm": gettext_lazy(
        "Money of loans that were settled for a smaller part of their balance does not count."
    ),
    "cap_quantile_ppm": gettext_lazy(
        "What one loan brought beyond it does not count, so that no single loan decides."
    ),
    "ranked_from_ppm": gettext_lazy("The part of the differences that is not chance."),
    "provisional_from_ppm": gettext_lazy("Below, there is too little data."),
    "least_months": gettext_lazy("With loans, within the months looked back."),
    "tie_probability_ppm": gettext_lazy(
        "Agencies share a place unless the first of them is better with this certainty."
    ),
    "amber_ratio_ppm": gettext_lazy("Of what is usual for as much work. It is ranked, and marked."),
    "red_ratio_ppm": gettext_lazy("Of what is usual for as much work. It has no place."),
    "smallest_field": gettext_lazy("Among fewer, an agency sees itself alone."),
    "largest_share_ppm": gettext_lazy("Where one has more of the loans, the others see no field."),
}
GROUPS = (
    (
        gettext_lazy("What counts"),
        (
            "window_months",
            "least_payment",
            "least_share_ppm",
            "lead_days",
            "settlement_floor_ppm",
            "cap_quantile_ppm",
        ),
    ),
    (
        gettext_lazy("Who has a place"),
        ("ranked_from_ppm", "provisional_from_ppm", "least_months", "tie_probability_ppm"),
    ),
    (gettext_lazy("Conduct"), ("amber_ratio_ppm", "red_ratio_ppm")),
    (
        gettext_lazy("What agencies are shown of others"),
        ("smallest_field", "largest_share_ppm"),
    ),
)
"""Values that belong together, besides the strata."""


def strata(policy: RankingPolicy) -> list[str]:
    """`Balance: 500 · 1,000`, the weightiest fact first."""
    found = []
    for name, edges in policy.strata:
        if edges is None:
            found.append(str(FACTS[name]))
        else:
            bands = " · ".join(fairplace.integer(edge) for edge in edges)
            found.append(
                _("%(fact)s, bands from %(edges)s") % {"fact": FACTS[name], "edges": bands}
            )
    return found


def value(policy: RankingPolicy, name: str) -> str:
    """What a policy says in one of its fields."""
    if name == "strata":
        return "; ".join(strata(policy))
    said = getattr(policy, name)
    return fairplace.rate(said) if name.endswith("_ppm") else fairplace.integer(said)


def groups(policy: RankingPolicy) -> list[tuple]:
    """(heading, [(label, value with what it decides)]) of what belongs together."""
    return [
        (
            heading,
            [(LABELS[name], tables.noted(value(policy, name), NOTES[name])) for name in names],
        )
        for heading, names in GROUPS
    ]


def differences(before: RankingPolicy, after: RankingPolicy) -> list[tuple]:
    """(label, value before, value after) of each field in which two versions differ."""
    return [
        (LABELS[name], value(before, name), value(after, name))
        for name in FIELDS
        if getattr(before, name) != getattr(after, name)
    ]
