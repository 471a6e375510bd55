"""The panel: the bank's list of agencies, and one agency's membership seen from both sides."""

import django_filters
import django_tables2
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header as content_disposition
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from agencies.models import PanelMembership
from agencies.services import panel
from config import errors
from frontend import forms, tables, trail
from frontend.access import page

State = PanelMembership.State
VIEWERS = policies.INSTITUTION_PEOPLE | policies.AGENCY_ADMINISTRATORS
DECISIONS = {
    "approve": (panel.approve, State.APPLIED),
    "reject": (panel.reject, State.APPLIED),
    "suspend": (panel.suspend, State.APPROVED),
    "reinstate": (panel.reinstate, State.SUSPENDED),
}


class PanelTable(tables.Table):
    caption = gettext_lazy("Agencies on the panel")
    empty_title = gettext_lazy("No agency has applied yet")
    empty_text = gettext_lazy(
        "Agencies register by themselves and apply to you; what they send in appears here."
    )

    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), order_by="agency__name", accessor="agency__name"
    )
    state = tables.StateColumn(verbose_name=gettext_lazy("State"))
    licence_number = django_tables2.Column(verbose_name=gettext_lazy("Licence"))
    jurisdictions = django_tables2.Column(
        verbose_name=gettext_lazy("Jurisdictions"), orderable=False
    )
    capacity_loans = tables.IntegerColumn(verbose_name=gettext_lazy("Capacity, loans"))
    applied_at = tables.MomentColumn(verbose_name=gettext_lazy("Applied"))
    decided_at = tables.MomentColumn(verbose_name=gettext_lazy("Decided"))

    def render_agency(self, value, record):
        return tables.link(reverse("membership", args=[record.pk]), value, record.agency.country)

    def render_jurisdictions(self, value):
        return ", ".join(value)


class PanelFilter(tables.FilterSet):
    text = django_filters.CharFilter(label=gettext_lazy("Agency or licence"), method="containing")
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=State.choices)
    jurisdiction = django_filters.CharFilter(
        label=gettext_lazy("Jurisdiction"), method="licensed_in"
    )

    def containing(self, queryset, name, value):
        return queryset.filter(
            Q(agency__name__icontains=value) | Q(licence_number__icontains=value)
        )

    def licensed_in(self, queryset, name, value):
        return queryset.filter(jurisdictions__contains=[value.strip().upper()])


@page(allow=policies.INSTITUTION_PEOPLE)
def panel_list(request: HttpRequest) -> HttpResponse:
    """Every agency that applied, and what was decided."""
    rows = selectors.visible_memberships(request.actor).select_related("agency")
    found = PanelFilter(request.GET or None, rows.order_by("agency__name"))
    table = PanelTable(found.qs, request=request, time_zone=selectors.time_zone_of(request.actor))
    context = {
        "title": _("Panel"),
        "lead": _("The agencies that work with you or want to. Only approved ones may bid."),
        "table": table,
        "filterset": found,
    }
    return render(request, "frontend/panel/list.html", context)


class ReasonForm(forms.Form):
    """The reason of one decision; several stand on one page, so each names its fields."""

    reason = forms.ReasonField(
        help_text=gettext_lazy("The agency reads it, and it stays in the audit trail.")
    )

    def __init__(self, data=None, *, decision: str):
        super().__init__(data, auto_id=f"{decision}_%s")


@page(allow=VIEWERS)
def membership(request: HttpRequest, pk) -> HttpResponse:
    """One agency's place on one panel, for both of them."""
    return _show(request, _found(request, pk))


@page(allow=policies.COMPLIANCE_OFFICERS)
@require_POST
def decide(request: HttpRequest, pk, decision: str) -> HttpResponse:
    """Approve, reject, suspend or reinstate, with a reason."""
    if decision not in DECISIONS:
        raise Http404
    found = _found(request, pk)
    form = ReasonForm(request.POST, decision=decision)
    if form.is_valid():
        service, _state = DECISIONS[decision]
        try:
            service(actor=request.actor, membership_id=pk, **form.cleaned_data)
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _done(decision, found.agency.name))
            return redirect("membership", pk)
    return _show(request, found, refused={decision: form})


@page(allow=VIEWERS)
def document(request: HttpRequest, pk) -> HttpResponse:
    """One document of an application, as a file and never as a page of ours."""
    found = selectors.find(selectors.visible_documents(request.actor), pk=pk)
    return HttpResponse(
        bytes(found.content),
        content_type=found.content_type,
        headers={
            "Content-Disposition": content_disposition(True, found.file_name),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


def _found(request: HttpRequest, pk) -> PanelMembership:
    rows = selectors.visible_memberships(request.actor).select_related("agency", "institution")
    return selectors.find(rows, pk=pk)


def _done(decision: str, agency: str) -> str:
    sentences = {
        "approve": _("%(agency)s is on your panel and may bid."),
        "reject": _("The application of %(agency)s was rejected."),
        "suspend": _("%(agency)s is suspended: it has no access to your loans any more."),
        "reinstate": _("%(agency)s has its access back."),
    }
    return sentences[decision] % {"agency": agency}


def _show(request: HttpRequest, found: PanelMembership, refused: dict | None = None):
    actor = request.actor
    may_decide = policies.allows(actor, policies.COMPLIANCE_OFFICERS)
    open_to = [name for name, (_service, state) in DECISIONS.items() if state == found.state]
    decisions = {
        name: (refused or {}).get(name) or ReasonForm(decision=name)
        for name in open_to
        if may_decide
    }
    is_bank = actor.institution_id is not None
    context = {
        "title": found.agency.name if is_bank else found.institution.name,
        "state": found.state,
        "lead": _next_step(found, is_bank, may_decide),
        "breadcrumbs": [
            (_("Panel"), reverse("panel"))
            if is_bank
            else (_("Institutions"), reverse("institutions"))
        ],
        "membership": found,
        "is_bank": is_bank,
        "documents": selectors.visible_documents(actor)
        .filter(membership=found)
        .defer("content")
        .order_by("-uploaded_at", "file_name"),
        "decisions": decisions,
        "time_zone": selectors.time_zone_of(actor),
        "entries": trail.timeline(actor, found),
    }
    status = forms.UNPROCESSABLE if refused else 200
    return render(request, "frontend/panel/membership.html", context, status=status)


def _next_step(found: PanelMembership, is_bank: bool, may_decide: bool):
    if not is_bank:
        return {
            State.APPLIED: _("The bank's compliance officers look at your application."),
            State.APPROVED: _("You are on this bank's panel and may bid for its portfolios."),
            State.REJECTED: _("Your application was rejected. You may apply again."),
            State.SUSPENDED: _("You have no access to this bank's loans until it reinstates you."),
        }[found.state]
    if found.state == State.APPLIED and may_decide:
        return _("Read the documents, then approve or reject with a reason.")
    return {
        State.APPLIED: _("Waits for a compliance officer's decision."),
        State.APPROVED: _("May bid for your portfolios and works on what it was awarded."),
        State.REJECTED: _("Not on your panel; it may apply again."),
        State.SUSPENDED: _("Has no access to your loans, and its placements rest."),
    }[found.state]
