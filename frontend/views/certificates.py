"""Deletion certificates: asked for when a placement is over, given by the agency, kept by both."""

import django_tables2
from django import forms as django_forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, F, Max, OuterRef, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from config import errors
from frontend import forms, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views.exports import ExportTable
from portfolios import certificates as documents
from portfolios.models import Certificate
from portfolios.selectors import shown_exports, visible_certificates
from portfolios.services import certificates


class PlacementTable(tables.Table):
    caption = gettext_lazy("Deletion certificates")
    empty_title = gettext_lazy("No certificate is owed")
    empty_text = gettext_lazy(
        "When a placement is over, the agency certifies here that its files are destroyed."
    )

    title = django_tables2.Column(verbose_name=gettext_lazy("Placement"))
    other = django_tables2.Column(verbose_name=gettext_lazy("Agency"), accessor="agency__name")
    export_count = tables.IntegerColumn(verbose_name=gettext_lazy("Exports"))
    total = tables.IntegerColumn(verbose_name=gettext_lazy("Rows"))
    state = tables.StateColumn(verbose_name=gettext_lazy("State"), empty_values=(), orderable=False)
    given_at = tables.MomentColumn(verbose_name=gettext_lazy("Given"), default="–")

    def render_title(self, record):
        url = reverse("certificate", args=[record["placement_id"]])
        return tables.link(url, record["title"])

    def render_state(self, record):
        return fairplace.badge("certified" if record["given_at"] else "owed")


class OwnPlacementTable(PlacementTable):
    """For the agency: at which bank."""

    other = django_tables2.Column(verbose_name=gettext_lazy("Bank"), accessor="institution__name")


@page(allow=certificates.READERS_OF_BOTH_SIDES)
def certificate_list(request: HttpRequest) -> HttpResponse:
    """The placements that are over and of which loans were exported."""
    actor = request.actor
    is_agency = actor.kind == "agency"
    given = visible_certificates(actor).filter(placement=OuterRef("placement_id"))
    rows = certificates.over(actor).values(
        "placement_id", "title", "agency__name" if not is_agency else "institution__name"
    )
    rows = rows.annotate(
        export_count=Count("pk", distinct=True),
        total=Sum("parts__row_count"),
        asked_at=Max("requested_at"),
        given_at=Subquery(given.values("attested_at")),
    ).order_by(F("given_at").desc(nulls_first=True), "-asked_at")
    kind = OwnPlacementTable if is_agency else PlacementTable
    zone = selectors.time_zone_of(actor)
    return render(
        request,
        "frontend/certificates/list.html",
        {
            "title": _("Deletion certificates"),
            "lead": _("What you exported of placements that are over must be destroyed.")
            if is_agency
            else _("What agencies exported of placements that are over, and their word on it."),
            "table": kind(rows, request=request, time_zone=zone),
        },
    )


class AttestForm(forms.Form):
    statement = forms.ReasonField(
        label=gettext_lazy("What was done with the copies?"),
        help_text=gettext_lazy("It stands in the certificate. Where they were, how they went."),
    )
    is_destroyed = django_forms.BooleanField(
        label=gettext_lazy("Every copy is destroyed, backups and printouts among them.")
    )


@page(allow=certificates.READERS_OF_BOTH_SIDES)
def certificate(request: HttpRequest, pk) -> HttpResponse:
    """What was exported of one placement, and the certificate or the form to give it."""
    actor = request.actor
    exports = certificates.exported(actor=actor, placement_id=pk)
    given = visible_certificates(actor).filter(placement=pk).first()
    may_attest = given is None and policies.allows(actor, policies.AGENCY_ADMINISTRATORS)
    form = AttestForm(request.POST or None) if may_attest else None
    if request.method == "POST":
        if form is None:
            policies.demand(actor, policies.AGENCY_ADMINISTRATORS)
        elif form.is_valid():
            try:
                certificates.attest(
                    actor=actor, placement_id=pk, statement=form.cleaned_data["statement"]
                )
            except (errors.InvalidInput, errors.InvalidState) as error:
                forms.form_from_error(form, error)
            else:
                messages.success(request, _("The certificate is signed. The bank has it too."))
                return redirect("certificate", pk)
    return _show(request, exports, given, form)


def _show(request: HttpRequest, exports, given: Certificate | None, form) -> HttpResponse:
    actor = request.actor
    found = list(
        shown_exports(actor)
        .filter(pk__in=exports.values("pk"))
        .select_related("institution", "agency")
        .order_by("requested_at")
    )
    first, zone = found[0], selectors.time_zone_of(actor)
    side = first.institution if actor.kind == "agency" else first.agency
    return forms.render_page(
        request,
        "frontend/certificates/certificate.html",
        {
            "title": first.title,
            "state": "certified" if given else "owed",
            "lead": _("Files of %(name)s that left the portal.") % {"name": side.name}
            if actor.kind == "agency"
            else _("Files that %(name)s took out of the portal.") % {"name": side.name},
            "breadcrumbs": [(_("Deletion certificates"), reverse("certificates"))],
            "exports": ExportTable(found, time_zone=zone),
            "row_count": sum(export.row_count for export in found),
            "given": given,
            "form": form,
            "placement_id": first.placement_id,
            "facts": _facts(given) if given else [],
            "time_zone": zone,
            "entries": trail.timeline(actor, *([given] if given else [])),
        },
    )


def _facts(given: Certificate) -> list[tuple]:
    key = documents.public_key(settings.CERTIFICATE_KEY).hex()
    is_current = documents.key_id(bytes.fromhex(key)) == given.key_id
    return [
        (_("Given by"), given.attested_by),
        (_("Rows"), fairplace.integer(given.row_count)),
        (_("Key"), given.key_id),
        (_("Checked with"), format_html("<code>{}</code>", "manage.py certificate_verify")),
        (_("Public key"), key if is_current else _("an earlier one of the portal")),
    ]


@page(allow=certificates.READERS_OF_BOTH_SIDES)
def download(request: HttpRequest, pk) -> HttpResponse:
    """The certificate as a file that `manage.py certificate_verify` checks."""
    given = selectors.find(visible_certificates(request.actor), placement=pk)
    return HttpResponse(
        documents.file(given.document, given.signature, given.key_id),
        content_type="application/json",
        headers={"Content-Disposition": content_disposition_header(True, "certificate.json")},
    )
