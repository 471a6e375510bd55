"""Success by means in words: tiles, the chart with its finding, and how it is counted."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from frontend import charts, composition
from frontend.templatetags import fairplace
from portfolios.selectors.coverage import Coverage
from portfolios.selectors.keeping import Keeping
from portfolios.selectors.means import Means, stage_limits
from portfolios.selectors.observed import rate_ppm
from portfolios.selectors.success import Part
from portfolios.services.portfolios import Band

BARS_MIN = 2
"""Of one measure there is nothing to compare."""


def stage(number: int) -> str:
    """A band of days past due in words."""
    return composition.ages(Band(*stage_limits(number), 0, 0))


def days(count: int | None) -> str:
    if count is None:
        return fairplace.NO_VALUE
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": fairplace.integer(count)}


def some_of(some: int, whole: int) -> str:
    """How many of how many."""
    shown = {"some": fairplace.integer(some), "all": fairplace.integer(whole)}
    return _("%(some)s of %(all)s") % shown


def tiles(part: Part, currency: str) -> list[dict]:
    """{label, value, note}: the figures that matter most, each with what it is made of."""
    return [
        {
            "label": _("Confirmed net"),
            "value": fairplace.money(part.brought.recovered_minor, currency),
            "note": _("less reversals"),
        },
        _promises(part.keeping),
        _plans(part.keeping),
        _touched(part.coverage),
        _halves(part.coverage),
    ]


def _promises(keeping: Keeping) -> dict:
    counts = {
        "kept": fairplace.integer(keeping.kept_count),
        "broken": fairplace.integer(keeping.broken_count),
        "open": fairplace.integer(keeping.open_count),
        "lapsed": fairplace.integer(keeping.lapsed_count),
    }
    return {
        "label": _("Promises kept"),
        "value": fairplace.rate(keeping.kept_ppm, 1),
        "note": _("%(kept)s kept, %(broken)s broken, %(open)s open, %(lapsed)s lapsed") % counts,
    }


def _plans(keeping: Keeping) -> dict:
    counts = {
        "three": some_of(keeping.alive_after_three_count, keeping.due_after_three_count),
        "six": some_of(keeping.alive_after_six_count, keeping.due_after_six_count),
        "signed": fairplace.integer(keeping.plan_count),
    }
    return {
        "label": _("Plans alive after 3 · 6 months"),
        "value": _pair(keeping.alive_after_three_ppm, keeping.alive_after_six_ppm),
        "note": _("%(three)s · %(six)s; %(signed)s signed") % counts,
    }


def _touched(coverage: Coverage) -> dict:
    counts = {
        "days": days(coverage.longest_days),
        "loans": fairplace.loans(coverage.loan_count),
        "count": fairplace.integer(coverage.on_hold_count),
    }
    return {
        "label": _("Touched in 7 · 30 days"),
        "value": _pair(coverage.short_ppm, coverage.long_ppm),
        "note": _("of %(loans)s, without %(count)s on hold; longest untouched %(days)s") % counts,
    }


def _halves(coverage: Coverage) -> dict:
    rates = {
        "upper": fairplace.rate(coverage.upper_ppm, 0),
        "lower": fairplace.rate(coverage.lower_ppm, 0),
    }
    return {
        "label": _("Which loans are worked"),
        "value": coverage.leaning.label,
        "note": _("touched in 30 days: larger half %(upper)s, smaller half %(lower)s") % rates,
    }


def _pair(first_ppm: int | None, second_ppm: int | None) -> str:
    return f"{fairplace.rate(first_ppm, 1)} · {fairplace.rate(second_ppm, 1)}"


def chart(part: Part, currency: str) -> dict | None:
    """Confirmed money by the measure that came before it, the most first."""
    paid = [(one, found.recovered_minor) for one, found in part.means.items()]
    bars = sorted((bar for bar in paid if bar[1]), key=lambda bar: -bar[1])
    if len(bars) < BARS_MIN:
        return None
    (best, most_minor), total_minor = bars[0], part.brought.recovered_minor
    share = fairplace.rate(rate_ppm(most_minor, total_minor), 0)
    if best is Means.NONE:
        title = _("%(share)s came without a contact in the 30 days before") % {"share": share}
    else:
        title = _("%(share)s followed one measure: %(means)s") % {
            "share": share,
            "means": best.label,
        }
    return charts.distribution_bars(
        [(str(one.label), minor) for one, minor in bars],
        title=title,
        description=_("Confirmed money less reversals, by what came before it."),
        subject=_("Measure"),
        measure=_("Confirmed net"),
        currency=currency,
    )


def definitions() -> list[tuple[str, str]]:
    """(what, how it is counted)."""
    return [
        (
            _("Measure"),
            _(
                "A payment is put down to the last contact on the same loan on its value date or"
                " in the 30 days before, whatever its outcome; without one it came by itself."
                " Only confirmed money counts, less reversals."
            ),
        ),
        (
            _("Loans tried"),
            _(
                "Loans on which the measure was used at all, with what they owed at placement."
                " A loan on which two measures were tried counts for both."
            ),
        ),
        (_("Stage"), _("Days past due when the loan was placed.")),
        (
            _("Promise"),
            _(
                "Kept if confirmed money from the day it was logged to 3 days after it was due"
                " reaches its amount. Money serves one promise, the earliest due first. A promise"
                " lapses if the placement is over before."
            ),
        ),
        (
            _("Plan"),
            _(
                "The promises of one loan with at least three different due days. While it runs,"
                " payments are put down to it. It is alive after 3 (6) months if every promise due"
                " until then was kept; it is asked once those months have passed."
            ),
        ),
        (
            _("Coverage"),
            _(
                "Loans held now, without those on hold, that had any contact in the last 7 or 30"
                " days. The halves are above and up to the agency's median balance; they are said"
                " to differ only beyond chance."
            ),
        ),
    ]
