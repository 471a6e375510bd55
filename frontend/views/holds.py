"""Holds: pausing the collection of loans, one or many, and letting it go on."""

import django_filters
import django_tables2
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import policies, selectors
from config import clock, errors
from frontend import forms, holdings, previews, tables
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views.loans import found_loan, small_form
from portfolios.models import Hold
from portfolios.selectors import shown_holds, visible_holds
from portfolios.services import bulk_holds, holds

READERS = holds.MAY_HOLD | policies.AUDITORS
KINDS = [choice for choice in Hold.Reason.choices if choice[0] != Hold.Reason.COMPLAINT]


class HoldFields(forms.Form):
    """What is said about a hold."""

    kind = forms.AskedField(
        label=gettext_lazy("Because of"), prompt=gettext_lazy("Choose a reason"), choices=KINDS
    )
    review_on = forms.DayField(
        label=gettext_lazy("Look at it again on"),
        required=False,
        help_text=gettext_lazy("It then stands on your home page until it is released."),
    )
    expires_on = forms.DayField(
        label=gettext_lazy("Ends by itself on"),
        required=False,
        help_text=gettext_lazy("The first day on which collection goes on."),
    )
    reason = forms.ReasonField()


class HoldTable(tables.Table):
    caption = gettext_lazy("Holds")
    empty_title = gettext_lazy("No hold")
    empty_text = gettext_lazy("Loans whose collection rests are listed here, with the reason.")

    loan = django_tables2.Column(
        verbose_name=gettext_lazy("Loan"), accessor="loan__reference", order_by="loan__reference"
    )
    kind = django_tables2.Column(
        verbose_name=gettext_lazy("Because of"), accessor="get_kind_display", order_by="kind"
    )
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"),
        accessor="loan__agency__name",
        order_by="loan__agency__name",
        default=fairplace.NO_VALUE,
    )
    balance = tables.MoneyColumn(
        verbose_name=gettext_lazy("Balance"),
        accessor="loan__balance_minor",
        currency="loan__currency",
    )
    opened_at = tables.MomentColumn(verbose_name=gettext_lazy("Since"))
    review_on = tables.DayColumn(verbose_name=gettext_lazy("To be reviewed"))
    expires_on = tables.DayColumn(verbose_name=gettext_lazy("Ends"))
    state = tables.StateColumn(
        verbose_name=gettext_lazy("State"), accessor="hold_state", orderable=False
    )

    def render_loan(self, value, record):
        note = _("opened by the portal") if record.is_automatic else ""
        return tables.link(reverse("loan", args=[record.loan_id]), value, note)


class HoldFilter(tables.FilterSet):
    kind = django_filters.ChoiceFilter(
        label=gettext_lazy("Because of"), choices=Hold.Reason.choices
    )
    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        field_name="hold_state",
        choices=[
            ("to_review", gettext_lazy("To be reviewed now")),
            ("held", gettext_lazy("On hold")),
            ("lifted", gettext_lazy("Lifted")),
        ],
    )


@page(allow=READERS)
def hold_list(request: HttpRequest) -> HttpResponse:
    """Every hold of the bank, and what they are for."""
    zone = selectors.time_zone_of(request.actor)
    rows = shown_holds(request.actor, clock.business_date(zone)).order_by("-opened_at")
    found = HoldFilter(request.GET or None, rows)
    return render(
        request,
        "frontend/holds/list.html",
        {
            "title": _("Holds"),
            "lead": _("Loans whose collection rests, why, and until when."),
            "table": HoldTable(found.qs, request=request, time_zone=zone),
            "filterset": found,
            "chart": holdings.by_kind(request.actor),
            "may_hold": policies.allows(request.actor, holds.MAY_HOLD),
        },
    )


@page(allow=holds.MAY_HOLD)
def hold(request: HttpRequest, pk) -> HttpResponse:
    """Pause the collection of one loan."""
    found = found_loan(request, pk)
    form = HoldFields(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            holds.open_hold(actor=request.actor, loan_id=pk, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("The loan is on hold. Whoever holds it sees that."))
            return redirect("loan", pk)
    return small_form(
        request,
        found,
        form,
        title=_("Put on hold"),
        lead=_("Collection rests until you release it; contacts meanwhile are flagged."),
        submit=_("Put on hold"),
    )


class ReasonForm(forms.Form):
    reason = forms.ReasonField()


@page(allow=holds.MAY_HOLD)
def release(request: HttpRequest, pk) -> HttpResponse:
    """End one hold."""
    opened = selectors.find(visible_holds(request.actor), pk=pk)
    found = found_loan(request, opened.loan_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            holds.release(actor=request.actor, hold_id=pk, **form.cleaned_data)
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("The hold is released."))
            return redirect("loan", found.pk)
    return small_form(
        request,
        found,
        form,
        title=_("Release the hold"),
        lead=_("Collection goes on when no other hold is open."),
        submit=_("Release"),
    )


class ManyForm(previews.PreviewForm, HoldFields):
    references = previews.ReferencesField()
    field_order = ["references", "kind", "review_on", "expires_on", "reason"]


@page(allow=holds.MAY_HOLD)
def open_many(request: HttpRequest) -> HttpResponse:
    """Pause the collection of many loans: first what that would take, then the same."""

    def plan(given):
        return bulk_holds.preview(
            actor=request.actor, references=given["references"], kind=given["kind"]
        )

    def run(given, digest):
        count = len(bulk_holds.open_previewed(actor=request.actor, digest=digest, **given))
        told = ngettext("%(count)s loan is on hold.", "%(count)s loans are on hold.", count)
        messages.success(request, told % {"count": fairplace.integer(count)})
        return redirect("holds")

    return previews.answer(
        request,
        ManyForm(request.POST or None),
        plan=plan,
        run=run,
        template="frontend/holds/many.html",
        context={
            "title": _("Put many loans on hold"),
            "lead": _("The agencies that hold them are told."),
            "breadcrumbs": [(_("Holds"), reverse("holds"))],
            "submit": _("Put them on hold"),
        },
    )


class ReleaseManyForm(previews.PreviewForm):
    references = previews.ReferencesField()
    reason = forms.ReasonField()


@page(allow=holds.MAY_HOLD)
def release_many(request: HttpRequest) -> HttpResponse:
    """Release every hold of many loans: first what that would take, then the same."""

    def plan(given):
        return bulk_holds.preview_release(actor=request.actor, references=given["references"])

    def run(given, digest):
        count = bulk_holds.release_previewed(actor=request.actor, digest=digest, **given)
        told = ngettext("%(count)s hold is released.", "%(count)s holds are released.", count)
        messages.success(request, told % {"count": fairplace.integer(count)})
        return redirect("holds")

    return previews.answer(
        request,
        ReleaseManyForm(request.POST or None),
        plan=plan,
        run=run,
        template="frontend/holds/many.html",
        context={
            "title": _("Release many loans"),
            "lead": _("Collection goes on; the agencies that hold them are told."),
            "breadcrumbs": [(_("Holds"), reverse("holds"))],
            "submit": _("Release them"),
        },
    )
