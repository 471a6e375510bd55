"""Success by means: what each measure brought, which promises were kept, which loans are worked."""

import uuid

import django_filters
import django_tables2
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies
from frontend import means, tables
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import Placement
from portfolios.selectors import Observed, observed_work, success_of
from portfolios.selectors.means import Means
from portfolios.selectors.success import Part

READERS = (
    policies.VENDOR_MANAGERS
    | policies.COMPLIANCE_OFFICERS
    | policies.AUDITORS
    | policies.AGENCY_ADMINISTRATORS
)
SELECTABLE_MIN = 2


class MeansFilter(tables.FilterSet):
    """One agency or one portfolio; a choice of one is none."""

    agency = django_filters.ChoiceFilter(label=gettext_lazy("Agency"))
    portfolio = django_filters.ChoiceFilter(label=gettext_lazy("Portfolio"))

    def __init__(self, data, field: Observed):
        super().__init__(data, Placement.objects.none())
        for name, choices in (("agency", field.agencies), ("portfolio", field.portfolios)):
            if len(choices) < SELECTABLE_MIN:
                del self.filters[name]
            else:
                self.filters[name].extra["choices"] = [
                    (str(pk), words) for pk, words in choices.items()
                ]

    def chosen(self, name: str) -> uuid.UUID | None:
        value = self.is_bound and self.form.is_valid() and self.form.cleaned_data.get(name)
        return uuid.UUID(value) if value else None


class BroughtColumn(tables.MoneyColumn):
    """What a measure brought, and the share of what was owed on the loans it was tried on."""

    def render(self, value, record):
        rate = "" if value.rate_ppm is None else fairplace.rate(value.rate_ppm, 1)
        return tables.noted(super().render(value.recovered_minor, record), rate)


class MeansTable(tables.Table):
    caption = gettext_lazy("What each measure brought")
    empty_title = gettext_lazy("Nothing was tried yet")
    empty_text = gettext_lazy("Contacts that agencies log, and the money after them, stand here.")
    prefix = "means-"

    means = django_tables2.Column(verbose_name=gettext_lazy("Measure"), order_by="order")
    tried_count = tables.IntegerColumn(verbose_name=gettext_lazy("Loans tried"))
    tried_minor = tables.MoneyColumn(verbose_name=gettext_lazy("They owed"))
    paid_count = tables.IntegerColumn(verbose_name=gettext_lazy("Loans that paid"))
    recovered_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Confirmed net"))
    rate_ppm = tables.RateColumn(verbose_name=gettext_lazy("Of what they owed"), digits=1)


class StageTable(tables.Table):
    caption = gettext_lazy("By days past due at placement")
    prefix = "stages-"

    stage = django_tables2.Column(verbose_name=gettext_lazy("Stage"), orderable=False)


class AgencyTable(tables.Table):
    """Base of the lists of agencies."""

    agency_name = django_tables2.Column(verbose_name=gettext_lazy("Agency"))


class AgencyMeansTable(AgencyTable):
    caption = gettext_lazy("What each measure brought each agency")
    prefix = "agencies-"


class KeepingTable(AgencyTable):
    caption = gettext_lazy("Promises, and plans still alive")
    prefix = "promises-"

    kept_count = tables.IntegerColumn(verbose_name=gettext_lazy("Kept"))
    broken_count = tables.IntegerColumn(verbose_name=gettext_lazy("Broken"))
    kept_ppm = tables.RateColumn(verbose_name=gettext_lazy("Share kept"), digits=1)
    open_count = tables.IntegerColumn(verbose_name=gettext_lazy("Still open"))
    lapsed_count = tables.IntegerColumn(verbose_name=gettext_lazy("Lapsed"))
    plan_count = tables.IntegerColumn(verbose_name=gettext_lazy("Plans"))
    alive_after_three_ppm = tables.RateColumn(verbose_name=gettext_lazy("After 3 months"), digits=1)
    alive_after_six_ppm = tables.RateColumn(verbose_name=gettext_lazy("After 6 months"), digits=1)

    def render_alive_after_three_ppm(self, value, record):
        note = means.some_of(record["alive_after_three_count"], record["due_after_three_count"])
        return tables.noted(fairplace.rate(value, 1), note)

    def render_alive_after_six_ppm(self, value, record):
        note = means.some_of(record["alive_after_six_count"], record["due_after_six_count"])
        return tables.noted(fairplace.rate(value, 1), note)


