"""The banks as an agency sees them: where it stands, and where it may apply."""

import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from agencies.services import panel
from config import errors
from frontend import forms, tables
from frontend.access import page


class InstitutionTable(tables.Table):
    caption = gettext_lazy("Institutions")
    empty_title = gettext_lazy("No institution uses this portal yet")

    name = django_tables2.Column(verbose_name=gettext_lazy("Institution"))
    state = django_tables2.Column(
        verbose_name=gettext_lazy("Your place on its panel"), empty_values=()
    )
    decided_at = tables.MomentColumn(verbose_name=gettext_lazy("Decided"))
    next_step = django_tables2.Column(
        verbose_name=gettext_lazy("What next"), empty_values=(), orderable=False
    )

    def render_name(self, record, value):
        if record.membership_id is None:
            return value
        return tables.link(reverse("membership", args=[record.membership_id]), value)

    def render_state(self, record):
        return tables.fairplace.badge(record.state) if record.state else _("not applied yet")

    def render_next_step(self, record):
        if record.state in (None, "rejected"):
            words = _("Apply again") if record.state else _("Apply")
            return format_html(
                '<a href="{}">{}</a>', reverse("institution_apply", args=[record.pk]), words
            )
        url = reverse("membership", args=[record.membership_id])
        return format_html('<a href="{}">{}</a>', url, _("See your membership"))


@page(allow=policies.AGENCY_ADMINISTRATORS)
def institutions(request: HttpRequest) -> HttpResponse:
    """Every bank, with the agency's own standing there."""
    rows = selectors.institutions_with_standing(request.actor).order_by("name")
    context = {
        "title": _("Institutions"),
        "lead": _("Apply to a bank; once it has admitted you to its panel, you may bid there."),
        "table": InstitutionTable(rows, request=request),
    }
    return render(request, "frontend/panel/institutions.html", context)


class SeveralFilesInput(django_forms.ClearableFileInput):
    allow_multiple_selected = True


class SeveralFilesField(django_forms.FileField):
    """Files, each as (name, content type, content)."""

    def __init__(self, **kwargs):
        kwargs.setdefault("widget", SeveralFilesInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg"}))
        super().__init__(**kwargs)

    def clean(self, data, initial=None):
        files = [file for file in data or [] if file]
        if len(files) > panel.DOCUMENTS_MAX:
            raise django_forms.ValidationError(
                _("Send at most %(count)d files."), params={"count": panel.DOCUMENTS_MAX}
            )
        if any(file.size > panel.DOCUMENT_BYTES for file in files):
            raise django_forms.ValidationError(_("A file may have at most 5 MB."))
        return [(file.name, file.content_type or "", file.read()) for file in files]


class ApplicationForm(forms.Form):
    licence_number = django_forms.CharField(
        label=gettext_lazy("Licence number"),
        max_length=60,
        help_text=gettext_lazy("Of the licence under which you collect."),
    )
    jurisdictions = django_forms.CharField(
        label=gettext_lazy("Jurisdictions"),
        help_text=gettext_lazy("Codes, separated by commas, such as US-NY, US-NJ or GB."),
    )
    capacity_loans = django_forms.IntegerField(
        label=gettext_lazy("Capacity"),
        help_text=gettext_lazy("How many loans of this bank you can work on at a time."),
        max_value=10_000_000,
    )
    documents = SeveralFilesField(
        label=gettext_lazy("Documents"),
        required=False,
        help_text=gettext_lazy(
            "Licence, insurance, audit reports: PDF, PNG or JPEG, at most 5 MB each. "
            "After a mistake, choose them again."
        ),
    )

    def clean_jurisdictions(self):
        codes = self.cleaned_data["jurisdictions"].replace(";", ",").split(",")
        return [code.strip().upper() for code in codes if code.strip()]


@page(allow=policies.AGENCY_ADMINISTRATORS)
def apply(request: HttpRequest, pk) -> HttpResponse:
    """Ask a bank for a place on its panel."""
    institution = selectors.find(selectors.visible_institutions(request.actor), pk=pk)
    form = ApplicationForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            membership = panel.apply(
                actor=request.actor, institution_id=institution.pk, **form.cleaned_data
            )
        except errors.DomainError as error:
            forms.form_from_error(form, error)
        else:
            told = _("%(bank)s has your application.") % {"bank": institution.name}
            messages.success(request, told)
            return redirect("membership", membership.pk)
    context = {
        "title": _("Apply to %(bank)s") % {"bank": institution.name},
        "breadcrumbs": [(_("Institutions"), reverse("institutions"))],
        "form": form,
    }
    return forms.render_page(request, "frontend/panel/apply.html", context)
