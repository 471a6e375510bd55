"""API clients: an agency's own systems and the tokens they may ask for."""

import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from agencies.services import clients
from config import errors
from frontend import forms, tables, trail
from frontend.access import page

SWITCHES = {"enable": clients.enable, "disable": clients.disable}


class ClientTable(tables.Table):
    caption = gettext_lazy("API clients")
    empty_title = gettext_lazy("No API client yet")
    empty_text = gettext_lazy(
        "A client is one of your own systems: it lists loans and logs contacts and recoveries "
        "without anybody logging in."
    )

    name = django_tables2.Column(verbose_name=gettext_lazy("Name"))
    is_enabled = django_tables2.Column(verbose_name=gettext_lazy("State"))
    client_id = django_tables2.Column(
        verbose_name=gettext_lazy("Client ID"), accessor="client_id", orderable=False
    )
    created_at = tables.MomentColumn(verbose_name=gettext_lazy("Made"))

    def render_name(self, record):
        return tables.link(reverse("client", args=[record.pk]), record.name)

    def render_is_enabled(self, value):
        return tables.fairplace.badge("enabled" if value else "disabled")


@page(allow=policies.AGENCY_ADMINISTRATORS)
def client_list(request: HttpRequest) -> HttpResponse:
    """The agency's systems."""
    rows = selectors.visible_machine_clients(request.actor).order_by("name")
    context = {
        "title": _("API clients"),
        "lead": _("Your own systems that work here by GraphQL, each with its own credentials."),
        "table": ClientTable(rows, request=request),
    }
    return render(request, "frontend/clients/list.html", context)


class ClientForm(forms.Form):
    name = django_forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("Such as the system's: it stands in the audit trail as who did it."),
    )


@page(allow=policies.AGENCY_ADMINISTRATORS)
def create(request: HttpRequest) -> HttpResponse:
    """Make a client; its secret is on the answer to this very request and nowhere else."""
    form = ClientForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = clients.create(actor=request.actor, **form.cleaned_data)
        except errors.DomainError as error:
            forms.form_from_error(form, error)
        else:
            context = {
                "title": made.machine.name,
                "breadcrumbs": [(_("API clients"), reverse("clients"))],
                "machine": made.machine,
                "secret": made.secret,
            }
            return render(
                request, "frontend/clients/created.html", _with_addresses(context, request)
            )
    context = {
        "title": _("New API client"),
        "breadcrumbs": [(_("API clients"), reverse("clients"))],
        "form": form,
    }
    return forms.render_page(request, "frontend/clients/create.html", context)


@page(allow=policies.AGENCY_ADMINISTRATORS)
def client(request: HttpRequest, pk) -> HttpResponse:
    """One client: its state, how it asks for a token, and what happened."""
    machine = selectors.find(selectors.visible_machine_clients(request.actor), pk=pk)
    context = {
        "title": machine.name,
        "state": "enabled" if machine.is_enabled else "disabled",
        "breadcrumbs": [(_("API clients"), reverse("clients"))],
        "machine": machine,
        "entries": trail.timeline(request.actor, machine),
    }
    return render(request, "frontend/clients/client.html", _with_addresses(context, request))


@page(allow=policies.AGENCY_ADMINISTRATORS)
@require_POST
def switch(request: HttpRequest, pk, action: str) -> HttpResponse:
    """Enable or disable a client."""
    if action not in SWITCHES:
        raise Http404
    machine = SWITCHES[action](actor=request.actor, machine_client_id=pk)
    told = (
        _("%(name)s may ask for tokens again.")
        if machine.is_enabled
        else _("%(name)s is shut out; its tokens are gone.")
    )
    messages.success(request, told % {"name": machine.name})
    return redirect("client", pk)


def _with_addresses(context: dict, request: HttpRequest) -> dict:
    return context | {
        "token_url": request.build_absolute_uri(reverse("token")),
        "graphql_url": request.build_absolute_uri(reverse("graphql")),
    }