class CoverageTable(AgencyTable):
    caption = gettext_lazy("Loans held now that were touched")
    prefix = "coverage-"

    loan_count = tables.IntegerColumn(verbose_name=gettext_lazy("Loans"))
    short_ppm = tables.RateColumn(verbose_name=gettext_lazy("In 7 days"), digits=1)
    long_ppm = tables.RateColumn(verbose_name=gettext_lazy("In 30 days"), digits=1)
    longest_days = tables.IntegerColumn(verbose_name=gettext_lazy("Longest, days"))
    upper_ppm = tables.RateColumn(verbose_name=gettext_lazy("Larger half"), digits=1)
    lower_ppm = tables.RateColumn(verbose_name=gettext_lazy("Smaller half"), digits=1)
    leaning = django_tables2.Column(verbose_name=gettext_lazy("Which"))


KEEPING = [name for name in KeepingTable.base_columns if name != "agency_name"] + [
    f"{state}_after_{months}_count" for state in ("alive", "due") for months in ("three", "six")
]
COVERAGE = [name for name in CoverageTable.base_columns if name not in ("agency_name", "leaning")]


@page(allow=READERS)
def success_by_means(request: HttpRequest) -> HttpResponse:
    """The figures of the bank and currency that the address names, else of the first."""
    fields = observed_work(request.actor)
    field = _chosen(request, fields)
    context = {
        "title": _("Success by means"),
        "lead": _("What each measure brought, which promises were kept, which loans are worked."),
        "tabs": _tabs(fields, field),
        "definitions": means.definitions(),
    }
    if field:
        context |= _figures(request, field)
    return render(request, "frontend/means/means.html", context)


def _chosen(request: HttpRequest, fields: list[Observed]) -> Observed | None:
    wanted = (request.GET.get("institution"), request.GET.get("currency"))
    for field in fields:
        if wanted[0] in (None, str(field.institution_id)) and wanted[1] in (None, field.currency):
            return field
    return fields[0] if fields else None


def _tabs(fields: list[Observed], chosen: Observed | None) -> list[dict]:
    if len(fields) < SELECTABLE_MIN:
        return []
    return [
        {
            "label": f"{field.institution_name} · {field.currency}"
            if field.is_agency
            else field.currency,
            "url": f"?institution={field.institution_id}&currency={field.currency}",
            "current": field is chosen,
            "count": None,
        }
        for field in fields
    ]


def _figures(request: HttpRequest, field: Observed) -> dict:
    """What the page shows of one bank and currency, narrowed by the filters."""
    filterset = MeansFilter(request.GET or None, field)
    portfolio_id = filterset.chosen("portfolio")
    found = success_of(field.within(portfolio_id) if portfolio_id else field)
    part = found.of(filterset.chosen("agency"))
    agencies = [part] if part.agency_id else found.agencies
    return {
        "field": field,
        "filterset": filterset if filterset.filters else None,
        "tiles": means.tiles(part, field.currency),
        "chart": means.chart(part, field.currency),
        "lists": _lists(request, part, agencies, field.currency),
    }


def _lists(request: HttpRequest, part: Part, agencies: list[Part], currency: str) -> list:
    columns = [
        (one.value, BroughtColumn(verbose_name=one.label, currency=currency, orderable=False))
        for one in part.means
    ]
    lists = [MeansTable(_means_rows(part, currency), request=request)]
    if part.means:
        lists.append(StageTable(_stage_rows(part), extra_columns=columns, request=request))
    if len(agencies) > 1:
        rows = [
            {"agency_name": one.agency_name}
            | {key.value: value for key, value in one.means.items()}
            for one in agencies
        ]
        lists.append(AgencyMeansTable(rows, extra_columns=columns, request=request))
    lists.append(KeepingTable(_rows(agencies, "keeping", KEEPING), request=request))
    covered = _rows(agencies, "coverage", COVERAGE)
    for row, one in zip(covered, agencies, strict=True):
        row["leaning"] = one.coverage.leaning.label
    lists.append(CoverageTable(covered, request=request))
    return lists


def _means_rows(part: Part, currency: str) -> list[dict]:
    order = list(Means)
    return [
        {
            "means": one.label,
            "order": order.index(one),
            "currency": currency,
            "tried_count": None if one is Means.NONE else found.tried_count,
            "tried_minor": None if one is Means.NONE else found.tried_minor,
            "paid_count": found.paid_count,
            "recovered_minor": found.recovered_minor,
            "rate_ppm": found.rate_ppm,
        }
        for one, found in part.means.items()
    ]


def _stage_rows(part: Part) -> list[dict]:
    numbers = sorted({number for _one, number in part.stages})
    return [
        {"stage": means.stage(number)}
        | {one.value: found for (one, at), found in part.stages.items() if at == number}
        for number in numbers
    ]


def _rows(agencies: list[Part], part: str, names: list[str]) -> list[dict]:
    return [
        {"agency_name": one.agency_name}
        | {name: getattr(getattr(one, part), name) for name in names}
        for one in agencies
    ]
