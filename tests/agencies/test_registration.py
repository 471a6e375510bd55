"""How institutions and agencies come to be."""

import subprocess
import sys

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from agencies import actors
from agencies.models import Agency, AuditEntry, Institution, User
from agencies.scope import scope
from config import ids
from tests import world
from tests.agencies import over_http

pytestmark = pytest.mark.django_db

FIELDS = {
    "name": "Northern Recoveries",
    "country": "US",
    "administrator_name": "Nora Ness",
    "contact_email": "Nora@Northern.example",
}
PASSWORD = "a sentence of several words"
OPTIONS = {
    "name": "First Bank",
    "slug": "first-bank",
    "time_zone": "Asia/Shanghai",
    "admin_email": "ada@first.example",
    "admin_name": "Ada",
}


def register(**fields):
    return Client().post("/register/", FIELDS | fields)


def everybody() -> list:
    with scope(actors.LOGIN):
        return sorted(User.objects.values_list("email", "role", "is_active"))


def test_an_agency_registers_and_its_administrator_gets_in(django_capture_on_commit_callbacks):
    world.make_bank("First Bank")
    with django_capture_on_commit_callbacks(execute=True):
        answer = register()
    assert (answer.status_code, answer.url) == (302, "/register/sent/")
    assert Client().get(answer.url).status_code == 200
    assert mail.outbox[-1].to == ["nora@northern.example"]
    accepted = Client().post(over_http.mailed_link(), {"password": PASSWORD, "again": PASSWORD})
    assert accepted.status_code == 302

    with scope(actors.LOGIN):
        nora = User.objects.get(email="nora@northern.example")
    assert nora.role == "agency_administrator"
    with scope(actors.for_user(nora)):
        agency = Agency.objects.get()
        assert (agency.name, agency.country) == ("Northern Recoveries", "US")
        assert agency.group == Group.objects.get(name=f"agency {agency.pk}")
        actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
        assert list(actions) == ["agency.register", "person.invite", "person.accept_invitation"]
    browser = over_http.log_in(nora, PASSWORD)
    assert "First Bank" in browser.get("/institutions/").content.decode()
    assert browser.get("/clients/").status_code == 200
    assert browser.get("/panel/").status_code == 403


def test_a_known_address_gets_the_same_answer(django_capture_on_commit_callbacks):
    house = world.make_agency()
    known = house.users["collector"].email
    before, groups = everybody(), Group.objects.count()
    with django_capture_on_commit_callbacks(execute=True):
        taken = register(contact_email=known)
    with django_capture_on_commit_callbacks(execute=True):
        free = register()
    assert (taken.status_code, taken.url, taken.content) == (
        free.status_code,
        free.url,
        free.content,
    )
    assert [message.to for message in mail.outbox] == [[known], ["nora@northern.example"]]
    assert "already has an account" in mail.outbox[0].body
    assert "/invitations/" not in mail.outbox[0].body
    assert everybody() == sorted([*before, ("nora@northern.example", "agency_administrator", True)])
    assert Group.objects.count() == groups + 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "  "}, "name"),
        ({"country": "ZZ"}, "country"),
        ({"contact_email": "nora"}, "contact_email"),
        ({"administrator_name": ""}, "administrator_name"),
    ],
)
def test_a_registration_that_is_not_complete(fields, field):
    answer = register(**fields)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert everybody() == []
    assert Group.objects.count() == 0
    assert mail.outbox == []


def test_registering_without_end_is_refused():
    answers = [register(contact_email=f"n{number}@n.example") for number in range(11)]
    assert [answer.status_code for answer in answers] == [302] * 10 + [409]
    assert len(everybody()) == 10


def test_the_command_makes_an_institution(capsys):
    call_command("create_institution", **OPTIONS)
    link = capsys.readouterr().out.strip()
    path = link.removeprefix("http://127.0.0.1:8000")
    accepted = Client().post(path, {"password": PASSWORD, "again": PASSWORD})
    assert accepted.status_code == 302
    with scope(actors.LOGIN):
        ada = User.objects.get(email="ada@first.example")
    with scope(actors.for_user(ada)):
        institution = Institution.objects.get()
    assert (institution.name, institution.time_zone) == ("First Bank", "Asia/Shanghai")
    browser = over_http.log_in(ada, PASSWORD)
    assert browser.get("/people/").status_code == 200


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"slug": "first bank"}, "slug"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"admin_email": "ada"}, "administrator_email"),
        ({"name": ""}, "name"),
    ],
)
def test_the_command_says_what_is_wrong(options, field):
    with pytest.raises(CommandError, match=f"^{field}: "):
        call_command("create_institution", **OPTIONS | options)
    assert everybody() == []


def test_the_command_refuses_a_short_name_that_is_taken():
    call_command("create_institution", **OPTIONS)
    with pytest.raises(CommandError, match=r"^slug: "):
        call_command("create_institution", **OPTIONS | {"admin_email": "b@b.example"})
    assert [email for email, _role, _active in everybody()] == ["ada@first.example"]


@pytest.mark.slow
def test_the_command_from_a_shell(owner, database_environment, tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "create_institution"]
        + [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()],
        env={"PATH": "/usr/bin:/bin", "FAIRPLACE_URL": "https://pay.example"}
        | database_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("https://pay.example/invitations/")
    found = owner.execute("select name from agencies_institution").fetchall()
    assert found == [("First Bank",)]


def test_founders_found_and_no_more():
    house = world.make_agency()
    with scope(actors.founder_of_agency(ids.uuid7())):
        assert User.objects.count() == Agency.objects.count() == 0
    assert house.users["collector"].email in [email for email, _role, _active in everybody()]
