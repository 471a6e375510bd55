"""What a bidder does in a room: accept its terms, ask, and take the tape and the documents."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header as content_disposition
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from config import errors
from frontend import forms, tapes
from frontend.access import page
from frontend.views import bids, rooms
from marketplace.selectors import shown_listings
from marketplace.services import documents as document_service
from marketplace.services import questions, terms
from marketplace.services import tapes as tape_service

VIEWERS = policies.EVERYBODY


@page(allow=policies.AGENCY_PEOPLE)
@require_POST
def accept(request: HttpRequest, pk) -> HttpResponse:
    """Accept the terms; the room is open to this person from then on."""
    listing = selectors.find(shown_listings(request.actor), pk=pk)
    form = rooms.AcceptForm(request.POST)
    if not form.is_valid():
        return bids.room(request, listing, accept_form=form)
    try:
        terms.accept(actor=request.actor, listing_id=pk, sha256=form.cleaned_data["sha256"])
    except errors.InvalidState as error:
        now = selectors.find(shown_listings(request.actor), pk=pk)
        return bids.room(request, now, problem=error.message)
    messages.success(request, _("The room is open to you. Read, ask, and bid before it closes."))
    return redirect("listing", pk)


@page(allow=rooms.MAY_ASK)
@require_POST
def ask(request: HttpRequest, pk) -> HttpResponse:
    """Ask the bank something; nobody learns who asks."""
    listing = selectors.find(shown_listings(request.actor), pk=pk)
    form = rooms.QuestionForm(request.POST)
    if listing.is_opened and not form.is_valid():
        return bids.room(request, listing, ask_form=form)
    try:
        questions.ask(actor=request.actor, listing_id=pk, text=form.data.get("text", ""))
    except errors.InvalidInput as error:
        return bids.room(request, listing, ask_form=forms.form_from_error(form, error))
    except errors.InvalidState as error:
        now = selectors.find(shown_listings(request.actor), pk=pk)
        return bids.room(request, now, problem=error.message)
    messages.success(
        request, _("Your question is with the bank. All bidders read the answer when you do.")
    )
    return redirect("listing", pk)


@page(allow=VIEWERS)
def tape(request: HttpRequest, pk) -> HttpResponse | StreamingHttpResponse:
    """The anonymised tape as a file, a line for each loan."""
    found = tape_service.take(actor=request.actor, listing_id=pk)
    listing = selectors.find(shown_listings(request.actor), pk=pk)
    return StreamingHttpResponse(
        tapes.file_lines(listing, found),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition(True, f"tape-{listing.pk}.csv"),
            "X-Content-Type-Options": "nosniff",
        },
    )


@page(allow=VIEWERS)
def document(request: HttpRequest, pk) -> HttpResponse:
    """One document of a room, as a file and never as a page of ours."""
    found = document_service.take(actor=request.actor, document_id=pk)
    return HttpResponse(
        bytes(found.content),
        content_type=found.content_type,
        headers={
            "Content-Disposition": content_disposition(True, found.file_name),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )
