"""Strata of a ranking in words, and the coarse segments that a table of agencies can show."""

import dataclasses
from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config import money
from frontend.templatetags import fairplace
from marketplace.selectors import ShownRanking

SEPARATOR = "|"
"""Between the bands of a stratum, as `marketplace.services.exposures` writes them."""
COARSE_BANDS = 2
LEAST_PAYERS = 5
"""Expected payers below which a ratio says nothing."""
SUMS = ("observed_minor", "expected_minor", "expected_payers")

Key = tuple[tuple[int, str], ...]
"""The first bands of a stratum: the number of a band, or -1 and a value."""


@dataclasses.dataclass(frozen=True)
class Strata:
    """How the strata of one ranking are told: `bands` are (name, edges) as in its policy, `varied`
    the places of those bands in which its loans differ."""

    bands: list[tuple[str, list[int] | None]]
    varied: frozenset[int]
    currency: str

    @classmethod
    def of(cls, found: ShownRanking) -> "Strata":
        strata = [
            segment["stratum"].split(SEPARATOR)
            for score in found.scores
            for segment in score.segments
        ]
        varied = {
            place for place, values in enumerate(zip(*strata, strict=True)) if len(set(values)) > 1
        }
        bands = [(name, edges) for name, edges in found.run.policy.strata]
        return cls(bands, frozenset(varied), found.run.currency)

    def words(self, stratum: str) -> str:
        """`91–180 days · C · $500–$1K`: the bands of a stratum, without what all have in common."""
        return self._said(stratum.split(SEPARATOR))

    def coarse(self, segments: Iterable[dict]) -> dict[Key, dict[str, float]]:
        """Kind of loan by its first bands → what came in and what was expected of it. Kinds sort
        as their bands do."""
        found: dict[Key, dict[str, float]] = {}
        for segment in segments:
            key = self._key(segment["stratum"].split(SEPARATOR)[:COARSE_BANDS])
            sums = found.setdefault(key, dict.fromkeys(SUMS, 0))
            for name in sums:
                sums[name] += segment[name]
        return found

    def coarse_words(self, key: Key) -> str:
        return self._said([str(number) if number >= 0 else text for number, text in key])

    def _key(self, values: list[str]) -> Key:
        return tuple(
            (-1, value) if edges is None or not value else (int(value), "")
            for (_name, edges), value in zip(self.bands, values, strict=False)
        )

    def _said(self, values: list[str]) -> str:
        parts = [
            _band(name, edges, value, self.currency)
            for place, ((name, edges), value) in enumerate(zip(self.bands, values, strict=False))
            if place in self.varied or not self.varied
        ]
        return " · ".join(part for part in parts if part) or _("all alike")


def index(sums: dict[str, float]) -> float | None:
    """Observed ÷ expected; None where too few payers were expected for it to mean anything."""
    if sums["expected_payers"] < LEAST_PAYERS or sums["expected_minor"] <= 0:
        return None
    return sums["observed_minor"] / sums["expected_minor"]


def _band(name: str, edges: list[int] | None, value: str, currency: str) -> str:
    if edges is None:
        return value
    if not value:
        return _("no score") if name == "score" else ""
    low = edges[int(value) - 1] if int(value) else None
    high = edges[int(value)] if int(value) < len(edges) else None
    if name == "balance":
        return _range(low, high, lambda edge: _amount(edge, currency))
    if name == "days_past_due":
        return _("%(range)s days") % {"range": _range(low, high and high - 1, fairplace.integer)}
    if name == "earlier_placements":
        return _placements(low or 0, high and high - 1)
    return _("score %(range)s") % {"range": _range(low, high and high - 1, fairplace.integer)}


def _range(low: int | None, high: int | None, said) -> str:
    if low is None:
        return _("up to %(high)s") % {"high": said(high)}
    if high is None:
        return _("from %(low)s") % {"low": said(low)}
    return said(low) if low == high else f"{said(low)}–{said(high)}"


def _amount(edge: int, currency: str) -> str:
    return fairplace.money_short(edge * 10 ** money.exponent(currency), currency)


def _placements(low: int, high: int | None) -> str:
    if high == 0:
        return _("never placed before")
    if low == high:
        return ngettext("placed %(n)d time before", "placed %(n)d times before", low) % {"n": low}
    if high is None:
        return _("placed %(n)d times before or more") % {"n": low}
    return _("placed up to %(n)d times before") % {"n": high}
