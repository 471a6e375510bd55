"""Ranking of a panel, as the bank sees it: who achieved more than an average agency would have."""

import django_tables2
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import policies
from agencies.selectors import time_zone_of
from config import errors
from frontend import charts, ranking_cuts, success_strata, success_words, tables
from frontend.access import page
from frontend.charts.wording import times
from frontend.ranking_cuts import CutFilter
from frontend.success_strata import Strata
from frontend.templatetags import fairplace
from frontend.views import ranking_cards
from marketplace.models import WHOLE, RankingScore
from marketplace.selectors import ShownRanking, shown_ranking
from marketplace.services import rankings
from portfolios.selectors import visible_placements, visible_portfolios

BANK = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS | policies.AUDITORS
VIEWERS = BANK | policies.AGENCY_ADMINISTRATORS


class LeagueTable(tables.Table):
    caption = gettext_lazy("Agencies by what they achieved on the same loans, the best first")

    position = django_tables2.Column(
        verbose_name=gettext_lazy("Place"), order_by="order", empty_values=()
    )
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), order_by="agency_name", empty_values=()
    )
    index = tables.IntegerColumn(verbose_name=gettext_lazy("Against an average agency"))
    rate_ppm = tables.RateColumn(verbose_name=gettext_lazy("Raw rate"))
    reliability_ppm = tables.RateColumn(verbose_name=gettext_lazy("Reliability"), digits=0)
    light = django_tables2.Column(verbose_name=gettext_lazy("Conduct"))
    change = django_tables2.Column(verbose_name=gettext_lazy("Change"), orderable=False)

    def render_position(self, value, record):
        return value or fairplace.badge(record["status"])

    def render_agency(self, record):
        return tables.link(record["url"], record["agency_name"], record["note"])

    def render_index(self, value, record):
        return tables.noted(times(value), record["interval"])

    def render_rate_ppm(self, value, record):
        place = _("place %(place)s by it") % {"place": fairplace.integer(record["raw_position"])}
        return tables.noted(fairplace.rate(value, 1), place)

    def render_light(self, value, record):
        upheld = _("%(upheld)s of %(received)s upheld") % {
            "upheld": fairplace.integer(record["complaints_upheld"]),
            "received": fairplace.integer(record["complaints_received"]),
        }
        return tables.noted(fairplace.badge(value), upheld)


@page(allow=VIEWERS)
def ranking(request: HttpRequest) -> HttpResponse:
    """The current ranking in the chosen currency: the panel for the bank, an agency its card."""
    if request.actor.kind == "agency":
        return ranking_cards.own(request)
    return _panel(request)


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def compute(request: HttpRequest) -> HttpResponse:
    """Rank again now what is chosen, with everything confirmed until this moment."""
    currency = request.POST.get("currency", "")
    filterset, _whole = _chosen(request.actor, currency, request.POST)
    try:
        rankings.compute(actor=request.actor, currency=currency, cut=filterset.cut())
    except (errors.InvalidState, errors.InvalidInput) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Computed with everything confirmed until now."))
    chosen = request.POST.copy()
    chosen.pop("csrfmiddlewaretoken", None)
    return redirect(f"{reverse('ranking')}?{chosen.urlencode()}")


def _panel(request: HttpRequest) -> HttpResponse:
    actor = request.actor
    placed = visible_placements(actor).order_by().values_list("currency", flat=True).distinct()
    currencies = sorted(placed)
    currency = request.GET.get("currency", "")
    if currency not in currencies:
        currency = currencies[0] if currencies else ""
    context = {
        "title": _("Ranking"),
        "lead": _(
            "What each agency recovered against what an average one would have on its loans."
        ),
        "tabs": _tabs(currencies, currency),
        "currency": currency,
        "may_compute": policies.allows(actor, policies.VENDOR_MANAGERS),
        "time_zone": time_zone_of(actor),
    }
    if currency:
        filterset, found = _chosen(actor, currency, request.GET)
        cut = filterset.cut()
        if cut != WHOLE:
            found = shown_ranking(actor, currency=currency, cut=cut)
        chosen = {name: value for name, value in request.GET.items() if name != "currency"}
        context |= {"ranking": found, "filterset": filterset, "chosen": chosen, "cut": cut}
        if found:
            context |= _shown(request, found)
    return render(request, "frontend/rankings/panel.html", context)


