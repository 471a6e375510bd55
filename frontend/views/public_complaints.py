"""The public form for complaints: open to anybody, and it only listens.

It looks no loan up, so neither its answer nor the time it takes tells whether a debt exists.
"""

from django import forms as django_forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import actors, selectors
from agencies.models import Institution
from agencies.scope import scope
from config import errors
from frontend import forms, limits
from frontend.access import ANYBODY, page
from portfolios.models import Complaint
from portfolios.services import intakes


class PublicComplaintForm(forms.Form):
    loan_reference = django_forms.CharField(
        label=gettext_lazy("Reference on your letter"), max_length=intakes.LONGEST_REFERENCE
    )
    happened_on = forms.DayField(label=gettext_lazy("When it happened"))
    category = forms.AskedField(
        label=gettext_lazy("What it was about"),
        prompt=gettext_lazy("Choose what it was about"),
        choices=Complaint.Category.choices,
    )
    account = django_forms.CharField(
        label=gettext_lazy("What happened"),
        max_length=intakes.LONGEST_ACCOUNT,
        widget=django_forms.Textarea(attrs={"rows": 6}),
    )
    contact = django_forms.CharField(
        label=gettext_lazy("How the bank can reach you"),
        required=False,
        max_length=intakes.LONGEST_CONTACT,
        help_text=gettext_lazy("A telephone number or an address, if you want an answer."),
    )


@page(allow=ANYBODY)
def complain(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep what somebody wrote, whatever the reference is."""
    institution = _institution(slug)
    form = PublicComplaintForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            limits.demand(request, "complain", times=10, seconds=3600)
            with scope(actors.public_for(institution.pk)) as visitor:
                intakes.receive(actor=visitor, time_zone=institution.time_zone, **form.cleaned_data)
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            return redirect("complained", slug)
    context = {"title": _("Complain about a collector"), "form": form, "institution": institution}
    return forms.render_page(request, "frontend/complain/form.html", context)


@page(allow=ANYBODY)
def complained(request: HttpRequest, slug: str) -> HttpResponse:
    """Thank you, and no more than that."""
    context = {"title": _("Thank you"), "institution": _institution(slug)}
    return render(request, "frontend/complain/sent.html", context)


def _institution(slug: str) -> Institution:
    """The institution of an address, whoever is logged in here."""
    with scope(actors.PUBLIC) as visitor:
        return selectors.find(selectors.visible_institutions(visitor), slug=slug)
