"""How often an outsider may use a public form, counted per address for all processes together."""

import time

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config import errors


def demand(request: HttpRequest, name: str, *, times: int, seconds: int) -> None:
    """Raise `InvalidState` with `TOO_OFTEN` when this address has used up its times.

    A form that is refused for what is in it costs a time too: otherwise it could be used to ask
    questions without end.
    """
    window = int(time.time() // seconds)
    key = f"limit:{name}:{window}:{get_adapter(request).get_client_ip(request)}"
    used = cache.get(key, 0) + 1
    cache.set(key, used, timeout=seconds)
    if used > times:
        raise errors.InvalidState(
            "TOO_OFTEN", _("This was used too often from your address. Try again in an hour.")
        )
