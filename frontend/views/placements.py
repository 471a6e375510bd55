"""Placements: who holds what under which terms, and taking it back."""

import django_filters
import django_tables2
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import policies, selectors
from config import errors
from frontend import composition, forms, previews, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views import recalls
from frontend.views.exports import ExportTable
from portfolios.models import Placement, Recall
from portfolios.selectors import shown_exports, shown_placements, visible_loans, visible_recalls
from portfolios.services import bulk, placements, portfolios

REFERENCES_MAX = 1_000
EXPORTS_SHOWN = 10
READERS = policies.PEOPLE
State = Placement.State


class PlacementTable(tables.Table):
    caption = gettext_lazy("Placements")
    empty_title = gettext_lazy("No placement yet")
    empty_text = gettext_lazy("Placements are opened when a listing is awarded.")

    title = django_tables2.Column(verbose_name=gettext_lazy("Placement"))
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", order_by="agency__name"
    )
    state = tables.StateColumn(verbose_name=gettext_lazy("State"))
    open_count = tables.IntegerColumn(verbose_name=gettext_lazy("Loans"))
    open_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Balance"))
    confirmed_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Recovered"))
    rate_ppm = tables.RateColumn(verbose_name=gettext_lazy("Commission"))
    ends_at = tables.DeadlineColumn(verbose_name=gettext_lazy("Ends"))

    def render_title(self, record):
        return tables.link(reverse("placement", args=[record.pk]), record.title)

    def render_ends_at(self, value, record, table, column):
        if record.state != State.LIVE:
            return fairplace.zoned(record.closed_at, table.time_zone)
        return column.render(value, table)


class OwnPlacementTable(PlacementTable):
    """For the agency, which has a bank on the other side."""

    empty_text = gettext_lazy("When a bank awards you a share of a listing, it appears here.")
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Bank"),
        accessor="institution__name",
        order_by="institution__name",
    )
    confirmed_minor = tables.MoneyColumn(
        verbose_name=gettext_lazy("Reported"), accessor="reported_minor"
    )


class PlacementFilter(tables.FilterSet):
    text = django_filters.CharFilter(
        label=gettext_lazy("Title"), field_name="title", lookup_expr="icontains"
    )
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=State.choices)


@page(allow=READERS)
def placement_list(request: HttpRequest) -> HttpResponse:
    """For the bank who holds what; for an agency what it holds now."""
    is_agency = request.actor.kind == "agency"
    rows = shown_placements(request.actor).order_by("-opened_at")
    found = PlacementFilter(request.GET or None, rows)
    if is_agency:
        del found.filters["state"]
    kind = OwnPlacementTable if is_agency else PlacementTable
    zone = selectors.time_zone_of(request.actor)
    lead = _("Who holds what, under which terms, and until when.")
    return render(
        request,
        "frontend/placements/list.html",
        {
            "title": _("My placements") if is_agency else _("Placements"),
            "lead": _("What you hold now, under which terms, and until when.")
            if is_agency
            else lead,
            "table": kind(found.qs, request=request, time_zone=zone),
            "filterset": found,
        },
    )


@page(allow=READERS)
def placement(request: HttpRequest, pk) -> HttpResponse:
    """One placement: its terms, what came in, and what its loans are like."""
    found = selectors.find(shown_placements(request.actor), pk=pk)
    is_agency = request.actor.kind == "agency"
    loans = visible_loans(request.actor).filter(placement=found)
    zone = found.institution.time_zone
    return render(
        request,
        "frontend/placements/placement.html",
        {
            "title": found.title,
            "state": found.state,
            "lead": _("%(loans)s placed by %(bank)s")
            % {"loans": fairplace.loans(found.loan_count), "bank": found.institution.name}
            if is_agency
            else _("%(loans)s placed with %(agency)s")
            % {"loans": fairplace.loans(found.loan_count), "agency": found.agency.name},
            "breadcrumbs": [(_("Placements"), reverse("placements"))],
            "placement": found,
            "is_agency": is_agency,
            "loans_url": f"{reverse('loans')}?placement={found.pk}",
            "on_hold_count": loans.filter(is_on_hold=True).count(),
            "recovered_ppm": found.confirmed_minor * 1_000_000 // found.balance_minor,
            "charts": composition.of(portfolios.composition(loans), found.currency),
            "may_recall": found.state == State.LIVE
            and policies.allows(request.actor, policies.VENDOR_MANAGERS),
            "may_return": policies.allows(request.actor, policies.AGENCY_PEOPLE),
            "pending": visible_recalls(request.actor)
            .filter(placement=found, state=Recall.State.PENDING)
            .order_by("final_at")
            if policies.allows(request.actor, recalls.READERS)
            else [],
            "time_zone": zone,
            "exports": _exports(request, found, zone),
            "entries": trail.timeline(request.actor, found),
        },
    )


def _exports(request: HttpRequest, found: Placement, zone: str) -> ExportTable:
    """The latest that sent anything."""
    sent = shown_exports(request.actor).filter(placement=found, row_count__gt=0)
    return ExportTable(sent.order_by("-requested_at")[:EXPORTS_SHOWN], time_zone=zone)


def _live(request: HttpRequest, pk) -> Placement:
    found = selectors.find(shown_placements(request.actor), pk=pk)
    if found.state != State.LIVE:
        raise errors.InvalidState("NOT_LIVE", _("This placement has ended already."))
    return found


