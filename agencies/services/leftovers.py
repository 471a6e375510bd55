"""What has run out and serves nobody any more."""

from allauth.idp.oidc.models import Token
from django.contrib.sessions.backends.db import SessionStore

from agencies import policies
from agencies.actors import Actor


def forget_expired(*, actor: Actor) -> None:
    """Delete sessions and tokens that have run out; they open nothing, they only fill tables."""
    policies.demand(actor, policies.SWEEPS)
    SessionStore.clear_expired()
    Token.objects.expired().delete()
