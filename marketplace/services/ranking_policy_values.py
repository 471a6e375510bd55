"""What a ranking policy may say: each value in its range, and all of them possible together."""

import itertools
from typing import Any

from django.utils.translation import gettext_lazy as _

from config import errors, money
from marketplace.models import RankingPolicy
from marketplace.services import exposures

LARGEST = 1_000_000_000
"""Of an amount in whole units, and of an edge."""
RANGES = {
    "window_months": (3, 60),
    "least_payment": (0, LARGEST),
    "least_share_ppm": (0, money.PPM),
    "lead_days": (0, 90),
    "settlement_floor_ppm": (0, money.PPM),
    "cap_quantile_ppm": (1, money.PPM),
    "tie_probability_ppm": (500_001, 999_999),
    "ranked_from_ppm": (0, money.PPM),
    "provisional_from_ppm": (0, money.PPM),
    "least_months": (0, 60),
    "smallest_field": (5, 1_000),
    "largest_share_ppm": (1, 500_000),
    "red_ratio_ppm": (1_000_001, 10 * money.PPM),
    "amber_ratio_ppm": (1_000_001, 10 * money.PPM),
}
"""Field → least and largest value; those of the table's constraint where it has some."""
FIELDS = ("strata", *RANGES)
MOST_STRATA = 6
MOST_EDGES = 12
SCORED = "score"
"""The one fact that may be below zero."""


def checked(policy: RankingPolicy, changes: dict[str, Any]) -> dict[str, Any]:
    """Those of `changes` that differ from what `policy` says, as they are kept.

    A value of None is one that was not given. Raises `InvalidInput` with the path of the field:
    `OUT_OF_RANGE`; `PROVISIONAL_ABOVE_RANKED`, `AMBER_ABOVE_RED`, `MONTHS_BEYOND_WINDOW` for values
    that cannot hold together; those of `checked_strata`; `NOTHING_CHANGED`. ValueError for a field
    that a policy has not.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    if unknown := given.keys() - set(FIELDS):
        raise ValueError(sorted(unknown))
    for name in RANGES.keys() & given.keys():
        _demand_range(name, given[name])
    if "strata" in given:
        given["strata"] = checked_strata(given["strata"])
    said = {name: given.get(name, getattr(policy, name)) for name in FIELDS}
    _demand_together(said)
    changed = {name: said[name] for name in FIELDS if said[name] != getattr(policy, name)}
    if not changed:
        raise errors.InvalidInput(
            "NOTHING_CHANGED", _("This is what the policy in force says already.")
        )
    return changed


def checked_strata(strata: list) -> list[list]:
    """Facts and their bands as they are kept: [name, edges or None], the weightiest first.

    Raises `InvalidInput` at `strata`, `strata.<number>.name` or `strata.<number>.edges`, counted
    from 0: `NO_STRATA`, `TOO_MANY_STRATA`, `UNKNOWN_STRATUM`, `STRATUM_TWICE`, and those of edges.
    """
    if not strata:
        raise errors.InvalidInput(
            "NO_STRATA", _("Name at least one fact by which loans are alike."), field="strata"
        )
    if len(strata) > MOST_STRATA:
        message = _("Loans are alike by at most %(most)s facts.") % {"most": MOST_STRATA}
        raise errors.InvalidInput("TOO_MANY_STRATA", message, field="strata")
    kept: list[list] = []
    for number, (name, edges) in enumerate(strata):
        where = f"strata.{number}"
        if name not in exposures.BANDED | exposures.PLAIN:
            raise errors.InvalidInput(
                "UNKNOWN_STRATUM", _("There is no such fact of a loan."), field=f"{where}.name"
            )
        if name in [other for other, _edges in kept]:
            raise errors.InvalidInput(
                "STRATUM_TWICE", _("This fact is named already."), field=f"{where}.name"
            )
        kept.append([name, _checked_edges(name, edges, f"{where}.edges")])
    return kept


def _checked_edges(name: str, edges: list | None, field: str) -> list[int] | None:
    if name in exposures.PLAIN:
        if edges is not None:
            raise errors.InvalidInput(
                "EDGES_WITHOUT_BANDS", _("Each value of this fact is a band."), field=field
            )
        return None
    if not edges:
        raise errors.InvalidInput("NO_EDGES", _("Say where its bands begin."), field=field)
    if len(edges) > MOST_EDGES:
        message = _("At most %(most)s bands can begin.") % {"most": MOST_EDGES}
        raise errors.InvalidInput("TOO_MANY_EDGES", message, field=field)
    lowest = -LARGEST if name == SCORED else 1
    if not all(type(edge) is int and lowest <= edge <= LARGEST for edge in edges):
        message = _("Give whole numbers between %(lowest)s and %(highest)s.") % {
            "lowest": lowest,
            "highest": LARGEST,
        }
        raise errors.InvalidInput("OUT_OF_RANGE", message, field=field)
    if any(edge >= following for edge, following in itertools.pairwise(edges)):
        raise errors.InvalidInput(
            "EDGES_NOT_INCREASING", _("Each band begins above the one before."), field=field
        )
    return list(edges)


def _demand_range(name: str, value: Any) -> None:
    lowest, highest = RANGES[name]
    if type(value) is int and lowest <= value <= highest:
        return
    limits = {"lowest": lowest, "highest": highest}
    message = _("Give a whole number between %(lowest)s and %(highest)s.") % limits
    raise errors.InvalidInput("OUT_OF_RANGE", message, field=name)


def _demand_together(said: dict[str, Any]) -> None:
    if said["provisional_from_ppm"] > said["ranked_from_ppm"]:
        raise errors.InvalidInput(
            "PROVISIONAL_ABOVE_RANKED",
            _("A provisional score cannot need more reliability than a place."),
            field="provisional_from_ppm",
        )
    if said["amber_ratio_ppm"] > said["red_ratio_ppm"]:
        raise errors.InvalidInput(
            "AMBER_ABOVE_RED", _("Amber cannot begin above red."), field="amber_ratio_ppm"
        )
    if said["least_months"] > said["window_months"]:
        raise errors.InvalidInput(
            "MONTHS_BEYOND_WINDOW",
            _("Nobody can have been there for longer than the ranking looks back."),
            field="least_months",
        )
