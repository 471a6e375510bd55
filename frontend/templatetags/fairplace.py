"""How figures, moments and states read on a page, in the active language.

`{{ 123456|money:"USD" }}` $1,234.56 · `{{ 225000|rate }}` 22.5 % · `{{ 20000|integer }}` 20,000 ·
`{{ moment|zoned:"Asia/Shanghai" }}` · `{{ day|day }}` · `{% deadline moment %}` ·
`{{ state|badge }}` · `{% icon "gavel" %}`
"""

import functools
import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from config import clock
from config import money as exact
from frontend.templatetags import states
from portfolios import file_sentences

register = template.Library()

PPM_PER_CENT = 10_000
NO_VALUE = "–"
NARROW_SPACE = "\u202f"
SOON = timedelta(hours=24)
QUARTER = 4


@functools.cache
def _locale_of(language: str) -> Locale:
    return Locale.parse("zh_Hans_CN" if language.startswith("zh") else language, sep="_")


def locale() -> Locale:
    """Babel's locale of the active language."""
    return _locale_of((get_language() or "en").split("-u-")[0].replace("-", "_"))


def major(amount_minor: int, currency: str) -> Decimal:
    """`amount_minor` in the currency's main unit: 1234 USD → 12.34, 1234 JPY → 1234."""
    return Decimal(amount_minor).scaleb(-exact.exponent(currency))


def currency_sign(currency: str) -> str:
    """How the active language abbreviates a currency: $, CN¥."""
    return numbers.get_currency_symbol(currency, locale=locale())


@register.filter
def money(amount_minor: int | None, currency: str) -> str:
    """An amount in minor units as people write it, with the currency's sign."""
    if amount_minor is None:
        return NO_VALUE
    return exact.format_amount(amount_minor, currency, get_language() or "en")


@register.filter
def told(problem) -> str:
    """What is wrong in a row of a file, in the reader's language."""
    return file_sentences.told(problem)


@register.filter
def money_short(amount_minor: int | None, currency: str) -> str:
    """A large amount in few characters ($1.2M, ¥123万), for tiles and not for accounts."""
    if amount_minor is None:
        return NO_VALUE
    return numbers.format_compact_currency(
        major(amount_minor, currency), currency, locale=locale(), fraction_digits=1
    )


@register.filter
def rate(rate_ppm: int | None, digits: int | None = None) -> str:
    """Parts per million as per cent: all digits that it has, or rounded to `digits`."""
    if rate_ppm is None:
        return NO_VALUE
    per_cent = Decimal(rate_ppm) / PPM_PER_CENT
    pattern = "#,##0.####"
    if digits is not None:
        # The zero added takes away the sign of a zero that was a little less.
        per_cent = per_cent.quantize(Decimal(1).scaleb(-int(digits)), rounding=ROUND_HALF_UP) + 0
        pattern = "#,##0." + "0" * int(digits) if int(digits) else "#,##0"
    return numbers.format_decimal(per_cent, pattern, locale=locale()) + NARROW_SPACE + "%"


@register.filter
def integer(number: int | None) -> str:
    """A whole number with its thousands apart."""
    return NO_VALUE if number is None else numbers.format_decimal(number, locale=locale())


@register.filter
def as_json(value) -> str:
    """Plain data for an attribute: htmx drops every script of a part, also one of data."""
    return json.dumps(value, separators=(",", ":"))


@register.filter
def signed(number: float, digits: int = 1) -> str:
    """A number rounded to `digits` decimals, with its sign unless it is nothing."""
    rounded = round(number, digits) + 0.0
    figures = "#,##0." + "0" * digits
    pattern = f"+{figures};−{figures}" if rounded else figures
    return numbers.format_decimal(rounded, pattern, locale=locale())


@register.filter
def decimal(number: float | None, digits: int = 1) -> str:
    """A number rounded to `digits` decimals."""
    if number is None:
        return NO_VALUE
    return numbers.format_decimal(number, "#,##0." + "0" * digits, locale=locale())


def _date_pattern() -> str:
    return "y年M月d日" if locale().language == "zh" else "d MMM y"


def day_text(value: date) -> str:
    """A calendar day: 24 Nov 2026, 2026年11月24日."""
    return dates.format_date(value, _date_pattern(), locale=locale())


@register.filter
def month(value: date) -> str:
    """The month of a day: March 2026, 2026年3月."""
    return dates.format_skeleton("yMMMM", value, locale=locale())


