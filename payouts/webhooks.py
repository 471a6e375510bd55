"""The address Stripe calls. It keeps the event and answers; a sweep does the rest."""

from http import HTTPStatus

from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from agencies import actors
from agencies.scope import scope
from payouts import gateway
from payouts.services import events

LARGEST_BYTES = 256 * 1024


@csrf_exempt
@require_POST
def stripe(request):
    """200 for an event that is kept or known, 400 for anything not signed by Stripe just now."""
    if int(request.headers.get("Content-Length") or 0) > LARGEST_BYTES:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    signature = request.headers.get("Stripe-Signature")
    try:
        # Whoever's session came with it: an event belongs to nobody until it is understood.
        with scope(actors.PUBLIC):
            events.receive(payload=request.body, signature=signature)
    except gateway.InvalidSignature:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    return HttpResponse(status=HTTPStatus.OK)
