"""Accepting an invitation: the link from the message, and a password."""

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from agencies import actors, audit
from agencies.services import invitations
from config import errors
from frontend import forms
from frontend.access import ANYBODY, page


class PasswordForm(forms.Form):
    password = django_forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=invitations.PASSWORD_MAX_LENGTH,
        widget=django_forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters; a sentence of a few words is easy to keep in mind."),
    )
    again = django_forms.CharField(
        label=_("Password again"),
        strip=False,
        widget=django_forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self):
        given = super().clean()
        if given.get("password") and given.get("again") and given["password"] != given["again"]:
            self.add_error("again", _("This is not the same password."))
        return given


@page(allow=ANYBODY)
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """Choose the password; a link that does not work says so and no more."""
    form = PasswordForm(request.POST or None)
    try:
        invitation = invitations.pending(actor=actors.LOGIN, secret=secret)
        if request.method == "POST" and form.is_valid():
            password = form.cleaned_data["password"]
            invitations.accept(actor=actors.LOGIN, secret=secret, password=password)
            messages.success(request, _("Your password is set. Log in with it."))
            return redirect("account_login")
    except errors.NotFound as error:
        audit.deny(actors.LOGIN, "invitation", error)
        return render(request, "frontend/invitations/gone.html", status=404)
    except errors.InvalidInput as error:
        forms.form_from_error(form, error)
    context = {"title": _("Welcome to Fairplace"), "invitation": invitation, "form": form}
    return forms.render_page(request, "frontend/invitations/accept.html", context)
