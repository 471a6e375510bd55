"""The pages: the one list of addresses. Each chapter adds its own below its heading."""

from django.urls import path
from django.views.i18n import set_language

from frontend.access import ANYBODY, page
from frontend.views import (
    audit,
    clients,
    health,
    home,
    institutions,
    invitations,
    panel,
    people,
    registration,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("language/", page(allow=ANYBODY)(set_language), name="set_language"),
    path("livez", health.live, name="livez"),
    path("readyz", health.ready, name="readyz"),
    # --- agencies: who
    path("register/", registration.register, name="register"),
    path("register/sent/", registration.registered, name="registered"),
    path("invitations/<str:secret>/", invitations.accept, name="invitation"),
    path("people/", people.people_list, name="people"),
    path("people/invite/", people.invite, name="person_invite"),
    path("people/<uuid:pk>/", people.person, name="person"),
    path("people/<uuid:pk>/resend/", people.resend, name="person_resend"),
    path("people/<uuid:pk>/role/", people.change_role, name="person_change_role"),
    path("people/<uuid:pk>/deactivate/", people.deactivate, name="person_deactivate"),
    path("people/<uuid:pk>/reactivate/", people.reactivate, name="person_reactivate"),
    path("panel/", panel.panel_list, name="panel"),
    path("panel/documents/<uuid:pk>/", panel.document, name="document"),
    path("panel/<uuid:pk>/", panel.membership, name="membership"),
    path("panel/<uuid:pk>/<str:decision>/", panel.decide, name="membership_decide"),
    path("institutions/", institutions.institutions, name="institutions"),
    path("institutions/<uuid:pk>/apply/", institutions.apply, name="institution_apply"),
    path("clients/", clients.client_list, name="clients"),
    path("clients/new/", clients.create, name="client_create"),
    path("clients/<uuid:pk>/", clients.client, name="client"),
    path("clients/<uuid:pk>/<str:action>/", clients.switch, name="client_switch"),
    path("audit/", audit.audit_trail, name="audit"),
    path("audit/refusals/", audit.denials, name="denials"),
    # --- portfolios: what is owed
    # --- marketplace: the deal
    # --- payouts: the money out
]
