"""An agency's card: what it achieved, what its raw rate is made of, where it gains and loses."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from agencies import policies
from agencies.selectors import time_zone_of
from frontend import charts, success_strata, success_words
from frontend.access import page
from frontend.csv_files import BYTE_ORDER_MARK
from frontend.success_strata import Strata
from frontend.templatetags import fairplace
from frontend.views import ranking_disputes
from marketplace.models import RankingScore
from marketplace.selectors import (
    ShownRanking,
    pack_text,
    ranked,
    shown_ranking,
    shown_score,
)

BANK = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS | policies.AUDITORS
STRATA_SHOWN = 5


def own(request: HttpRequest) -> HttpResponse:
    """The agency's own card of the bank and currency that the address names, else the first."""
    choices = ranked(request.actor)
    chosen = _chosen(request, choices)
    found = None
    if chosen:
        institution_id, _name, currency = chosen
        found = shown_ranking(request.actor, currency=currency, institution_id=institution_id)
    score = found.scores[0] if found and found.scores else None
    context = {
        "title": _("Ranking"),
        "lead": _("What you recovered against what an average agency would have on your loans."),
        "tabs": _tabs(choices, chosen),
        "ranking": found,
        "is_own": True,
        "time_zone": time_zone_of(request.actor),
    }
    if found:
        context["field_chart"] = _field_chart(found, score)
        context["disputes"] = ranking_disputes.own_table(request, found.run.institution_id)
    if score:
        context |= _card(found, score)
    return render(request, "frontend/rankings/card.html", context)


@page(allow=BANK)
def card(request: HttpRequest, pk) -> HttpResponse:
    """One agency's card in one run as the bank sees it."""
    found = shown_score(request.actor, pk)
    (score,) = found.scores
    context = {
        "title": score.agency.name,
        "lead": _("What it recovered against what an average agency would have on its loans."),
        "breadcrumbs": [(_("Ranking"), f"{reverse('ranking')}?currency={found.run.currency}")],
        "ranking": found,
        "is_own": False,
        "time_zone": time_zone_of(request.actor),
        **_card(found, score),
    }
    return render(request, "frontend/rankings/card.html", context)


@page(allow=BANK | policies.AGENCY_ADMINISTRATORS)
def pack(request: HttpRequest, pk) -> HttpResponse:
    """The cells behind an agency's score, as a file for a spreadsheet."""
    text = pack_text(request.actor, pk)
    run = shown_score(request.actor, pk).run
    name = f"ranking-{run.currency}-{run.watermark:%Y-%m-%d}.csv"
    return HttpResponse(
        BYTE_ORDER_MARK + text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, name)},
    )


def point(label: str, score: dict, *, highlight: bool = False) -> dict:
    """A score, or one of the field, as a point of a caterpillar."""
    return {
        "label": label,
        "index": score["index"],
        "low": score["low"],
        "high": score["high"],
        "highlight": highlight,
        "muted": score["status"] != success_words.RANKED,
    }


def caterpillar_description() -> str:
    return _(
        "Point: recovered ÷ expected on the same loans, after what chance may have done. Line: its"
        " 95-percent interval. Grey: without a place."
    )


def _chosen(request: HttpRequest, choices: list[tuple]) -> tuple | None:
    wanted = (request.GET.get("institution"), request.GET.get("currency"))
    for institution_id, name, currency in choices:
        if wanted[0] in (None, str(institution_id)) and wanted[1] in (None, currency):
            return institution_id, name, currency
    return choices[0] if choices else None


def _tabs(choices: list[tuple], chosen: tuple | None) -> list[dict]:
    if len(choices) < 2:
        return []
    return [
        {
            "label": f"{name} · {currency}",
            "url": f"?institution={institution_id}&currency={currency}",
            "current": (institution_id, name, currency) == chosen,
            "count": None,
        }
        for institution_id, name, currency in choices
    ]


def _card(found: ShownRanking, score: RankingScore) -> dict:
    gains, losses = _extremes(found, score)
    return {
        "score": score,
        "place": success_words.place(score),
        "interval": success_words.interval(score),
        "change": success_words.change(score, found.earlier.get(score.agency_id)),
        **_product(score),
        "gains": gains,
        "losses": losses,
        "strata": [gains, losses],
        "curve": _curve(score),
        "pack_url": reverse("ranking_pack", args=[score.pk]),
    }


def _product(score: RankingScore) -> dict:
    """What the raw rate is made of; nothing where that is withheld."""
    if score.expected_minor is None:
        return {}
    return {
        "performance": score.count_factor * score.tilt_factor * score.size_factor,
        "said": {
            "exposure": success_words.side(score.exposure_factor),
            "mix": success_words.side(score.mix_factor),
        },
    }


def _extremes(found: ShownRanking, score: RankingScore) -> tuple[list[dict], list[dict]]:
    """The strata in which an agency is furthest above what was expected, and furthest below."""
    strata = Strata.of(found)
    known = [
        {
            "label": strata.words(segment["stratum"]),
            "difference_minor": segment["observed_minor"] - segment["expected_minor"],
            **segment,
        }
        for segment in score.segments
        if success_strata.index(segment) is not None
    ]
    known.sort(key=lambda row: (-row["difference_minor"], row["label"]))
    gains = [row for row in known[:STRATA_SHOWN] if row["difference_minor"] > 0]
    losses = [row for row in known[::-1][:STRATA_SHOWN] if row["difference_minor"] < 0]
    return gains, losses


def _curve(score: RankingScore) -> dict | None:
    if not score.curve:
        return None
    months = list(range(1, len(score.curve) + 1))
    last = score.curve[-1]
    title = _("%(observed)s after %(months)s months on book, where %(expected)s were expected") % {
        "observed": fairplace.rate(last["observed_ppm"], 1),
        "months": fairplace.integer(months[-1]),
        "expected": fairplace.rate(last["expected_ppm"], 1),
    }
    return charts.cumulative_curves(
        months,
        [
            (_("Recovered"), [step["observed_ppm"] for step in score.curve], "observed"),
            (_("Expected"), [step["expected_ppm"] for step in score.curve], "expected"),
        ],
        title=title,
        description=_(
            "Part of the balance that came in, by months of 30 days on book; expected is what an"
            " average agency would have had on the same loans."
        ),
    )


def _field_chart(found: ShownRanking, score: RankingScore | None) -> dict | None:
    """The field as points without names; the viewer's own stands out."""
    if not found.field:
        return None
    points = []
    place = score.order if score else 0
    for number, one in enumerate(found.field, 1):
        mine = number == place
        label = _("You") if mine else _("Agency %(place)s") % {"place": number}
        points.append(point(label, one, highlight=mine))
    return charts.caterpillar(
        points,
        title=_("You among %(count)s agencies") % {"count": len(points)}
        if score
        else _("The field without you"),
        description=caterpillar_description(),
        subject=_("Agency"),
    )