def _chosen(actor, currency: str, data: QueryDict) -> tuple[CutFilter, ShownRanking | None]:
    """What may be chosen in a currency, and the ranking without a choice."""
    whole = shown_ranking(actor, currency=currency)
    placed = visible_placements(actor).filter(currency=currency)
    portfolios = visible_portfolios(actor).filter(pk__in=placed.values("portfolio"))
    names = portfolios.order_by("name").values_list("pk", "name")
    return CutFilter(data or None, names, ranking_cuts.products(whole)), whole


def _tabs(currencies: list[str], chosen: str) -> list[dict]:
    if len(currencies) < 2:
        return []
    return [
        {
            "label": currency,
            "url": f"?currency={currency}",
            "current": currency == chosen,
            "count": None,
        }
        for currency in currencies
    ]


def _shown(request: HttpRequest, found: ShownRanking) -> dict:
    """What the bank is shown of a ranking."""
    return {
        "table": LeagueTable(_records(found), request=request),
        "contrast": success_words.contrast(found.scores),
        "caterpillar": charts.caterpillar(
            [ranking_cards.point(score.agency.name, vars(score)) for score in found.scores],
            title=success_words.finding(found.scores),
            description=ranking_cards.caterpillar_description(),
            subject=_("Agency"),
        ),
        "funnel": _funnel(found.scores),
        "segments": _segments(found),
        "groups": len({score.comparison_group for score in found.scores}),
        "is_with_random_lots": found.run.fit["pull"] is not None,
    }


def _records(found: ShownRanking) -> list[dict]:
    raw = success_words.raw_positions(found.scores)
    return [
        {
            "order": score.order,
            "position": success_words.place(score),
            "status": score.status,
            "url": reverse("ranking_card", args=[score.pk]),
            "agency_name": score.agency.name,
            "note": fairplace.loans(score.loans),
            "index": score.index,
            "interval": success_words.interval(score),
            "rate_ppm": score.rate_ppm,
            "raw_position": raw[score.agency_id],
            "reliability_ppm": round(score.reliability * 1_000_000),
            "light": score.light,
            "complaints_upheld": score.complaints_upheld,
            "complaints_received": score.complaints_received,
            "change": success_words.change(score, found.earlier.get(score.agency_id)),
        }
        for score in found.scores
    ]


def _funnel(scores: list[RankingScore]) -> dict:
    points = [
        {
            "label": score.agency.name,
            "observed_over_expected": score.count_factor * score.tilt_factor * score.size_factor,
            "effective_payments": score.effective_payments,
            "highlight": False,
        }
        for score in scores
    ]
    return charts.funnel(
        points,
        title=success_words.outliers(points),
        description=_(
            "Observed ÷ expected as it is, against how much data there is. Within the inner lines"
            " chance alone explains the difference 95 times in 100, within the outer ones 998 times"
            " in 1,000."
        ),
        subject=_("Agency"),
    )


def _segments(found: ShownRanking) -> dict | None:
    strata = Strata.of(found)
    by_agency = [(score.agency.name, strata.coarse(score.segments)) for score in found.scores]
    columns = sorted({key for _name, segments in by_agency for key in segments})
    if len(columns) < 2:
        return None
    rows = [
        (
            name,
            [success_strata.index(segments[key]) if key in segments else None for key in columns],
        )
        for name, segments in by_agency
    ]
    return charts.shaded_table(
        rows,
        [strata.coarse_words(key) for key in columns],
        title=_("Where each agency gains and loses"),
        description=_(
            "Observed ÷ expected by kind of loan, before chance is taken into account; nothing"
            " where fewer than five payers were expected."
        ),
        subject=_("Agency"),
    )
