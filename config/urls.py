"""Where everything is. Wires the chapters together; imported by nobody."""

from allauth.idp.oidc.views import revoke, token
from django.urls import include, path
from django.views.generic import RedirectView

from agencies import audit
from config.graphql.view import graphql_view
from config.schema import schema
from frontend.access import ANYBODY, page
from frontend.views import failures
from payouts import webhooks

handler400 = failures.bad_request
handler403 = failures.forbidden
handler404 = failures.not_found
handler500 = failures.server_error

urlpatterns = [
    path("", include("frontend.urls")),
    path("graphql", graphql_view(schema, on_denial=audit.deny), name="graphql"),
    # Whoever sends: it is the signature that is believed.
    path("stripe/webhook", page(allow=ANYBODY)(webhooks.stripe), name="stripe_webhook"),
    # People come by invitation, and administrators look after their addresses.
    path("accounts/signup/", RedirectView.as_view(pattern_name="home"), name="account_signup"),
    path("accounts/email/", RedirectView.as_view(pattern_name="home"), name="account_email"),
    path("accounts/", include("allauth.urls")),
    # Of OAuth only what machine clients need: a token for their credentials, and its end.
    path("identity/o/api/token", token, name="token"),
    path("identity/o/api/revoke", revoke, name="revoke"),
]
