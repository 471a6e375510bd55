"""The audit trail and, apart from it, what was refused."""

import functools
import operator

import django_filters
import django_tables2
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from frontend import forms, subjects, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace

DENIAL_READERS = policies.COMPLIANCE_OFFICERS | policies.AUDITORS

SUBJECTS = {
    gettext_lazy("Panel"): ("panel", "agency", "institution"),
    gettext_lazy("People"): ("person",),
    gettext_lazy("API clients"): ("machine_client",),
    gettext_lazy("Portfolios and loans"): (
        "portfolio",
        "loans",
        "maintenance",
        "loan",
        "borrower",
    ),
    gettext_lazy("Listings and bids"): ("listing", "bid", "question", "answers"),
    gettext_lazy("Placements"): ("placement", "placement_rules", "recall", "certificate"),
    gettext_lazy("Contacts and promises"): ("contact", "promise"),
    gettext_lazy("Recoveries and receipts"): ("recovery", "receipt", "receipts", "late_receipt"),
    gettext_lazy("Complaints"): ("complaint", "intake"),
    gettext_lazy("Commission and payouts"): (
        "commission",
        "excess",
        "statement",
        "payout",
        "payout_account",
    ),
    gettext_lazy("Ranking"): ("ranking", "ranking_dispute", "ranking_policy"),
}
"""What an entry can be about, and how the actions of each begin."""

SUBJECT_CHOICES = [(beginnings[0], label) for label, beginnings in SUBJECTS.items()]


class TrailTable(tables.Table):
    caption = gettext_lazy("Audit trail")
    empty_title = gettext_lazy("Nothing has happened yet")

    at = tables.MomentColumn(verbose_name=gettext_lazy("When"), order_by=("at", "pk"))
    actor_label = django_tables2.Column(verbose_name=gettext_lazy("Who"))
    action = django_tables2.Column(verbose_name=gettext_lazy("What"), orderable=False)
    object_id = django_tables2.Column(verbose_name=gettext_lazy("About"), orderable=False)
    changes = django_tables2.Column(
        verbose_name=gettext_lazy("Changed to"), orderable=False, empty_values=()
    )
    reason = django_tables2.Column(verbose_name=gettext_lazy("Reason"), orderable=False)
    history = django_tables2.Column(
        verbose_name=gettext_lazy("History"), orderable=False, empty_values=()
    )

    def before_render(self, request):
        """Ask for the names of the page's objects at once."""
        shown = [row.record for row in self.paginated_rows]
        self.subjects = subjects.of(request.actor, shown)

    def render_action(self, record):
        return trail.words(record.action)

    def render_changes(self, record):
        parts = ((label, new) for label, _old, new in trail.changes(record))
        return format_html_join("; ", "{}: {}", parts) or "–"

    def render_object_id(self, record):
        subject = self.subjects.get(record.object_id)
        return trail.link(subject) if subject else "–"

    def render_history(self, record):
        return format_html(
            '<a class="icon-button" href="{}?object={}">{}</a>',
            reverse("audit"),
            record.object_id,
            fairplace.icon("history", label=_("All entries about this one")),
        )


class TrailFilter(tables.FilterSet):
    subject = django_filters.ChoiceFilter(
        label=gettext_lazy("About"), choices=SUBJECT_CHOICES, method="about"
    )
    who = django_filters.CharFilter(
        label=gettext_lazy("Who"), field_name="actor_label", lookup_expr="icontains"
    )
    since = django_filters.Filter(
        label=gettext_lazy("From"), field_name="at", lookup_expr="date__gte"
    )
    until = django_filters.Filter(
        label=gettext_lazy("To"), field_name="at", lookup_expr="date__lte"
    )
    object = django_filters.UUIDFilter(label=gettext_lazy("Object"), field_name="object_id")

    since.field_class = until.field_class = forms.DayField

    def about(self, queryset, name, value):
        (beginnings,) = (found for found in SUBJECTS.values() if found[0] == value)
        wanted = (Q(action__startswith=f"{beginning}.") for beginning in beginnings)
        return queryset.filter(functools.reduce(operator.or_, wanted))


@page(allow=policies.PEOPLE)
def audit_trail(request: HttpRequest) -> HttpResponse:
    """Every change that the reader may know of, the newest first."""
    zone = selectors.time_zone_of(request.actor)
    rows = selectors.visible_audit_entries(request.actor).order_by("-at", "-pk")
    # The days that are filtered by begin and end on the reader's own clock.
    with timezone.override(zone):
        found = TrailFilter(request.GET or None, rows)
        context = {
            "title": _("Audit trail"),
            "lead": _("Who did what, when and why. Entries are written with the change and stay."),
            "table": TrailTable(found.qs, request=request, time_zone=zone),
            "filterset": found,
            "sees_denials": policies.allows(request.actor, DENIAL_READERS),
        }
        return render(request, "frontend/audit/trail.html", context)


class DenialTable(tables.Table):
    caption = gettext_lazy("Refusals")
    empty_title = gettext_lazy("Nothing has been refused")

    at = tables.MomentColumn(verbose_name=gettext_lazy("When"), order_by=("at", "pk"))
    actor_label = django_tables2.Column(verbose_name=gettext_lazy("Who"))
    operation = django_tables2.Column(verbose_name=gettext_lazy("Tried"))
    code = django_tables2.Column(verbose_name=gettext_lazy("Answer"))


class DenialFilter(tables.FilterSet):
    who = django_filters.CharFilter(
        label=gettext_lazy("Who"), field_name="actor_label", lookup_expr="icontains"
    )
    operation = django_filters.CharFilter(label=gettext_lazy("Tried"), lookup_expr="icontains")


@page(allow=DENIAL_READERS)
def denials(request: HttpRequest) -> HttpResponse:
    """What one's own people were refused."""
    rows = selectors.visible_denials(request.actor).order_by("-at", "-pk")
    found = DenialFilter(request.GET or None, rows)
    table = DenialTable(found.qs, request=request, time_zone=selectors.time_zone_of(request.actor))
    context = {
        "title": _("Refusals"),
        "lead": _("What people of this institution asked for and did not get."),
        "breadcrumbs": [(_("Audit trail"), reverse("audit"))],
        "table": table,
        "filterset": found,
    }
    return render(request, "frontend/audit/denials.html", context)