@page(allow=policies.VENDOR_MANAGERS)
def recall(request: HttpRequest, pk) -> HttpResponse:
    """Take a whole placement back."""
    found = _live(request, pk)
    form = forms.ConfirmForm(request.POST or None, expected=found.agency.name)
    if request.method == "POST" and form.is_valid():
        try:
            placements.recall(
                actor=request.actor, placement_id=pk, reason=form.cleaned_data["reason"]
            )
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(
                request, _("The placement is recalled. The agency sees nothing of it any more.")
            )
            return redirect("placement", pk)
    consequences = [
        _("%(agency)s loses access to %(loans)s at once: nothing can be read or written.")
        % {"agency": found.agency.name, "loans": fairplace.loans(found.open_count)},
        _("Contacts, promises and recoveries stay with you; the next agency does not see them."),
        _("What was recovered until now is still commissioned."),
    ]
    return forms.render_page(
        request,
        "frontend/placements/recall.html",
        {
            "title": _("Recall a placement"),
            "breadcrumbs": _way_back(found),
            "form": form,
            "consequences": consequences,
            "placement": found,
        },
    )


class RecallLoansForm(forms.Form):
    references = forms.forms.CharField(
        label=gettext_lazy("References of the loans"),
        help_text=gettext_lazy("One on each line. All of them are taken back, or none."),
        widget=forms.forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        max_length=100_000,
    )
    reason = forms.ReasonField()

    def __init__(self, *args, loans, **kwargs):
        super().__init__(*args, **kwargs)
        self.loans = loans

    def clean_references(self):
        """The primary keys of the loans named."""
        named = list(dict.fromkeys(self.cleaned_data["references"].split()))
        if len(named) > REFERENCES_MAX:
            raise forms.forms.ValidationError(
                _("Name at most %(count)s loans at a time."),
                params={"count": fairplace.integer(REFERENCES_MAX)},
            )
        found = dict(self.loans.filter(reference__in=named).values_list("reference", "pk"))
        missing = [reference for reference in named if reference not in found]
        if missing:
            raise forms.forms.ValidationError(
                _("Not in this placement: %(references)s"),
                params={"references": ", ".join(missing[:10])},
            )
        return list(found.values())


@page(allow=policies.VENDOR_MANAGERS)
def recall_loans(request: HttpRequest, pk) -> HttpResponse:
    """Take single loans back; the others stay with the agency."""
    found = _live(request, pk)
    form = RecallLoansForm(
        request.POST or None,
        loans=visible_loans(request.actor).filter(placement=found),
        initial={"references": request.GET.get("loan", "")},
    )
    if request.method == "POST" and form.is_valid():
        try:
            count = placements.recall_loans(
                actor=request.actor,
                placement_id=pk,
                loan_ids=form.cleaned_data["references"],
                reason=form.cleaned_data["reason"],
            )
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            told = ngettext("%(count)s loan is recalled.", "%(count)s loans are recalled.", count)
            messages.success(request, told % {"count": fairplace.integer(count)})
            return redirect("placement", pk)
    return forms.render_page(
        request,
        "frontend/placements/recall_loans.html",
        {
            "title": _("Recall single loans"),
            "lead": _("%(agency)s loses access to them at once and keeps the others.")
            % {"agency": found.agency.name},
            "breadcrumbs": _way_back(found),
            "form": form,
            "placement": found,
        },
    )


class ReturnForm(forms.Form):
    references = previews.ReferencesField(
        required=False,
        help_text=gettext_lazy("One on each line. Left empty, the whole placement goes back."),
    )
    reason = forms.ReasonField()


@page(allow=policies.AGENCY_PEOPLE)
def give_back(request: HttpRequest, pk) -> HttpResponse:
    """An agency returns loans, or the whole placement."""
    found = selectors.find(shown_placements(request.actor), pk=pk)
    form = ReturnForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            count = placements.give_back(
                actor=request.actor,
                placement_id=pk,
                loan_ids=_named_loans(request, found, form.cleaned_data["references"]),
                reason=form.cleaned_data["reason"],
            )
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            told = ngettext("%(count)s loan is returned.", "%(count)s loans are returned.", count)
            messages.success(request, told % {"count": fairplace.integer(count)})
            is_left = shown_placements(request.actor).filter(pk=pk).exists()
            return redirect("placement", pk) if is_left else redirect("placements")
    return forms.render_page(
        request,
        "frontend/placements/return.html",
        {
            "title": _("Return loans"),
            "lead": _("You lose access to them at once, and %(bank)s is told why.")
            % {"bank": found.institution.name},
            "breadcrumbs": _way_back(found),
            "form": form,
            "placement": found,
        },
    )


def _named_loans(request: HttpRequest, found: Placement, references: list[str]) -> list | None:
    """The loans named; None for the whole placement. Raises `InvalidInput` for unknown ones."""
    if not references:
        return None
    names = bulk.named(references)
    loans = visible_loans(request.actor).filter(placement=found, reference__in=names)
    known = dict(loans.values_list("reference", "pk"))
    missing = [name for name in names if name not in known]
    if missing:
        raise errors.InvalidInput(
            "NOT_IN_PLACEMENT",
            _("Not in this placement: %(references)s") % {"references": ", ".join(missing[:10])},
            field="references",
        )
    return list(known.values())


def _way_back(found: Placement) -> list[tuple]:
    return [
        (_("Placements"), reverse("placements")),
        (found.title, reverse("placement", args=[found.pk])),
    ]