def moment_text(moment: datetime, time_zone: str = "UTC") -> str:
    """A moment on the clock of `time_zone` (an IANA name), with the zone's short name."""
    local = moment.astimezone(ZoneInfo(time_zone))
    pattern = _date_pattern() + ("" if locale().language == "zh" else ",") + " HH:mm"
    return f"{dates.format_datetime(local, pattern, locale=locale())} {_zone_text(local)}"


def _zone_text(local: datetime) -> str:
    """The zone's abbreviation (EST), or its distance from UTC where it is not known by one."""
    name = dates.format_datetime(local, "z", tzinfo=local.tzinfo, locale=locale())
    if name[0] not in "+-":
        return name
    hours, minutes = int(name[1:3]), name[3:5]
    return f"UTC{name[0]}{hours}" + (f":{minutes}" if minutes != "00" else "")


@register.filter
def day(value: date | None) -> SafeString:
    """`<time>` of a calendar day."""
    if value is None:
        return mark_safe(NO_VALUE)
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), day_text(value))


@register.filter
def zoned(moment: datetime | None, time_zone: str = "UTC") -> SafeString:
    """`<time>` of a moment on the clock of `time_zone`; the zone and UTC are in its title."""
    if moment is None:
        return mark_safe(NO_VALUE)
    return format_html(
        '<time datetime="{}" title="{} · {}">{}</time>',
        moment.astimezone(UTC).isoformat(timespec="seconds"),
        time_zone,
        moment_text(moment),
        moment_text(moment, time_zone),
    )


def span_text(span: timedelta) -> str:
    """The two largest units of a positive span: 2 d 4 h, 4 h 10 min, 3 min."""
    minutes = int(span.total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min") % {"minutes": minutes}


def deadline_html(
    moment: datetime, now: datetime, time_zone: str = "UTC", opened_at: datetime | None = None
) -> SafeString:
    """ "in 2 d 4 h" and the moment itself.

    Amber in the last quarter of the time since `opened_at` (without it: the last 24 hours), red
    when it is past; the words say so too.
    """
    left = moment - now
    if left <= timedelta(0):
        tone, text = "danger", _("%(span)s overdue") % {"span": span_text(-left)}
    else:
        soon = (moment - opened_at) / QUARTER if opened_at else SOON
        tone = "warning" if left <= soon else "neutral"
        text = _("in %(span)s") % {"span": span_text(left)}
    return format_html(
        '<span class="deadline deadline-{}"><span class="deadline-left">{}</span> {}</span>',
        tone,
        text,
        zoned(moment, time_zone),
    )


@register.simple_tag(takes_context=True)
def deadline(
    context, moment: datetime | None, time_zone: str = "UTC", opened_at: datetime | None = None
) -> SafeString:
    """`{% deadline listing.closes_at institution.time_zone opened_at=listing.published_at %}`."""
    if moment is None:
        return mark_safe(NO_VALUE)
    now = context.get("now") or clock.now
    return deadline_html(moment, now() if callable(now) else now, time_zone, opened_at)


@register.filter
def badge(state: str | None) -> SafeString:
    """A state's words with its tone: never colour alone."""
    if not state:
        return mark_safe(NO_VALUE)
    label, tone = states.words(state)
    return format_html('<span class="badge-state tone-{}">{}</span>', tone, label)


@register.filter
def loans(count: int) -> str:
    """A count of loans in words: 1 loan, 20,000 loans."""
    return ngettext("%(count)s loan", "%(count)s loans", count) % {"count": integer(count)}


@functools.cache
def _drawing(name: str) -> str:
    folder = Path(settings.BASE_DIR) / "node_modules" / "lucide-static" / "icons"
    source = (folder / f"{name}.svg").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL)[1]).strip()


@register.simple_tag
def icon(name: str, label: str = "", size: int = 16) -> SafeString:
    """A lucide icon by name, drawn in the text's colour; silent unless it gets a `label`."""
    return format_html(
        '<svg class="icon" width="{0}" height="{0}" viewBox="0 0 24 24" fill="none"'
        ' stroke="currentColor" stroke-width="1.75" stroke-linecap="round"'
        ' stroke-linejoin="round" focusable="false" {1}>{2}</svg>',
        size,
        format_html('role="img" aria-label="{}"', label)
        if label
        else mark_safe('aria-hidden="true"'),
        mark_safe(_drawing(name)),
    )
