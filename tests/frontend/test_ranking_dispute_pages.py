"""Pages of disputes: an agency objects from its card, the bank answers, and nobody else reads."""

import html
import re

import pytest
from django.urls import reverse

from agencies.scope import scope
from marketplace.models import RankingDispute, RankingScore
from marketplace.services import ranking_disputes
from portfolios.models import Loan
from tests import world
from tests.access import pages
from tests.marketplace import disputing
from tests.marketplace.disputing import NOON
from tests.portfolios.over_http import person, words

pytestmark = pytest.mark.django_db

SAID = "P-1 was counted twice"
TOLD = {
    "subject": "payment",
    "loan_reference": "NO-SUCH",
    "payment_reference": "P-1",
    "statement": SAID,
}
NO = {"outcome": "not_corrected", "answer": "It came in twice", "correction": ""}


@pytest.fixture
def bank(clock):
    clock.set(NOON)
    return world.make_bank("Hudson Bank")


@pytest.fixture
def houses(bank, clock):
    """Two agencies with ten loans each, ranked after forty days."""
    made = disputing.pair(bank, clock, loans=10, paying=1, days=40)
    disputing.compute(bank)
    return made


@pytest.fixture
def score(bank, houses):
    with scope(bank.actor("auditor")):
        return RankingScore.objects.get(agency=houses["Elm"].agency)


@pytest.fixture
def form(score):
    return reverse("ranking_dispute_raise", args=[score.pk])


@pytest.fixture
def elm(houses):
    return person(houses["Elm"], "agency_administrator")


@pytest.fixture
def manager(bank):
    return person(bank, "vendor_manager")


def page_of_the_dispute(bank) -> str:
    with scope(bank.actor("auditor")):
        return reverse("ranking_dispute", args=[RankingDispute.objects.get().pk])


def test_from_the_card_to_the_answer_and_back(bank, houses, elm, manager, form):
    card = elm.get("/ranking/")
    assert form in card.content.decode()
    assert "Your objections" not in words(card)
    shown = words(elm.get(form))
    assert "About the ranking of Hudson Bank in USD as of 11 Apr 2026" in shown
    assert "Nobody edits a score." in shown
    done = elm.post(form, TOLD, follow=True)
    assert "The bank has been told. You find its answer here." in words(done)
    assert "Your objections" in words(done)
    assert SAID in words(done)
    assert "1 dispute about the ranking" in words(manager.get("/"))
    assert "objection answered" not in words(elm.get("/"))
    assert "/ranking/disputes/" in manager.get("/ranking/").content.decode()
    listed = words(manager.get("/ranking/disputes/?state=open"))
    assert re.search(r"A payment Elm Recoveries NO-SUCH Open", listed)
    assert "Elm Recoveries" not in words(manager.get("/ranking/disputes/?state=answered"))
    page = page_of_the_dispute(bank)
    text = words(manager.get(page))
    assert SAID in text
    assert "You have no loan with this reference." in text
    assert "A correction is an event" in text
    assert "objected to a figure of the ranking" in text
    answered = manager.post(page, NO, follow=True)
    assert "Answered. The agency reads it on its card." in words(answered)
    assert "Answer the agency" not in words(answered)
    again = words(manager.post(page, NO | {"answer": "Once more"}, follow=True))
    assert "This has been answered already." in again
    home = words(elm.get("/"))
    assert "1 objection answered" in home
    back = re.search(r'href="(/ranking/\?institution=[^"]*)"', elm.get("/").content.decode())
    read = words(elm.get(html.unescape(back.group(1))))
    assert re.search(rf"{SAID} Not corrected It came in twice", read)
    assert "Once more" not in read
    assert "dispute about the ranking" not in words(manager.get("/"))
    assert "answered the objection A payment Outcome: Not corrected" in words(elm.get("/audit/"))


def test_a_correction_is_shown_with_the_loan_the_card_and_the_cells(
    bank, houses, elm, manager, form, score
):
    with scope(bank.actor("auditor")):
        loan = Loan.objects.filter(agency=houses["Elm"].agency).first()
    elm.post(form, TOLD | {"loan_reference": loan.reference})
    page = page_of_the_dispute(bank)
    source = manager.get(page).content.decode()
    for link in (
        reverse("loan", args=[loan.pk]),
        reverse("ranking_card", args=[score.pk]),
        reverse("ranking_pack", args=[score.pk]),
    ):
        assert f'href="{link}"' in source
    manager.post(page, NO | {"outcome": "corrected", "correction": "Reversal R-12 of 3 June"})
    shown = words(person(bank, "auditor").get(page))
    assert "Corrected What was recorded Reversal R-12 of 3 June" in shown
    assert "Corrected It came in twice Reversal R-12 of 3 June" in words(elm.get("/ranking/"))


