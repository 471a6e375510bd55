"""People: invited, let in once, shut out at once, and never brought back by an old session."""

import datetime

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client

from agencies import actors
from agencies.models import AuditEntry, Invitation, User
from agencies.scope import scope
from agencies.services import invitations, people
from config import errors
from tests import world
from tests.agencies import over_http

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "a sentence of several words"


@pytest.fixture
def house():
    return world.make_agency()


def everybody(actor) -> dict:
    with scope(actor):
        return {user.email: (user.role, user.is_active) for user in User.objects.all()}


def trail(actor) -> list:
    with scope(actor):
        entries = AuditEntry.objects.order_by("pk")
        return list(entries.values_list("action", "reason", "changes"))


def invite(browser, **given):
    return browser.post("/people/invite/", given)


def test_invitation_lets_in_once(bank, django_capture_on_commit_callbacks):
    browser = over_http.log_in(bank.users["administrator"])
    with django_capture_on_commit_callbacks(execute=True):
        answer = invite(browser, name="Ann Lee", email="Ann@Bank.example", role="auditor")
    assert (answer.status_code, answer.url) == (302, "/people/")
    assert mail.outbox[-1].to == ["ann@bank.example"]
    link = over_http.mailed_link()

    visitor = Client()
    assert visitor.get(link).status_code == 200
    short = visitor.post(link, {"password": "short", "again": "short"})
    assert short.status_code == 422
    assert "at least 12 characters" in short.content.decode()
    different = visitor.post(link, {"password": NEW_PASSWORD, "again": "another sentence"})
    assert different.status_code == 422
    accepted = visitor.post(link, {"password": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert (accepted.status_code, accepted.url) == (302, "/accounts/login/")

    used = visitor.post(
        link, {"password": "quite another sentence", "again": "quite another sentence"}
    )
    assert used.status_code == 404
    never = visitor.get("/invitations/never-was/")
    assert never.status_code == 404
    assert used.content == never.content

    with scope(actors.LOGIN):
        ann = User.objects.get(email="ann@bank.example")
        assert ann.institution_id == bank.institution.pk
        assert EmailAddress.objects.filter(user=ann, verified=True, primary=True).count() == 1
    home = over_http.log_in(ann, NEW_PASSWORD).get("/")
    assert "Ann Lee" in home.content.decode()
    assert trail(bank.actor("administrator")) == [
        ("person.invite", "", {"role": "auditor"}),
        ("person.accept_invitation", "", {}),
    ]


def test_invitation_runs_out(bank, clock, django_capture_on_commit_callbacks):
    with (
        django_capture_on_commit_callbacks(execute=True),
        scope(bank.actor("administrator")) as actor,
    ):
        people.invite(actor=actor, email="ann@bank.example", name="Ann", role="auditor")
    link = over_http.mailed_link()
    clock.advance(days=7, seconds=1)
    gone = Client().post(link, {"password": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert gone.status_code == 404
    with (
        django_capture_on_commit_callbacks(execute=True),
        scope(bank.actor("administrator")) as actor,
    ):
        ann = User.objects.get(email="ann@bank.example")
        people.resend(actor=actor, user_id=ann.pk)
    again = over_http.mailed_link()
    assert again != link
    accepted = Client().post(again, {"password": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert accepted.status_code == 302
    with scope(bank.actor("administrator")) as actor, pytest.raises(errors.InvalidState) as refused:
        people.resend(actor=actor, user_id=ann.pk)
    assert refused.value.code == "NOT_PENDING"


def test_only_the_digest_of_an_invitation_is_kept(bank):
    with scope(bank.actor("administrator")) as actor:
        invited = people.invite(actor=actor, email="a@b.example", name="A", role="auditor")
        secret = invited.link.rstrip("/").rsplit("/", 1)[-1]
        kept = Invitation.objects.get(user=invited.user)
    assert len(secret) == 43
    assert secret not in str(vars(kept))
    with scope(bank.actor("auditor")) as actor, pytest.raises(errors.NotAllowed):
        invitations.pending(actor=actor, secret=secret)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "Ann", "email": "ann", "role": "auditor"}, "email"),
        ({"name": " ", "email": "ann@b.example", "role": "auditor"}, "name"),
        ({"name": "Ann", "email": "ann@b.example", "role": "collector"}, "role"),
        ({"name": "Ann", "email": "ann@b.example", "role": "superuser"}, "role"),
    ],
)
def test_what_cannot_be_invited_changes_nothing(bank, given, field):
    before = everybody(bank.actor("administrator"))
    answer = invite(over_http.log_in(bank.users["administrator"]), **given)
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {field}
    with scope(bank.actor("administrator")) as actor, pytest.raises(errors.InvalidInput) as refused:
        people.invite(actor=actor, **given)
    assert refused.value.field == field
    assert everybody(bank.actor("administrator")) == before
    assert trail(bank.actor("administrator")) == []
    assert mail.outbox == []


def test_an_address_of_another_house_is_not_taken_over(bank, house):
    answer = invite(
        over_http.log_in(bank.users["administrator"]),
        name="Ann",
        email=house.users["collector"].email.upper(),
        role="auditor",
    )
    assert answer.status_code == 422
    assert "cannot be invited" in answer.content.decode()
    assert house.users["collector"].email in everybody(house.actor())


@pytest.mark.parametrize("role", ["vendor_manager", "compliance_officer", "auditor"])
def test_only_administrators_look_after_people(bank, role):
    browser = over_http.log_in(bank.users[role])
    before = everybody(bank.actor("administrator"))
    assert browser.get("/people/").status_code == 403
    assert invite(browser, name="A", email="a@b.example", role="auditor").status_code == 403
    other = bank.users["finance_preparer"]
    shut = browser.post(f"/people/{other.pk}/deactivate/", {"reason": "because"})
    assert shut.status_code == 403
    assert everybody(bank.actor("administrator")) == before


def test_deactivation_ends_sessions_and_none_comes_back(bank):
    auditor = bank.users["auditor"]
    browser = over_http.log_in(auditor)
    key = browser.cookies["sessionid"].value
    assert browser.get("/audit/").status_code == 200

    administrator = over_http.log_in(bank.users["administrator"])
    url = f"/people/{auditor.pk}"
    assert administrator.post(f"{url}/deactivate/", {"reason": "Has left us"}).status_code == 302
    assert not Session.objects.filter(pk=key).exists()
    assert Session.objects.count() == 1
    assert over_http.ask("{ viewer { id } }", browser=browser).status_code == 401
    refused = browser.get("/audit/")
    assert (refused.status_code, refused.url) == (302, "/accounts/login/?next=/audit/")

    assert (
        administrator.post(f"{url}/reactivate/", {"reason": "Is back with us"}).status_code == 302
    )
    browser.cookies["sessionid"] = key
    assert browser.get("/audit/").status_code == 302
    assert over_http.ask("{ viewer { id } }", browser=browser).status_code == 401
    assert over_http.log_in(auditor).get("/audit/").status_code == 200
    assert trail(bank.actor("administrator")) == [
        ("person.deactivate", "Has left us", {"is_active": False}),
        ("person.reactivate", "Is back with us", {"is_active": True}),
    ]


def test_an_inactive_person_cannot_log_in(bank):
    with scope(bank.actor("administrator")) as actor:
        people.deactivate(actor=actor, user_id=bank.users["auditor"].pk, reason="Has left us")
    browser = Client()
    credentials = {"login": bank.users["auditor"].email, "password": world.PASSWORD}
    answer = browser.post("/accounts/login/", credentials)
    assert not browser.session.get("_auth_user_id")
    assert browser.get("/audit/").status_code == 302
    assert (answer.status_code, answer.url) == (302, "/accounts/inactive/")
    guessed = Client().post("/accounts/login/", credentials | {"password": "guessed"})
    unknown = Client().post("/accounts/login/", credentials | {"login": "nobody@b.example"})
    assert guessed.status_code == unknown.status_code == 200


def test_the_last_administrator_stays(bank):
    administrator = bank.users["administrator"]
    browser = over_http.log_in(administrator)
    oneself = browser.post(f"/people/{administrator.pk}/deactivate/", {"reason": "I go home"})
    assert oneself.status_code == 422
    assert "Another administrator can change" in oneself.content.decode()

    with scope(bank.actor("administrator")) as actor:
        invited = people.invite(
            actor=actor, email="second@b.example", name="Second", role="administrator"
        )
        # Somebody who never accepted cannot be the one who is left.
        second = actors.for_user(invited.user)
    with scope(second) as actor, pytest.raises(errors.InvalidState) as refused:
        people.deactivate(actor=actor, user_id=administrator.pk, reason="Take over")
    assert refused.value.code == "LAST_ADMINISTRATOR"
    with scope(second) as actor, pytest.raises(errors.InvalidState) as refused:
        people.change_role(
            actor=actor, user_id=administrator.pk, role="auditor", reason="Take over"
        )
    assert refused.value.code == "LAST_ADMINISTRATOR"
    assert everybody(second)[administrator.email] == ("administrator", True)


def test_a_role_changes_at_the_next_request(bank):
    auditor = bank.users["auditor"]
    browser = over_http.log_in(auditor)
    assert browser.get("/people/").status_code == 403
    administrator = over_http.log_in(bank.users["administrator"])
    url = f"/people/{auditor.pk}/role/"
    wrong = administrator.post(url, {"role": "collector", "reason": "Changes sides"})
    assert wrong.status_code == 422
    changed = administrator.post(url, {"role": "administrator", "reason": "Takes over"})
    assert changed.status_code == 302
    assert browser.get("/people/").status_code == 200
    assert trail(bank.actor("administrator")) == [
        ("person.change_role", "Takes over", {"role": "administrator"})
    ]


def test_people_of_others_do_not_exist(bank, house):
    rival = world.make_bank()
    browser = over_http.log_in(bank.users["administrator"])
    absent = "/people/0192f0e0-0000-7000-8000-000000000000/"
    for stranger in (rival.users["auditor"], house.users["collector"]):
        foreign = browser.get(f"/people/{stranger.pk}/")
        assert foreign.status_code == 404
        assert foreign.content == browser.get(absent).content
        for action in ("deactivate", "role", "resend"):
            fields = {"reason": "Let me see", "role": "auditor"}
            answer = browser.post(f"/people/{stranger.pk}/{action}/", fields)
            assert answer.status_code == 404
    listed = browser.get("/people/").content.decode()
    assert rival.users["auditor"].email not in listed
    assert everybody(rival.actor("auditor"))[rival.users["auditor"].email] == ("auditor", True)


def test_people_by_graphql(bank, django_capture_on_commit_callbacks):
    browser = over_http.log_in(bank.users["administrator"])
    with django_capture_on_commit_callbacks(execute=True):
        answer = over_http.ask(
            """mutation($input: PersonInviteInput!) { personInvite(input: $input) {
                 person { id name role isActive } errors { code field } } }""",
            {"input": {"email": "ann@b.example", "name": "Ann", "role": "AUDITOR"}},
            browser=browser,
        ).json()
    person = answer["data"]["personInvite"]["person"]
    assert person["role"] == "AUDITOR"
    assert len(mail.outbox) == 1
    answer = over_http.ask(
        """mutation($input: PersonDeactivateInput!) { personDeactivate(input: $input) {
             person { isActive } errors { code } } }""",
        {"input": {"personId": person["id"], "reason": "A mistake"}},
        browser=browser,
    ).json()
    assert answer["data"]["personDeactivate"] == {"person": {"isActive": False}, "errors": []}
    listed = over_http.ask("{ people(first: 50) { totalCount } }", browser=browser).json()
    assert listed["data"]["people"]["totalCount"] == 7


def test_a_forgotten_password_is_no_way_around_an_invitation(
    bank, django_capture_on_commit_callbacks
):
    with scope(bank.actor("administrator")) as actor:
        people.invite(actor=actor, email="ann@b.example", name="Ann", role="auditor")
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        for email in ("ann@b.example", "nobody@b.example"):
            answer = Client().post("/accounts/password/reset/", {"email": email})
            assert answer.status_code == 302
    assert mail.outbox == []
    with django_capture_on_commit_callbacks(execute=True):
        Client().post("/accounts/password/reset/", {"email": bank.users["auditor"].email})
    assert mail.outbox[-1].to == [bank.users["auditor"].email]


def test_nobody_changes_the_address_they_are_known_by(bank):
    auditor = bank.users["auditor"]
    browser = over_http.log_in(auditor)
    answer = browser.post("/accounts/email/", {"email": "me@other.example", "action_add": ""})
    assert (answer.status_code, answer.url) == (302, "/")
    assert not EmailAddress.objects.filter(email="me@other.example").exists()
    assert auditor.email in everybody(bank.actor("administrator"))


def test_nobody_signs_up_alone(bank):
    before = everybody(bank.actor("administrator"))
    answer = Client().post(
        "/accounts/signup/",
        {"email": "me@b.example", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )
    assert answer.status_code == 302
    with scope(actors.LOGIN):
        assert not User.objects.filter(email="me@b.example").exists()
    assert everybody(bank.actor("administrator")) == before
    assert datetime.timedelta(days=7) == invitations.LIFETIME
