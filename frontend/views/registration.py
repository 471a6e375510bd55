"""Registering an agency: open to anybody, and silent about who is here already."""

from django import forms as django_forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from agencies import actors, countries
from agencies.scope import scope
from agencies.services import agencies
from config import errors, ids
from frontend import forms, limits
from frontend.access import ANYBODY, page
from frontend.templatetags import fairplace


class RegistrationForm(forms.Form):
    name = django_forms.CharField(label=_("Name of the agency"), max_length=120)
    country = django_forms.ChoiceField(label=_("Country"))
    administrator_name = django_forms.CharField(label=_("Your name"), max_length=120)
    contact_email = django_forms.EmailField(
        label=_("Your e-mail at the agency"),
        help_text=_("We send you a link there with which you choose a password."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        named = countries.named(fairplace.locale())
        self.fields["country"].choices = [("", _("Choose a country")), *named]


@page(allow=ANYBODY)
def register(request: HttpRequest) -> HttpResponse:
    """Enter a new agency; the answer is the same whether or not the address is known."""
    form = RegistrationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        limits.demand(request, "register", times=10, seconds=3600)
        try:
            with scope(actors.founder_of_agency(ids.uuid7())) as founder:
                agencies.register(actor=founder, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        else:
            return redirect("registered")
    context = {"title": _("Register your agency"), "form": form}
    return forms.render_page(request, "frontend/registration/register.html", context)


@page(allow=ANYBODY)
def registered(request: HttpRequest) -> HttpResponse:
    """Look into your mailbox."""
    context = {"title": _("Look into your mailbox")}
    return render(request, "frontend/registration/registered.html", context)