def test_a_refused_form_loses_nothing(bank, elm, form, manager):
    refused = elm.post(form, TOLD | {"payment_reference": "", "statement": "4111 1111 1111 1111"})
    assert refused.status_code == 422
    assert "This looks like a card number." in words(refused)
    without = elm.post(form, TOLD | {"payment_reference": ""})
    assert without.status_code == 422
    assert "Give a reference." in words(without)
    assert 'value="NO-SUCH"' in without.content.decode()
    assert SAID in without.content.decode()
    assert elm.post(form).status_code == 422
    with scope(bank.actor("auditor")):
        assert not RankingDispute.objects.exists()
    elm.post(form, TOLD)
    page = page_of_the_dispute(bank)
    for change, said in (
        ({"outcome": "corrected"}, "Say which event was recorded, and when."),
        ({"correction": "R-12"}, "Leave this empty, or say that it was corrected."),
        ({"outcome": ""}, "This field is required."),
    ):
        answer = manager.post(page, NO | change)
        assert answer.status_code == 422
        assert said in words(answer)
        assert "It came in twice" in answer.content.decode()
    assert manager.post(page).status_code == 422
    with scope(bank.actor("auditor")):
        assert RankingDispute.objects.get().state == "open"


def test_too_many_are_told_above_the_form(bank, houses, elm, form, score):
    with scope(houses["Elm"].actor()) as actor:
        for number in range(20):
            ranking_disputes.raise_one(
                actor=actor, score_id=score.pk, subject="other", statement=f"Point {number}"
            )
    refused = elm.post(form, TOLD)
    assert refused.status_code == 422
    assert "Twenty of your objections wait for this bank." in words(refused)
    assert SAID in refused.content.decode()


def test_an_existing_loan_and_a_made_up_one_are_answered_alike(bank, houses, elm, form):
    with scope(bank.actor("auditor")):
        rivals = Loan.objects.filter(agency=houses["Alder"].agency).first().reference
    for change, status in (({"statement": ""}, 422), ({}, 302)):
        answers = []
        for reference in (rivals, "NO-SUCH"):
            answer = elm.post(form, TOLD | {"loan_reference": reference} | change)
            where = answer.headers.get("Location")
            answers.append((where, *pages.seen(answer, reference)))
        assert answers[0] == answers[1]
        assert answers[0][1] == status


def test_nobody_else_reads_or_answers(bank, houses, elm, form, manager):
    elm.post(form, TOLD)
    page = page_of_the_dispute(bank)
    alder = person(houses["Alder"], "agency_administrator")
    assert alder.get(form).status_code == 404
    assert alder.post(form, TOLD).status_code == 404
    assert SAID not in alder.get("/ranking/").content.decode()
    for client in (alder, elm, person(houses["Elm"], "collector"), person(bank, "administrator")):
        assert client.get(page).status_code == 403
        assert client.post(page, NO).status_code == 403
        assert client.get("/ranking/disputes/").status_code == 403
    stranger = person(world.make_bank(), "vendor_manager")
    assert stranger.get(page).status_code == 404
    assert stranger.post(page, NO).status_code == 404
    assert SAID not in stranger.get("/ranking/disputes/").content.decode()
    auditor = person(bank, "auditor")
    assert auditor.get(page).status_code == 200
    assert "Answer the agency" not in words(auditor.get(page))
    assert auditor.post(page, NO).status_code == 403
    assert manager.get(form).status_code == 403
    with scope(bank.actor("auditor")):
        assert RankingDispute.objects.get().state == "open"


def test_the_home_page_forgets_an_answer_after_a_week(bank, elm, form, manager, clock):
    elm.post(form, TOLD)
    manager.post(page_of_the_dispute(bank), NO)
    assert "1 objection answered" in words(elm.get("/"))
    clock.advance(days=8)
    assert "objection answered" not in words(elm.get("/"))
