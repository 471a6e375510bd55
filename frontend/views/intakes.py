"""How complaints come in: entered by an officer, or left in the public form and then settled."""

import django_filters
import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import mail, selectors, texts
from config import errors
from frontend import forms, tables
from frontend.access import page
from portfolios.models import Complaint, ComplaintIntake
from portfolios.selectors import shown_intakes
from portfolios.services import complaints, intakes


class OpenForm(forms.Form):
    """A complaint as an officer enters it; the words of an intake are not typed again."""

    loan_reference = django_forms.CharField(
        label=gettext_lazy("Loan reference"), max_length=intakes.LONGEST_REFERENCE
    )
    happened_on = forms.DayField(
        label=gettext_lazy("Day of the conduct"),
        help_text=gettext_lazy("It is addressed to the agency that had the loan on that day."),
    )
    category = forms.AskedField(
        label=gettext_lazy("Category"),
        prompt=gettext_lazy("Choose a category"),
        choices=Complaint.Category.choices,
    )
    severity = forms.AskedField(
        label=gettext_lazy("Severity"),
        prompt=gettext_lazy("Choose how grave it is"),
        choices=Complaint.Severity.choices,
        help_text=gettext_lazy("The graver it is, the sooner the decision is due."),
    )
    account = django_forms.CharField(
        label=gettext_lazy("In the complainant's words"),
        max_length=intakes.LONGEST_ACCOUNT,
        widget=django_forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("Kept encrypted. No agency ever reads it."),
    )
    summary = django_forms.CharField(
        label=gettext_lazy("What the agency is asked"),
        max_length=texts.LONGEST,
        widget=django_forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("The agency reads this. Leave out who complained."),
    )

    def __init__(self, *args, is_from_intake=False, **kwargs):
        super().__init__(*args, **kwargs)
        if is_from_intake:
            del self.fields["account"]


class IntakeTable(tables.Table):
    caption = gettext_lazy("What people left in the public form, the oldest first")
    empty_title = gettext_lazy("Nothing waits")
    empty_text = gettext_lazy("What people send through the public form appears here.")

    loan_reference = django_tables2.Column(verbose_name=gettext_lazy("Reference given"))
    category = django_tables2.Column(verbose_name=gettext_lazy("Category"))
    state = tables.StateColumn(verbose_name=gettext_lazy("State"))
    happened_on = tables.DayColumn(verbose_name=gettext_lazy("When it happened"))
    received_at = tables.MomentColumn(verbose_name=gettext_lazy("Received"))

    def render_loan_reference(self, value, record):
        note = "" if record.is_known else _("no loan has this reference")
        return tables.link(reverse("intake", args=[record.pk]), value, note)


class IntakeFilter(tables.FilterSet):
    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"), choices=ComplaintIntake.State.choices
    )


class DismissForm(forms.Form):
    reason = forms.ReasonField(help_text=gettext_lazy("Kept in the audit trail."))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, auto_id="dismiss_%s", **kwargs)


@page(allow=complaints.MAY_HANDLE)
def open_complaint(request: HttpRequest) -> HttpResponse:
    """Enter a complaint that came by telephone, letter or at the counter."""
    form = OpenForm(request.POST or None, initial={"loan_reference": request.GET.get("loan", "")})
    if request.method == "POST" and (opened := _opened(request, form)):
        return redirect("complaint", opened.pk)
    context = {
        "title": _("Enter a complaint"),
        "lead": _("The loan goes on hold at once, and stays so until you have decided."),
        "breadcrumbs": [(_("Complaints"), reverse("complaints"))],
        "form": form,
        "submit": _("Open the complaint"),
        "cancel_url": reverse("complaints"),
    }
    return forms.render_page(request, "frontend/complaints/form.html", context)


def _opened(request: HttpRequest, form: OpenForm, intake_id=None) -> Complaint | None:
    """The complaint that a valid form made; None when it was refused, which the form then says."""
    if not form.is_valid():
        return None
    try:
        opened = complaints.open(actor=request.actor, intake_id=intake_id, **form.cleaned_data)
    except (errors.InvalidInput, errors.InvalidState) as error:
        forms.form_from_error(form, error)
        return None
    messages.success(
        request,
        _("The complaint is open and the loan on hold. The agency has been asked.")
        if opened.agency_id
        else _("The complaint is open and the loan on hold. No agency had it on that day."),
    )
    return opened


@page(allow=intakes.MAY_HANDLE)
def intake_list(request: HttpRequest) -> HttpResponse:
    """What the public form brought; what waits comes first."""
    rows = shown_intakes(request.actor).order_by("-state", "received_at")
    found = IntakeFilter(request.GET or None, rows)
    institution = selectors.find(selectors.visible_institutions(request.actor))
    context = {
        "title": _("From the public form"),
        "lead": _("Open each as a complaint, or dismiss it with a reason."),
        "breadcrumbs": [(_("Complaints"), reverse("complaints"))],
        "table": IntakeTable(found.qs, request=request, time_zone=institution.time_zone),
        "filterset": found,
        "public_url": mail.address(reverse("complain", args=[institution.slug])),
    }
    return render(request, "frontend/complaints/intakes.html", context)


@page(allow=intakes.MAY_HANDLE)
def intake(request: HttpRequest, pk) -> HttpResponse:
    """What somebody wrote; opening it as a complaint sends it on its way."""
    found = selectors.find(shown_intakes(request.actor), pk=pk)
    form = OpenForm(
        request.POST or None,
        is_from_intake=True,
        initial={
            "loan_reference": found.loan_reference,
            "happened_on": found.happened_on,
            "category": found.category,
        },
    )
    if request.method == "POST" and (opened := _opened(request, form, found.pk)):
        return redirect("complaint", opened.pk)
    return _show_intake(request, found, form, DismissForm())


@page(allow=intakes.MAY_HANDLE)
@require_POST
def dismiss(request: HttpRequest, pk) -> HttpResponse:
    """Settle it without a complaint."""
    form = DismissForm(request.POST)
    if form.is_valid():
        try:
            intakes.dismiss(actor=request.actor, intake_id=pk, **form.cleaned_data)
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("Dismissed."))
            return redirect("intakes")
    found = selectors.find(shown_intakes(request.actor), pk=pk)
    initial = {"loan_reference": found.loan_reference, "happened_on": found.happened_on}
    opening = OpenForm(is_from_intake=True, initial={**initial, "category": found.category})
    return _show_intake(request, found, opening, form)


def _show_intake(request: HttpRequest, found: ComplaintIntake, form, dismissal) -> HttpResponse:
    waits = found.state == ComplaintIntake.State.RECEIVED
    context = {
        "title": _("Left in the public form"),
        "lead": _("That you read this is kept in the audit trail."),
        "breadcrumbs": [
            (_("Complaints"), reverse("complaints")),
            (_("From the public form"), reverse("intakes")),
        ],
        "state": found.state,
        "intake": found,
        "words": intakes.read(actor=request.actor, intake_id=found.pk),
        "form": form if waits or form.is_bound else None,
        "dismissal": dismissal if waits or dismissal.is_bound else None,
        "time_zone": selectors.time_zone_of(request.actor),
    }
    refused = form.is_bound or dismissal.is_bound
    status = forms.UNPROCESSABLE if refused else 200
    return render(request, "frontend/complaints/intake.html", context, status=status)
