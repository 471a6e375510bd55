"""What is shown when a page is not: missing, not allowed, broken."""

import logging
import sys
import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

logger = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception=None) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception=None) -> HttpResponse:
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception=None) -> HttpResponse:
    """No such address; the answer to somebody else's object is this one, to the byte."""
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours: logged with a reference, and shown as that reference alone."""
    reference = uuid.uuid4().hex[:12]
    logger.error("fault %s at %s", reference, request.path, exc_info=sys.exc_info())
    return render(request, "500.html", {"reference": reference}, status=500)
