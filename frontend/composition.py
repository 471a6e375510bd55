"""What some loans are like, as charts: each title says what is seen, not what is drawn."""

from babel import numbers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from frontend import charts
from frontend.templatetags import fairplace
from portfolios.services.portfolios import Band, Composition, Group

DAYS_PER_YEAR = 365
WHOLE_PPM = 1_000_000
SLIVER_PPM = 20_000
"""Bands at either end with less than this share of the loans are drawn as one."""


def of(composition: Composition, currency: str) -> list[dict]:
    """Charts for `{% render_chart %}`: by balance, age, region and grade, where there is any."""
    if not composition.loan_count:
        return []
    drawn = [by_balance(composition, currency), by_days_past_due(composition)]
    if any(group.name for group in composition.by_region):
        drawn.append(by_region(composition))
    if any(group.name for group in composition.by_grade):
        drawn.append(by_grade(composition))
    return drawn


def by_balance(composition: Composition, currency: str) -> dict:
    """How many loans owe how much."""
    bands = _gathered(composition.by_balance)
    largest = max(bands, key=lambda band: band.loan_count)
    return charts.distribution_bars(
        [(_amounts(band, currency), band.loan_count) for band in bands],
        title=_("%(share)s of the loans owe %(band)s")
        % {
            "share": _share(largest.loan_count, composition.loan_count),
            "band": _amounts(largest, currency),
        },
        description=_("Loans by unpaid balance."),
        subject=_("Balance"),
    )


def by_days_past_due(composition: Composition) -> dict:
    """How long they have been overdue."""
    bands = _gathered(composition.by_days_past_due)
    largest = max(bands, key=lambda band: band.loan_count)
    return charts.distribution_bars(
        [(ages(band), band.loan_count) for band in bands],
        title=_("%(share)s of the loans are %(band)s past due")
        % {
            "share": _share(largest.loan_count, composition.loan_count),
            "band": ages(largest),
        },
        description=_("Loans by how long they have been past due."),
        subject=_("Past due"),
    )


def by_region(composition: Composition) -> dict:
    """Where they are."""
    named = [group for group in composition.by_region if group.name]
    return charts.distribution_bars(
        [(_name(group), group.loan_count) for group in composition.by_region],
        title=_("%(region)s has %(share)s of the loans")
        % {
            "region": named[0].name,
            "share": _share(named[0].loan_count, composition.loan_count),
        },
        description=_("Loans by region, the largest first."),
        subject=_("Region"),
    )


def by_grade(composition: Composition) -> dict:
    """How they were graded when they were made."""
    named = [group for group in composition.by_grade if group.name]
    largest = max(named, key=lambda group: group.loan_count)
    return charts.distribution_bars(
        [(_name(group), group.loan_count) for group in composition.by_grade],
        title=_("Grade %(grade)s is the most frequent, %(share)s of the loans")
        % {
            "grade": largest.name,
            "share": _share(largest.loan_count, composition.loan_count),
        },
        description=_("Loans by the grade they had when they were made."),
        subject=_("Grade"),
    )


def _gathered(bands: list[Band]) -> list[Band]:
    """The bands with the slivers at either end put together."""
    few = sum(band.loan_count for band in bands) * SLIVER_PPM // WHOLE_PPM
    first, last = 0, len(bands)
    while last - first > 1 and sum(band.loan_count for band in bands[: first + 1]) <= few:
        first += 1
    while last - first > 1 and sum(band.loan_count for band in bands[last - 1 :]) <= few:
        last -= 1
    gathered = list(bands[first:last])
    if first > 1:
        gathered.insert(0, _joined(bands[:first], lower=0, upper=bands[first].lower))
    elif first:
        gathered.insert(0, bands[0])
    if len(bands) - last > 1:
        gathered.append(_joined(bands[last:], lower=bands[last].lower, upper=None))
    elif last < len(bands):
        gathered.append(bands[last])
    return gathered


def _joined(bands: list[Band], *, lower: int, upper: int | None) -> Band:
    return Band(
        lower,
        upper,
        sum(band.loan_count for band in bands),
        sum(band.balance_minor for band in bands),
    )


def _share(part: int, whole: int) -> str:
    return fairplace.rate(part * WHOLE_PPM // whole, 0)


def _amounts(band: Band, currency: str) -> str:
    if band.upper is None:
        return _("%(lower)s and more") % {"lower": _round(band.lower, currency)}
    if not band.lower:
        return _("less than %(upper)s") % {"upper": _round(band.upper, currency)}
    # One sign is enough, and two dollar signs would read as a formula to the chart's library.
    upper = numbers.format_compact_decimal(
        fairplace.major(band.upper, currency), locale=fairplace.locale()
    )
    return _("%(lower)s–%(upper)s") % {"lower": _round(band.lower, currency), "upper": upper}


def _round(amount_minor: int, currency: str) -> str:
    return numbers.format_compact_currency(
        fairplace.major(amount_minor, currency), currency, locale=fairplace.locale()
    )


def ages(band: Band) -> str:
    if band.upper is None:
        return _("%(lower)s or more") % {"lower": _age(band.lower)}
    if not band.lower:
        return _("less than %(upper)s") % {"upper": _age(band.upper)}
    if band.lower % DAYS_PER_YEAR or band.upper % DAYS_PER_YEAR:
        return _("%(lower)s–%(upper)s days") % {"lower": band.lower, "upper": band.upper - 1}
    years = {"lower": band.lower // DAYS_PER_YEAR, "upper": band.upper // DAYS_PER_YEAR}
    return _("%(lower)s–%(upper)s years") % years


def _age(days: int) -> str:
    if days % DAYS_PER_YEAR:
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}
    years = days // DAYS_PER_YEAR
    return ngettext("%(count)s year", "%(count)s years", years) % {"count": years}


def _name(group: Group) -> str:
    if group.name is None:
        return _("all others")
    return group.name or _("unknown")
