"""Looking up a borrower: the value is in the request's body alone, never in an address."""

from django import forms as django_forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from config import errors
from frontend import forms, tables
from frontend.access import page
from frontend.views.loans import PERSONAL, LoanTable
from portfolios.models import Loan
from portfolios.services import borrowers, loans


class LookUpForm(forms.Form):
    field = django_forms.ChoiceField(
        label=gettext_lazy("What do you have?"),
        choices=[(name, PERSONAL[name]) for name in borrowers.INDEXED],
        widget=django_forms.RadioSelect,
        initial="phone",
    )
    value = django_forms.CharField(
        label=gettext_lazy("The whole number"),
        max_length=borrowers.LONGEST_VALUE,
        help_text=gettext_lazy("Blanks, hyphens and brackets do not matter; a country code does."),
        widget=django_forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reason = forms.ReasonField(
        label=gettext_lazy("Why do you look for this person?"),
        help_text=gettext_lazy("Kept in the audit trail with your name; the number is not."),
    )


class FoundTable(LoanTable):
    """The loans of who was found, with what may be seen of the person."""

    caption = gettext_lazy("Loans found")
    empty_title = gettext_lazy("Nobody is known by this number")
    empty_text = gettext_lazy("Look at the digits and at the country code once more.")

    class Meta:
        orderable = False

    def render_reference(self, record: Loan):
        link = super().render_reference(record)
        known = loans.masked_fields(record.borrower)
        note = " · ".join(known[name] for name in ("name", "phone", "national_id") if known[name])
        return tables.noted(link, note)


@page(allow=borrowers.MAY_LOOK_UP)
@sensitive_post_parameters("value")
def look_up(request: HttpRequest) -> HttpResponse:
    """Find loans by a phone number or a national identifier, and say why."""
    form = LookUpForm(forms.sent(request))
    table = None
    if request.method == "POST" and form.is_valid():
        try:
            found = borrowers.look_up(actor=request.actor, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        else:
            table = FoundTable(found)
    return forms.render_page(
        request,
        "frontend/borrowers/look_up.html",
        {
            "title": _("Look up a borrower"),
            "lead": _("By a number that somebody gave you: what do they owe, and who holds it?"),
            "form": form,
            "table": table,
        },
    )
