"""What has run out is forgotten, and nothing else."""

import pytest
from allauth.idp.oidc.models import Token
from django.contrib.sessions.models import Session

from agencies import tasks
from agencies.scope import scope
from agencies.services import leftovers
from config import errors
from config.celery import SWEEPS
from tests import world
from tests.agencies import over_http

pytestmark = pytest.mark.django_db

LONG_AGO = "2020-01-01T00:00:00Z"


def test_only_what_has_run_out_is_forgotten():
    house = world.make_agency()
    machine, secret = over_http.machine(house)
    over_http.token(machine, secret)
    Token.objects.update(expires_at=LONG_AGO)
    token = over_http.token(machine, secret)
    over_http.log_in(house.users["collector"])
    Session.objects.update(expire_date=LONG_AGO)
    browser = over_http.log_in(house.users["collector"])
    assert (Session.objects.count(), Token.objects.count()) == (2, 2)

    for _ in range(2):
        tasks.forget_expired()
        assert (Session.objects.count(), Token.objects.count()) == (1, 1)
    assert browser.get("/audit/").status_code == 200
    assert over_http.ask("{ viewer { id } }", bearer=token).status_code == 200


def test_it_is_swept_and_by_nobody_else():
    bank = world.make_bank()
    with scope(bank.actor("administrator")) as actor, pytest.raises(errors.NotAllowed):
        leftovers.forget_expired(actor=actor)
    assert "agencies.tasks.forget_expired" in [task for task, _seconds in SWEEPS.values()]
