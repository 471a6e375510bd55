"""Ranking: the panel as the bank sees it, and an agency among a field without names."""

import dataclasses

import django_tables2
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from agencies.selectors import time_zone_of
from config import errors
from frontend import charts, tables
from frontend.access import page
from frontend.templatetags import fairplace
from marketplace.selectors import ShownRanking, ShownRow, ranked, shown_ranking
from marketplace.services import rankings
from portfolios.selectors import visible_placements

VIEWERS = (
    policies.VENDOR_MANAGERS
    | policies.COMPLIANCE_OFFICERS
    | policies.AUDITORS
    | policies.AGENCY_ADMINISTRATORS
)
PER_LOANS = 1000


class RankingTable(tables.Table):
    caption = gettext_lazy("Agencies by success rate, the highest first")

    position = tables.IntegerColumn(verbose_name=gettext_lazy("Rank"))
    agency_name = django_tables2.Column(verbose_name=gettext_lazy("Agency"))
    rate_ppm = tables.RateColumn(verbose_name=gettext_lazy("Success rate"))
    compared = django_tables2.Column(verbose_name=gettext_lazy("Against the panel"))
    recovered_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Confirmed net"))
    loans = tables.IntegerColumn(verbose_name=gettext_lazy("Loans"))
    upheld_per_thousand = tables.IntegerColumn(verbose_name=gettext_lazy("Upheld per 1,000 loans"))
    complaints_received = tables.IntegerColumn(verbose_name=gettext_lazy("Received"))

    def render_rate_ppm(self, value, record):
        return _noted(fairplace.rate(value, 1), record["interval"])

    def render_recovered_minor(self, value, record):
        placed = fairplace.money(record["placed_minor"], record["currency"])
        return _noted(
            fairplace.money(value, record["currency"]), _("of %(placed)s") % {"placed": placed}
        )

    def render_upheld_per_thousand(self, value, record):
        upheld = fairplace.integer(record["complaints_upheld"])
        return _noted(fairplace.decimal(value), _("%(count)s upheld") % {"count": upheld})


def _noted(value: str, note: str):
    return format_html('{}<span class="cell-note">{}</span>', value, note)


def _record(row: ShownRow, ranking: ShownRanking) -> dict:
    """A row of the ranking as the pages show it."""
    return {
        **dataclasses.asdict(row),
        "currency": ranking.currency,
        "interval": _interval(row),
        "compared": _compared(row, ranking.pooled_rate_ppm),
        "upheld_per_thousand": row.complaints_upheld * PER_LOANS / row.loans,
    }


def _interval(row: ShownRow) -> str:
    if row.low_ppm is None:
        return _("too little data")
    return f"{fairplace.rate(row.low_ppm, 1)} – {fairplace.rate(row.high_ppm, 1)}"


def _compared(row: ShownRow, pooled_rate_ppm: int | None) -> str:
    """What the interval says about an agency and the panel as a whole, in words."""
    if row.low_ppm is None:
        return _("too little data to say")
    if row.is_distinguishable is None:
        return ""
    if not row.is_distinguishable:
        return _("not distinguishable from the panel")
    above = row.rate_ppm > (pooled_rate_ppm or 0)
    return _("above the panel") if above else _("below the panel")


@page(allow=VIEWERS)
def ranking(request: HttpRequest) -> HttpResponse:
    """The newest ranking in the chosen currency, and of an agency's the chosen bank."""
    actor = request.actor
    is_agency = actor.kind == "agency"
    choices = _choices(actor)
    chosen = _chosen(request, choices)
    found = None
    if chosen:
        institution_id, _name, currency = chosen
        found = shown_ranking(actor, currency=currency, institution_id=institution_id)
    context = {
        "title": _("Ranking"),
        "lead": _("How much of what was placed came back, agency by agency.")
        if not is_agency
        else _("How much of what was placed with you came back, and where that puts you."),
        "tabs": _tabs(choices, chosen, is_agency),
        "currency": chosen[2] if chosen else "",
        "ranking": found,
        "may_compute": policies.allows(actor, policies.VENDOR_MANAGERS),
        "time_zone": time_zone_of(actor),
    }
    if found:
        context |= _own(found) if is_agency else _panel(request, found)
    template = "own.html" if is_agency else "panel.html"
    return render(request, f"frontend/rankings/{template}", context)


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def compute(request: HttpRequest) -> HttpResponse:
    """Rank again now, with everything confirmed until this moment."""
    currency = request.POST.get("currency", "")
    try:
        rankings.compute(actor=request.actor, currency=currency)
    except errors.InvalidState as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Computed with everything confirmed until now."))
    return redirect(f"{reverse('ranking')}?currency={currency}")


