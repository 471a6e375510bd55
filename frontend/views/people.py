"""Colleagues: who may do what here, and since when not any more."""

import django_filters
import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from agencies.models import User
from agencies.models.users import AGENCY_ROLES, INSTITUTION_ROLES
from agencies.services import people
from config import errors
from frontend import forms, tables, trail
from frontend.access import page

STATES = (
    ("active", gettext_lazy("Active")),
    ("invited", gettext_lazy("Invited")),
    ("inactive", gettext_lazy("Inactive")),
)


def roles_of(actor) -> list[tuple[str, str]]:
    """(value, label) of the roles that people on the actor's side can have."""
    roles = AGENCY_ROLES if actor.agency_id else INSTITUTION_ROLES
    return [(role.value, role.label) for role in roles]


class PeopleTable(tables.Table):
    caption = gettext_lazy("People")
    empty_title = gettext_lazy("Nobody here yet")

    name = django_tables2.Column(verbose_name=gettext_lazy("Name"))
    role = django_tables2.Column(verbose_name=gettext_lazy("Role"))
    state = tables.StateColumn(verbose_name=gettext_lazy("State"))
    has_totp = django_tables2.BooleanColumn(
        verbose_name=gettext_lazy("Second factor"), orderable=False
    )
    last_login = tables.MomentColumn(verbose_name=gettext_lazy("Last log-in"))

    def render_name(self, record):
        return tables.link(reverse("person", args=[record.pk]), record.name, record.email)

    def render_has_totp(self, value):
        return _("yes") if value else _("no")


class PeopleFilter(tables.FilterSet):
    text = django_filters.CharFilter(label=gettext_lazy("Name or e-mail"), method="containing")
    role = django_filters.ChoiceFilter(label=gettext_lazy("Role"))
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=STATES)

    def __init__(self, *args, roles, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["role"].extra["choices"] = roles

    def containing(self, queryset, name, value):
        return queryset.filter(Q(name__icontains=value) | Q(email__icontains=value))


@page(allow=policies.PEOPLE_MANAGERS)
def people_list(request: HttpRequest) -> HttpResponse:
    """Everybody on one's own side."""
    everybody = selectors.with_state(selectors.visible_users(request.actor)).order_by("name")
    found = PeopleFilter(request.GET or None, everybody, roles=roles_of(request.actor))
    table = PeopleTable(found.qs, request=request, time_zone=selectors.time_zone_of(request.actor))
    return render(
        request,
        "frontend/people/list.html",
        {
            "title": _("People"),
            "lead": _("Everybody who may log in for your organisation, and in which role."),
            "table": table,
            "filterset": found,
        },
    )


class InviteForm(forms.Form):
    name = django_forms.CharField(label=gettext_lazy("Name"), max_length=120)
    email = django_forms.EmailField(
        label=gettext_lazy("E-mail"),
        help_text=gettext_lazy("The invitation goes there; they log in with this address."),
    )
    role = django_forms.ChoiceField(label=gettext_lazy("Role"))

    def __init__(self, *args, roles, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [("", _("Choose a role")), *roles]


@page(allow=policies.PEOPLE_MANAGERS)
def invite(request: HttpRequest) -> HttpResponse:
    """Mail a new colleague the link with which they choose a password."""
    form = InviteForm(request.POST or None, roles=roles_of(request.actor))
    if request.method == "POST" and form.is_valid():
        try:
            invited = people.invite(actor=request.actor, **form.cleaned_data)
        except errors.DomainError as error:
            forms.form_from_error(form, error)
        else:
            told = _("%(name)s has been invited. The link works for seven days.")
            messages.success(request, told % {"name": invited.user.name})
            return redirect("people")
    return forms.render_page(
        request,
        "frontend/people/invite.html",
        {
            "title": _("Invite somebody"),
            "breadcrumbs": [(_("People"), reverse("people"))],
            "form": form,
        },
    )


class RoleForm(forms.Form):
    role = django_forms.ChoiceField(label=gettext_lazy("Role"))
    reason = forms.ReasonField()

    def __init__(self, *args, roles, **kwargs):
        super().__init__(*args, auto_id="role_%s", **kwargs)
        self.fields["role"].choices = roles


class ReasonForm(forms.Form):
    reason = forms.ReasonField()


@page(allow=policies.PEOPLE_MANAGERS)
def person(request: HttpRequest, pk) -> HttpResponse:
    """One colleague: what they may do, and what happened."""
    return _show(request, _found(request, pk))


@page(allow=policies.PEOPLE_MANAGERS)
@require_POST
def resend(request: HttpRequest, pk) -> HttpResponse:
    """Another invitation."""
    invited = people.resend(actor=request.actor, user_id=pk)
    told = _("%(name)s has been sent another link.") % {"name": invited.user.name}
    messages.success(request, told)
    return redirect("person", pk)


@page(allow=policies.PEOPLE_MANAGERS)
@require_POST
def change_role(request: HttpRequest, pk) -> HttpResponse:
    """Another role of the same side."""
    form = RoleForm(request.POST, roles=roles_of(request.actor))
    return _change(request, pk, people.change_role, role_form=form)


@page(allow=policies.PEOPLE_MANAGERS)
@require_POST
def deactivate(request: HttpRequest, pk) -> HttpResponse:
    """Shut somebody out."""
    return _change(request, pk, people.deactivate, access_form=ReasonForm(request.POST))


@page(allow=policies.PEOPLE_MANAGERS)
@require_POST
def reactivate(request: HttpRequest, pk) -> HttpResponse:
    """Let somebody in again."""
    return _change(request, pk, people.reactivate, access_form=ReasonForm(request.POST))


def _found(request: HttpRequest, pk) -> User:
    users = selectors.with_state(selectors.visible_users(request.actor))
    return selectors.find(users, pk=pk)


def _change(request: HttpRequest, pk, service, **named) -> HttpResponse:
    ((name, form),) = named.items()
    user = _found(request, pk)
    if form.is_valid():
        try:
            service(actor=request.actor, user_id=user.pk, **form.cleaned_data)
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("Done."))
            return redirect("person", pk)
    return _show(request, user, **{name: form})


def _show(request: HttpRequest, user: User, role_form=None, access_form=None) -> HttpResponse:
    zone = selectors.time_zone_of(request.actor)
    roles = roles_of(request.actor)
    refused = next((form for form in (role_form, access_form) if form is not None), None)
    return render(
        request,
        "frontend/people/person.html",
        {
            "title": user.name,
            "state": user.state,
            "breadcrumbs": [(_("People"), reverse("people"))],
            "person": user,
            "is_oneself": user.pk == request.actor.user_id,
            "time_zone": zone,
            "role_form": role_form or RoleForm(roles=roles, initial={"role": user.role}),
            "access_form": access_form or ReasonForm(),
            "entries": trail.timeline(request.actor, user),
        },
        status=forms.UNPROCESSABLE if refused else 200,
    )
