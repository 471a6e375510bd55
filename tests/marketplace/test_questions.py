"""Questions and answers: nobody learns who asks, and all read the answers at one instant."""

import pytest
from django.db import DatabaseError, transaction

from agencies.models import AuditEntry
from agencies.scope import scope
from marketplace.models import ListingAnswer, ListingQuestion, QuestionAuthor
from marketplace.services import questions
from tests import world
from tests.marketplace import market
from tests.marketplace.room import answer, ask_question, codes, page_text, refused
from tests.portfolios.over_http import ask, do, machine, person


def test_nobody_but_its_agency_learns_who_asks(early, room, clock):
    house, rival, _third = early.houses
    for one in (house, rival):
        world.accept_terms(one, early.listing)
    made = do(
        machine(house),
        "listingQuestionAsk",
        "question { text }",
        listingId=early.listing.pk,
        text="Is it insured?",
    )
    assert made == {"question": {"text": "Is it insured?"}, "errors": []}
    rows = "query($id: ID!) { listing(id: $id) { questions(first: 5) { edges { node { text } } }"
    rows += " answers(first: 5) { totalCount } visits(first: 50) { totalCount } } }"

    def read(client):
        return ask(client, rows, id=early.listing.pk)["listing"]

    assert market.nodes(read(machine(house))["questions"]) == [{"text": "Is it insured?"}]
    assert market.nodes(read(machine(rival))["questions"]) == []
    assert market.nodes(read(person(early.bank, "vendor_manager"))["questions"]) == [
        {"text": "Is it insured?"}
    ]
    desk = person(early.bank, "vendor_manager").get(f"{room}questions/").content.decode()
    assert "Is it insured?" in desk
    for moment in (market.OPENED_AT, market.CLOSES_AT):
        clock.set(moment)
        for role in early.bank.users:
            client = person(early.bank, role)
            texts = [client.get(path).content.decode() for path in (f"{room}questions/", "/audit/")]
            assert not any("asked the bank" in text for text in texts)
            assert house.agency.name not in texts[0]
        with scope(early.bank.actor("auditor")):
            assert not QuestionAuthor.objects.exists()
            assert not AuditEntry.objects.filter(action="question.ask").exists()
    with scope(house.actor()):
        assert AuditEntry.objects.filter(action="question.ask").count() == 1
    with scope(rival.actor()):
        assert not ListingQuestion.objects.exists()
        assert not QuestionAuthor.objects.exists()


def test_all_read_the_answers_at_one_instant_in_the_banks_words(early, room, clock):
    house, rival, _third = early.houses
    for one in (house, rival):
        world.accept_terms(one, early.listing)
    first = ask_question(early, house, "We at House Ash ask: is it insured?")
    second = ask_question(early, rival, "Any payment plans?")
    manager = person(early.bank, "vendor_manager")
    kept = manager.post(
        f"/listings/questions/{first.pk}/answer/",
        {"shown_question": "Is it insured?", "text": "Nearly all"},
        follow=True,
    )
    assert "1 answer waits to be published" in kept.content.decode()
    answer(early, first, "All of it.", shown_question="Is it insured?")
    answer(early, second, "None.")
    for one in (house, rival):
        assert "All of it." not in person(one, "collector").get(room).content.decode()
        with scope(one.actor()):
            assert not ListingAnswer.objects.exists()
    clock.advance(hours=1)
    assert (
        "2 answers are published"
        in manager.post(f"{room}questions/publish/", follow=True).content.decode()
    )
    told = [page_text(person(one, "collector").get(room)) for one in (house, rival)]
    for text in told:
        assert "Is it insured?" in text
        assert "All of it." in text
        assert "House Ash" not in text
    with scope(rival.actor()):
        assert ListingAnswer.objects.values("published_at").distinct().count() == 1
    again = manager.post(
        f"/listings/questions/{first.pk}/answer/", {"shown_question": "x", "text": "y"}
    )
    assert again.status_code == 409
    assert manager.post(f"{room}questions/publish/").status_code == 409
    with scope(early.bank.actor("vendor_manager")):
        with pytest.raises(DatabaseError) as fixed, transaction.atomic():
            ListingAnswer.objects.update(text="Otherwise")
        assert fixed.value.__cause__.sqlstate == "FP002"
        assert ListingAnswer.objects.get(source=first).text == "All of it."


def test_questions_end_before_the_closing_and_are_not_endless(early, room, clock):
    house = early.houses[0]
    world.accept_terms(house, early.listing)
    ends_at = early.listing.questions_close_at
    # A quarter of the one day that the listing is open.
    assert (market.CLOSES_AT - ends_at).total_seconds() == 6 * 3600
    blank = person(house, "collector").post(f"{room}ask/", {"text": " "})
    assert blank.status_code == 422
    for _each in range(questions.MOST_QUESTIONS):
        ask_question(early, house)
    assert refused(ask_question, stall=early, house=house) == "TOO_MANY"
    clock.set(ends_at)
    rival = early.houses[1]
    world.accept_terms(rival, early.listing)
    late = person(rival, "collector").post(f"{room}ask/", {"text": "Too late?"})
    assert late.status_code == 409
    assert "Questions to this listing have ended." in late.content.decode()
    with scope(rival.actor()):
        with pytest.raises(DatabaseError) as refusal, transaction.atomic():
            ListingQuestion.objects.create(
                institution_id=early.listing.institution_id,
                listing=early.listing,
                text="Too late?",
                asked_at=market.OPENED_AT,
            )
        assert refusal.value.__cause__.sqlstate == "FP002"
        assert not ListingQuestion.objects.exists()
    manager = person(early.bank, "vendor_manager")
    first = questions_of(early)[0]
    clock.set(market.CLOSES_AT)
    given = {"questionId": first.pk, "text": "Yes."}
    assert codes(do(manager, "listingQuestionAnswer", "answer { id }", **given)) == ["CLOSED"]


def questions_of(early) -> list[ListingQuestion]:
    with scope(early.bank.actor("auditor")):
        return list(ListingQuestion.objects.order_by("pk"))


def test_answers_over_graphql_and_only_by_a_vendor_manager(early):
    house = early.houses[0]
    world.accept_terms(house, early.listing)
    question = ask_question(early, house)
    given = {"questionId": question.pk, "text": "Yes.", "shownQuestion": "Insured?"}
    wanted = "answer { question text publishedAt }"
    for client in (machine(house), person(early.bank, "auditor")):
        assert codes(do(client, "listingQuestionAnswer", wanted, **given)) == ["NOT_ALLOWED"]
    manager = person(early.bank, "vendor_manager")
    assert do(manager, "listingQuestionAnswer", wanted, **given)["answer"] == {
        "question": "Insured?",
        "text": "Yes.",
        "publishedAt": None,
    }
    listing = {"listingId": early.listing.pk}
    done = do(manager, "listingAnswersPublish", "published", **listing)
    assert done == {"published": 1, "errors": []}
    assert codes(do(manager, "listingAnswersPublish", "published", **listing)) == ["NOTHING"]
    other = person(world.make_bank(), "vendor_manager")
    assert codes(do(other, "listingAnswersPublish", "published", **listing)) == ["NOT_FOUND"]
    assert codes(do(other, "listingQuestionAnswer", wanted, **given)) == ["NOT_FOUND"]