def _choices(actor) -> list[tuple]:
    """(institution, its name, currency): what was ranked, and for the bank what could be."""
    if actor.kind == "agency":
        return ranked(actor)
    institution = selectors.find(selectors.visible_institutions(actor))
    placed = visible_placements(actor).order_by().values_list("currency", flat=True).distinct()
    return [(institution.pk, institution.name, currency) for currency in sorted(placed)]


def _chosen(request: HttpRequest, choices: list[tuple]) -> tuple | None:
    """The one that the address names; else the first."""
    wanted = (request.GET.get("institution"), request.GET.get("currency"))
    for institution_id, name, currency in choices:
        if wanted[0] in (None, str(institution_id)) and wanted[1] in (None, currency):
            return institution_id, name, currency
    return choices[0] if choices else None


def _tabs(choices: list[tuple], chosen: tuple | None, is_agency: bool) -> list[dict]:
    if len(choices) < 2:
        return []
    return [
        {
            "label": f"{one[1]} · {one[2]}" if is_agency else one[2],
            "url": f"?institution={one[0]}&currency={one[2]}"
            if is_agency
            else f"?currency={one[2]}",
            "current": one == chosen,
            "count": None,
        }
        for one in choices
    ]


def _panel(request: HttpRequest, found: ShownRanking) -> dict:
    """What the bank is shown of a ranking."""
    records = [_record(row, found) for row in found.rows]
    points = [
        _point(row.agency_name, row.rate_ppm, row.low_ppm, row.high_ppm)
        for row in found.rows
        if row.low_ppm is not None
    ]
    return {
        "table": RankingTable(records, request=request),
        "too_little": len(found.rows) - len(points),
        "chart": points
        and charts.bar_with_interval(
            points,
            title=_finding(found),
            description=_caterpillar(len(found.rows) - len(points)),
            subject=_("Agency"),
            measure=_("Success rate"),
            pooled_ppm=found.pooled_rate_ppm,
        ),
    }


def _finding(found: ShownRanking) -> str:
    """The one sentence that the chart shows."""
    apart = [row for row in found.rows if row.is_distinguishable]
    if not apart:
        return _("No agency can be told apart from the panel")
    above = sum(row.rate_ppm > (found.pooled_rate_ppm or 0) for row in apart)
    return _(
        "%(above)s above the panel, %(below)s below; the other %(rest)s cannot be told apart"
    ) % {
        "above": above,
        "below": len(apart) - above,
        "rest": len(found.rows) - len(apart),
    }


def _caterpillar(left_out: int) -> str:
    text = _("Point: success rate. Line: its 95-percent interval, by chance alone.")
    if left_out:
        text += " " + ngettext(
            "%(count)d agency with too little data is left out.",
            "%(count)d agencies with too little data are left out.",
            left_out,
        ) % {"count": left_out}
    return text


def _own(found: ShownRanking) -> dict:
    """What an agency is shown: itself, and the field without names."""
    row = found.rows[0] if found.rows else None
    return {"row": row and _record(row, found), "chart": _field_chart(found, row)}


def _field_chart(found: ShownRanking, row: ShownRow | None) -> dict | None:
    """The field as points; the viewer's own stands out."""
    own = row and (row.rate_ppm, row.low_ppm, row.high_ppm, row.loans)
    points = []
    for place, point in enumerate(found.field, 1):
        bounds = (point["low_ppm"], point["high_ppm"])
        mine = own == (point["rate_ppm"], *bounds, point["loans"])
        if mine:
            own = None
        if bounds[0] is not None:
            label = _("You") if mine else _("Agency %(place)s") % {"place": place}
            points.append(_point(label, point["rate_ppm"], *bounds, highlight=mine))
    if not points:
        return None
    return charts.bar_with_interval(
        points,
        title=_("You are %(position)s of %(count)s")
        % {"position": row.position, "count": len(found.field)}
        if row
        else _("The field without you"),
        description=_caterpillar(len(found.field) - len(points)),
        subject=_("Agency"),
        measure=_("Success rate"),
        pooled_ppm=found.pooled_rate_ppm,
    )


def _point(label: str, rate_ppm: int, low_ppm: int, high_ppm: int, *, highlight=False) -> dict:
    """The bounds of a bootstrap need not enclose the rate itself; a chart's must."""
    return {
        "label": label,
        "rate_ppm": rate_ppm,
        "lower_ppm": min(low_ppm, rate_ppm),
        "upper_ppm": max(high_ppm, rate_ppm),
        "highlight": highlight,
    }
