"""The bidders' room: nothing before the terms, and nobody learns who looks or asks."""

import io
import json
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction

from agencies.models import AuditEntry
from agencies.scope import scope
from agencies.selectors import visible_memberships
from agencies.services import panel
from config import errors
from marketplace.models import (
    Bid,
    ListingAnswer,
    ListingDocument,
    ListingQuestion,
    QuestionAuthor,
    RoomVisit,
    Tape,
    TermsAcceptance,
)
from marketplace.services import bids, documents, listings, questions, terms
from tests import world
from tests.marketplace import market
from tests.portfolios.over_http import ask, do, machine, person

PDF = b"%PDF-1.4 the agreement"
SHOWN = """listing(id: $id) { title state sizeClass closesAt termsAccepted institution { name }
    terms { text sha256 } currency product jurisdiction highestRatePpm termDays publishedAt
    questionsCloseAt loanCount balanceMinor tape { loanCount } strata { region { group } }
    documents(first: 5) { totalCount } answers(first: 5) { totalCount }
    questions(first: 5) { totalCount } }"""
DOCUMENT = f"query($id: ID!) {{ {SHOWN} }}"
BEFORE_TERMS = ("title", "state", "sizeClass", "closesAt", "termsAccepted", "institution", "terms")


@pytest.fixture
def stall(db, clock):
    """A `Market` in which nobody has accepted the terms yet."""
    clock.set(market.OPENED_AT)
    return market.opened(accepted=False)


@pytest.fixture
def room(stall):
    return f"/listings/{stall.listing.pk}/"


def codes(payload) -> list[str]:
    return [error["code"] for error in payload["errors"]]


def add_document(stall, name="agreement.pdf", content=PDF) -> ListingDocument:
    with scope(stall.bank.actor("vendor_manager")) as actor:
        (made,) = documents.add(actor=actor, listing_id=stall.listing.pk, files=[(name, content)])
    return made


def ask_question(stall, house, text="Is it insured?") -> ListingQuestion:
    with scope(house.actor()) as actor:
        return questions.ask(actor=actor, listing_id=stall.listing.pk, text=text)


def answer(stall, question, text="Yes.", **given) -> None:
    with scope(stall.bank.actor("vendor_manager")) as actor:
        questions.answer(actor=actor, question_id=question.pk, text=text, **given)


def publish(stall) -> int:
    with scope(stall.bank.actor("vendor_manager")) as actor:
        return questions.publish(actor=actor, listing_id=stall.listing.pk)


def refused(call, **given) -> str:
    with pytest.raises(errors.DomainError) as refusal:
        call(**given)
    return refusal.value.code


# --- terms


def test_before_the_terms_a_person_and_a_machine_read_title_size_class_and_closing(stall, room):
    house = stall.houses[0]
    made = add_document(stall)
    for client in (person(house, "agency_administrator"), machine(house)):
        found = ask(client, DOCUMENT, id=stall.listing.pk)["listing"]
        kept = {name: found.pop(name) for name in BEFORE_TERMS}
        assert kept.pop("terms")["text"].startswith("What you see in this room is confidential.")
        assert kept == {
            "title": stall.listing.title,
            "state": "OPEN",
            "sizeClass": "0-100",
            "closesAt": "2026-03-02T17:00:00+00:00",
            "termsAccepted": False,
            "institution": {"name": stall.bank.institution.name},
        }
        assert {name: value for name, value in found.items() if value} == {
            name: {"totalCount": 0} for name in ("documents", "answers", "questions")
        }
    client = person(house, "agency_administrator")
    page = client.get(room).content.decode()
    assert "What you see in this room is confidential." in page
    assert "up to 99" in page
    for word in ("$5,500", "personal loan", "30\u202f%", "180 days", "NY", "<figure", "agreement"):
        assert word not in page, word
    listed = client.get("/listings/").content.decode()
    assert "up to 99" in listed
    assert "$5,500" not in listed
    assert "personal loan" not in listed
    assert client.get(f"{room}tape.csv").status_code == 409
    assert client.get(f"/listings/documents/{made.pk}/").status_code == 404
    with scope(house.actor()):
        assert not RoomVisit.objects.exists()


def test_each_person_accepts_for_themselves_and_an_administrator_for_the_machines(stall, room):
    house, rival, _third = stall.houses
    collector, head = person(house, "collector"), person(house, "agency_administrator")
    system = machine(house)
    sha256 = stall.listing.terms_sha256
    wrong = collector.post(f"{room}terms/accept/", {"sha256": sha256})
    assert wrong.status_code == 422
    assert "Tick that you accept the terms." in wrong.content.decode()
    done = collector.post(f"{room}terms/accept/", {"sha256": sha256, "accept": "on"}, follow=True)
    assert "The room is open to you" in done.content.decode()
    assert "Every loan is in NY" in done.content.decode()
    for client in (head, system, person(rival, "collector")):
        assert ask(client, DOCUMENT, id=stall.listing.pk)["listing"]["termsAccepted"] is False
    wanted = "listing { termsAccepted loanCount }"
    given = {"listingId": stall.listing.pk, "sha256": sha256}
    assert codes(do(system, "listingTermsAccept", wanted, **given)) == ["NOT_ALLOWED"]
    assert do(head, "listingTermsAccept", wanted, **given) == {
        "listing": {"termsAccepted": True, "loanCount": 10},
        "errors": [],
    }
    assert ask(system, DOCUMENT, id=stall.listing.pk)["listing"]["loanCount"] == 10
    assert system.get(f"{room}tape.csv").getvalue().count(b"\n") == 11
    assert do(head, "listingTermsAccept", wanted, **given)["errors"] == []
    with scope(house.actor()):
        kept = TermsAcceptance.objects.order_by("accepted_at", "pk")
        assert [(one.user.role, one.covers_machines, one.sha256) for one in kept] == [
            ("collector", False, sha256),
            ("agency_administrator", True, sha256),
        ]


def test_a_changed_text_is_accepted_anew_and_an_old_one_again_is_the_old_one(stall, room):
    house, manager = stall.houses[0], person(stall.bank, "vendor_manager")
    world.accept_terms(house, stall.listing)
    client = person(house, "agency_administrator")
    before = stall.listing.terms_sha256
    form = manager.get(f"{room}terms/").content.decode()
    assert "What you see in this room is confidential." in form
    assert manager.post(f"{room}terms/", {"terms": " "}).status_code == 422
    changed = manager.post(f"{room}terms/", {"terms": "Look, and tell nobody."}, follow=True)
    assert "The terms are changed." in changed.content.decode()
    gate = client.get(room).content.decode()
    assert "Look, and tell nobody." in gate
    assert "Every loan is in NY" not in gate
    offer = {"listingId": stall.listing.pk, "ratePpm": 200_000, "capacityLoans": 5}
    assert codes(do(client, "bidSubmit", "bid { revision }", **offer)) == ["NOT_ACCEPTED"]
    old = client.post(f"{room}terms/accept/", {"sha256": before, "accept": "on"})
    assert old.status_code == 409
    assert "The bank has changed the terms meanwhile." in old.content.decode()
    with scope(house.actor()):
        assert not Bid.objects.exists()
    world.accept_terms(house, stall.listing)
    assert codes(do(client, "bidSubmit", "bid { revision }", **offer)) == []
    with scope(stall.bank.actor("vendor_manager")) as actor:
        text = terms.ListingTerms.objects.get(sha256=before).text
        terms.change(actor=actor, listing_id=stall.listing.pk, terms=text)
    assert "Every loan is in NY" in client.get(room).content.decode()


def test_terms_are_accepted_and_changed_only_while_bids_are_taken(stall, room, clock):
    house = stall.houses[0]
    client = person(house, "agency_administrator")
    clock.set(market.CLOSES_AT)
    page = client.get(room).content.decode()
    assert "The room is closed to you" in page
    assert "You did not accept its terms while it was open for bids." in page
    sha256 = stall.listing.terms_sha256
    late = client.post(f"{room}terms/accept/", {"sha256": sha256, "accept": "on"})
    assert late.status_code == 409
    with scope(house.actor()) as actor:
        # Whatever a process believes, the database's own clock decides.
        with pytest.raises(DatabaseError) as refusal, transaction.atomic():
            TermsAcceptance.objects.create(
                institution_id=stall.listing.institution_id,
                agency_id=actor.agency_id,
                listing=stall.listing,
                user_id=actor.user_id,
                sha256=sha256,
                covers_machines=True,
                accepted_at=market.OPENED_AT,
            )
        assert refusal.value.__cause__.sqlstate == "FP002"
        assert not TermsAcceptance.objects.exists()
    manager = person(stall.bank, "vendor_manager")
    assert manager.post(f"{room}terms/", {"terms": "New"}).status_code == 409


def test_without_the_terms_the_database_itself_shows_nothing_and_takes_no_bid(stall):
    house, rival, _third = stall.houses
    add_document(stall)
    world.accept_terms(rival, stall.listing)
    answer(stall, ask_question(stall, rival))
    publish(stall)
    walled = (Tape, ListingDocument, ListingAnswer)
    with scope(rival.actor()):
        assert [model.objects.count() for model in walled] == [1, 1, 1]
    with scope(house.actor()) as actor:
        assert [model.objects.count() for model in walled] == [0, 0, 0]
        assert ListingQuestion.objects.count() == QuestionAuthor.objects.count() == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Bid.objects.create(
                institution_id=stall.listing.institution_id,
                agency_id=actor.agency_id,
                listing=stall.listing,
                closes_at=stall.listing.closes_at,
                rate_ppm=1,
                capacity_loans=1,
                submitted_at=market.OPENED_AT,
            )
        given = {"listing_id": stall.listing.pk, "rate_ppm": 200_000, "capacity_loans": 5}
        assert refused(bids.submit, actor=actor, **given) == "NOT_ACCEPTED"
    with scope(world.make_bank().actor("auditor")):
        assert [model.objects.count() for model in walled] == [0, 0, 0]
        assert ListingQuestion.objects.count() == 0


def test_suspension_shuts_the_room_at_the_next_statement(stall, room):
    house = stall.houses[0]
    world.accept_terms(house, stall.listing)
    client = person(house, "collector")
    assert client.get(f"{room}tape.csv").status_code == 200
    with scope(stall.bank.actor("compliance_officer")) as actor:
        membership = visible_memberships(actor).get(agency=house.agency)
        panel.suspend(actor=actor, membership_id=membership.pk, reason="Complaints")
    assert client.get(f"{room}tape.csv").status_code == 404
    with scope(house.actor("collector")):
        assert not Tape.objects.exists()


def test_what_is_read_costs_the_same_for_many_listings(stall, django_assert_max_num_queries):
    house = stall.houses[0]
    for _each in range(3):
        portfolio = world.make_portfolio(stall.bank, balances_minor=[100_00] * 6)
        with scope(stall.bank.actor("vendor_manager")) as actor:
            made = listings.publish(
                actor=actor,
                portfolio_id=portfolio.pk,
                closes_at=market.CLOSES_AT,
                highest_rate_ppm=300_000,
                term_days=180,
            )
        world.accept_terms(house, made)
    world.accept_terms(house, stall.listing)
    client = machine(house)
    fields = "{ edges { node { loanCount terms { text } tape { loanCount }"
    fields += " strata { region { group loans } } } } }"
    counts = []
    for first in (1, 4):
        with django_assert_max_num_queries(40) as captured:
            found = ask(client, f"{{ listings(first: {first}) {fields} }}")
        assert len(found["listings"]["edges"]) == first
        counts.append(len(captured))
    assert counts[0] == counts[1]


# --- documents


def workbook(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in ("[Content_Types].xml", *names):
            archive.writestr(name, "<xml/>")
    return written.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kept", "content_type"),
    [
        ("agreement.pdf", PDF, "agreement.pdf", "application/pdf"),
        ("page.html", b"<script>alert(1)</script>", "page.txt", "text/plain"),
        ("../../etc/rates.pdf", b"age,rate\n90,20\n180,25\n", "rates.csv", "text/csv"),
        ("rates.xlsx", workbook("xl/workbook.xml"), "rates.xlsx", documents.XLSX),
    ],
)
def test_a_document_is_what_is_in_it_whatever_it_is_called(
    stall, name, content, kept, content_type
):
    made = add_document(stall, name, content)
    assert (made.file_name, made.content_type) == (kept, content_type)
    house = stall.houses[0]
    world.accept_terms(house, stall.listing)
    answered = person(house, "collector").get(f"/listings/documents/{made.pk}/")
    assert answered.content == content
    assert answered.headers["Content-Type"] == content_type
    assert answered.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answered.headers["X-Content-Type-Options"] == "nosniff"
    assert answered.headers["Cache-Control"] == "no-store"
    assert "sandbox" in answered.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00 a program",
        b"GIF89a\x00\x01",
        "größe".encode("latin-1"),
        workbook("xl/workbook.xml", "xl/vbaProject.bin"),
        workbook("word/document.xml"),
        b"PK\x03\x04 broken",
        b"%PDF-" + b"x" * documents.MOST_BYTES,
    ],
    ids=["empty", "program", "picture", "latin", "macros", "word", "broken", "large"],
)
def test_other_files_are_refused_and_none_of_the_batch_is_kept(stall, room, content):
    manager = person(stall.bank, "vendor_manager")
    files = [SimpleUploadedFile("good.pdf", PDF), SimpleUploadedFile("bad.pdf", content)]
    answered = manager.post(f"{room}documents/", {"files": files})
    assert answered.status_code == 422
    with scope(stall.bank.actor("auditor")):
        assert not ListingDocument.objects.exists()


def test_documents_are_added_by_a_vendor_manager_until_the_closing(stall, room, clock):
    house = stall.houses[0]
    world.accept_terms(house, stall.listing)
    manager = person(stall.bank, "vendor_manager")
    files = [SimpleUploadedFile("one.pdf", PDF), SimpleUploadedFile("two.txt", b"Two words")]
    page = manager.post(f"{room}documents/", {"files": files}, follow=True).content.decode()
    assert "2 documents are in the room" in page
    shown = person(house, "collector").get(room).content.decode()
    assert "one.pdf" in shown
    assert "two.txt" in shown
    again = manager.post(f"{room}documents/", {"files": SimpleUploadedFile("three.pdf", PDF)})
    assert "This file is in the room already." in again.content.decode()
    assert manager.post(f"{room}documents/", {}).status_code == 422
    given = {"files": SimpleUploadedFile("four.pdf", b"%PDF-four")}
    assert person(house, "collector").post(f"{room}documents/", given).status_code == 403
    clock.set(market.CLOSES_AT)
    late = {"files": SimpleUploadedFile("late.pdf", b"%PDF-late")}
    assert manager.post(f"{room}documents/", late).status_code == 409
    with scope(stall.bank.actor("auditor")):
        assert ListingDocument.objects.count() == 2
        assert AuditEntry.objects.filter(action="listing.add_documents").count() == 1


def test_a_listing_has_at_most_twenty_documents(stall):
    with scope(stall.bank.actor("vendor_manager")) as actor:
        many = [(f"{n}.txt", f"Document {n}".encode()) for n in range(21)]
        given = {"actor": actor, "listing_id": stall.listing.pk}
        assert refused(documents.add, files=many, **given) == "TOO_MANY"
        documents.add(files=many[:20], **given)
        assert refused(documents.add, files=many[20:], **given) == "TOO_MANY"
        assert ListingDocument.objects.count() == 20


# --- questions and answers


def test_nobody_but_its_agency_learns_who_asks(stall, room, clock):
    house, rival, _third = stall.houses
    for one in (house, rival):
        world.accept_terms(one, stall.listing)
    made = do(
        machine(house),
        "listingQuestionAsk",
        "question { text }",
        listingId=stall.listing.pk,
        text="Is it insured?",
    )
    assert made == {"question": {"text": "Is it insured?"}, "errors": []}
    rows = "query($id: ID!) { listing(id: $id) { questions(first: 5) { edges { node { text } } }"
    rows += " answers(first: 5) { totalCount } visits(first: 50) { totalCount } } }"

    def read(client):
        return ask(client, rows, id=stall.listing.pk)["listing"]

    assert market.nodes(read(machine(house))["questions"]) == [{"text": "Is it insured?"}]
    assert market.nodes(read(machine(rival))["questions"]) == []
    assert market.nodes(read(person(stall.bank, "vendor_manager"))["questions"]) == [
        {"text": "Is it insured?"}
    ]
    desk = person(stall.bank, "vendor_manager").get(f"{room}questions/").content.decode()
    assert "Is it insured?" in desk
    for moment in (market.OPENED_AT, market.CLOSES_AT):
        clock.set(moment)
        for role in stall.bank.users:
            client = person(stall.bank, role)
            texts = [client.get(path).content.decode() for path in (f"{room}questions/", "/audit/")]
            assert not any("asked the bank" in text for text in texts)
            assert house.agency.name not in texts[0]
        with scope(stall.bank.actor("auditor")):
            assert not QuestionAuthor.objects.exists()
            assert not AuditEntry.objects.filter(action="question.ask").exists()
    with scope(house.actor()):
        assert AuditEntry.objects.filter(action="question.ask").count() == 1
    with scope(rival.actor()):
        assert not ListingQuestion.objects.exists()
        assert not QuestionAuthor.objects.exists()


def test_all_read_the_answers_at_one_instant_in_the_banks_words(stall, room, clock):
    house, rival, _third = stall.houses
    for one in (house, rival):
        world.accept_terms(one, stall.listing)
    first = ask_question(stall, house, "We at House Ash ask: is it insured?")
    second = ask_question(stall, rival, "Any payment plans?")
    manager = person(stall.bank, "vendor_manager")
    kept = manager.post(
        f"/listings/questions/{first.pk}/answer/",
        {"shown_question": "Is it insured?", "text": "Nearly all"},
        follow=True,
    )
    assert "1 answer waits to be published" in kept.content.decode()
    answer(stall, first, "All of it.", shown_question="Is it insured?")
    answer(stall, second, "None.")
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
    with scope(stall.bank.actor("vendor_manager")):
        with pytest.raises(DatabaseError) as fixed, transaction.atomic():
            ListingAnswer.objects.update(text="Otherwise")
        assert fixed.value.__cause__.sqlstate == "FP002"
        assert ListingAnswer.objects.get(source=first).text == "All of it."


def page_text(answered) -> str:
    """What is on a page below the name of who has logged in."""
    return answered.content.decode().split("<main", 1)[1]


def test_questions_end_before_the_closing_and_are_not_endless(stall, room, clock):
    house = stall.houses[0]
    world.accept_terms(house, stall.listing)
    ends_at = stall.listing.questions_close_at
    # A quarter of the one day that the listing is open.
    assert (market.CLOSES_AT - ends_at).total_seconds() == 6 * 3600
    blank = person(house, "collector").post(f"{room}ask/", {"text": " "})
    assert blank.status_code == 422
    for _each in range(questions.MOST_QUESTIONS):
        ask_question(stall, house)
    assert refused(ask_question, stall=stall, house=house) == "TOO_MANY"
    clock.set(ends_at)
    rival = stall.houses[1]
    world.accept_terms(rival, stall.listing)
    late = person(rival, "collector").post(f"{room}ask/", {"text": "Too late?"})
    assert late.status_code == 409
    assert "Questions to this listing have ended." in late.content.decode()
    with scope(rival.actor()):
        with pytest.raises(DatabaseError) as refusal, transaction.atomic():
            ListingQuestion.objects.create(
                institution_id=stall.listing.institution_id,
                listing=stall.listing,
                text="Too late?",
                asked_at=market.OPENED_AT,
            )
        assert refusal.value.__cause__.sqlstate == "FP002"
        assert not ListingQuestion.objects.exists()
    manager = person(stall.bank, "vendor_manager")
    first = questions_of(stall)[0]
    clock.set(market.CLOSES_AT)
    given = {"questionId": first.pk, "text": "Yes."}
    assert codes(do(manager, "listingQuestionAnswer", "answer { id }", **given)) == ["CLOSED"]


def questions_of(stall) -> list[ListingQuestion]:
    with scope(stall.bank.actor("auditor")):
        return list(ListingQuestion.objects.order_by("pk"))


def test_answers_over_graphql_and_only_by_a_vendor_manager(stall):
    house = stall.houses[0]
    world.accept_terms(house, stall.listing)
    question = ask_question(stall, house)
    given = {"questionId": question.pk, "text": "Yes.", "shownQuestion": "Insured?"}
    wanted = "answer { question text publishedAt }"
    for client in (machine(house), person(stall.bank, "auditor")):
        assert codes(do(client, "listingQuestionAnswer", wanted, **given)) == ["NOT_ALLOWED"]
    manager = person(stall.bank, "vendor_manager")
    assert do(manager, "listingQuestionAnswer", wanted, **given)["answer"] == {
        "question": "Insured?",
        "text": "Yes.",
        "publishedAt": None,
    }
    listing = {"listingId": stall.listing.pk}
    done = do(manager, "listingAnswersPublish", "published", **listing)
    assert done == {"published": 1, "errors": []}
    assert codes(do(manager, "listingAnswersPublish", "published", **listing)) == ["NOTHING"]
    other = person(world.make_bank(), "vendor_manager")
    assert codes(do(other, "listingAnswersPublish", "published", **listing)) == ["NOT_FOUND"]
    assert codes(do(other, "listingQuestionAnswer", wanted, **given)) == ["NOT_FOUND"]


# --- the log


def visit_everything(stall, house) -> None:
    """Somebody of the agency accepts, looks at the page, and takes the tape and the document."""
    world.accept_terms(house, stall.listing, "collector")
    client = person(house, "collector")
    room = f"/listings/{stall.listing.pk}/"
    document = add_document(stall, f"{house.agency.name}.txt", house.agency.name.encode())
    for path in (room, f"{room}tape.csv", f"/listings/documents/{document.pk}/"):
        assert client.get(path).status_code == 200


PARTS = ["terms", "room", "tape", "document"]


def test_each_look_is_written_down_for_the_agency_and_sealed_from_the_bank(stall, room, clock):
    house, rival, _third = stall.houses
    visit_everything(stall, house)
    visit_everything(stall, rival)
    assert person(stall.bank, "auditor").get(f"{room}tape.csv").status_code == 200
    with scope(house.actor()):
        mine = list(RoomVisit.objects.order_by("pk").values_list("part", "visitor"))
        assert mine == [(part, "Collector (Collector)") for part in PARTS]
        with pytest.raises(DatabaseError), transaction.atomic():
            RoomVisit.objects.update(part="room")
    page = person(house, "collector").get(f"{room}log/").content.decode()
    assert "Took the tape" in page
    assert "Took a document: House Ash.txt" in page
    assert "Birch" not in page
    unaccepted = person(house, "agency_administrator").get(f"{room}log/").content.decode()
    assert "Took a document" in unaccepted
    assert "House Ash.txt" not in unaccepted
    before = {}
    for role in ("vendor_manager", "compliance_officer", "auditor"):
        before[role] = person(stall.bank, role).get(f"{room}log/").content.decode()
        assert "Sealed while the portfolio is open for bids" in before[role]
    with scope(stall.bank.actor("auditor")):
        assert not RoomVisit.objects.exists()
        assert not TermsAcceptance.objects.exists()
        assert not AuditEntry.objects.filter(action="listing.accept_terms").exists()
    assert person(stall.bank, "finance_preparer").get(f"{room}log/").status_code == 403

    clock.set(market.CLOSES_AT)
    with scope(stall.bank.actor("auditor")):
        assert RoomVisit.objects.count() == 8
        assert TermsAcceptance.objects.count() == 2
    told = person(stall.bank, "auditor").get(f"{room}log/").content.decode()
    assert "House Ash" in told
    assert "House Birch" in told
    rows = "query($id: ID!) { listing(id: $id) { visits(first: 20) { edges { node {"
    rows += " part visitor agency { name } document { fileName } } } } } }"
    found = market.nodes(
        ask(person(stall.bank, "auditor"), rows, id=stall.listing.pk)["listing"]["visits"]
    )
    assert len(found) == 8
    assert found[0] == {
        "part": "DOCUMENT",
        "visitor": "Collector (Collector)",
        "agency": {"name": "House Birch"},
        "document": {"fileName": "House Birch.txt"},
    }
    own = ask(machine(house), rows, id=stall.listing.pk)["listing"]["visits"]
    assert {node["agency"]["name"] for node in market.nodes(own)} == {"House Ash"}


def test_the_log_of_a_withdrawn_listing_stays_sealed_while_its_portfolio_is_open_again(
    stall, clock
):
    visit_everything(stall, stall.houses[0])
    with scope(stall.bank.actor("vendor_manager")) as actor:
        listings.withdraw(actor=actor, listing_id=stall.listing.pk, reason="Another closing time")
        again = listings.publish(
            actor=actor,
            portfolio_id=stall.listing.portfolio_id,
            closes_at=market.CLOSES_AT.replace(day=9),
            highest_rate_ppm=300_000,
            term_days=180,
        )
    clock.set(market.CLOSES_AT)
    log = f"/listings/{stall.listing.pk}/log/"
    auditor = person(stall.bank, "auditor")
    assert "Sealed while the portfolio is open for bids" in auditor.get(log).content.decode()
    with scope(stall.bank.actor("auditor")):
        assert not RoomVisit.objects.exists()
    clock.set(again.closes_at)
    assert "Took the tape" in auditor.get(log).content.decode()


def test_a_look_over_the_api_is_written_down_once_a_request(stall):
    house = stall.houses[0]
    world.accept_terms(house, stall.listing)
    client = machine(house)
    fields = "{ title tape { loanCount } strata { region { group } } }"
    document = f"query($id: ID!) {{ listing(id: $id) {fields} listings(first: 5) {{ edges {{"
    document += f" node {fields} }} }} }}"
    ask(client, document, id=stall.listing.pk)
    ask(client, "query($id: ID!) { listing(id: $id) { title } }", id=stall.listing.pk)
    with scope(house.actor()):
        visits = RoomVisit.objects.filter(part="room")
        assert [(one.visitor, one.listing_id) for one in visits] == [("Dialler", stall.listing.pk)]


def test_a_forged_row_is_refused_by_the_database(stall):
    house, rival, _third = stall.houses
    world.accept_terms(house, stall.listing)
    other = world.make_bank()
    with scope(house.actor()) as actor:
        forged = [
            {"agency_id": rival.agency.pk, "institution_id": stall.bank.institution.pk},
            {"agency_id": actor.agency_id, "institution_id": other.institution.pk},
        ]
        for owner in forged:
            with pytest.raises(DatabaseError), transaction.atomic():
                RoomVisit.objects.create(
                    listing=stall.listing,
                    visitor_id=actor.user_id,
                    visitor="Somebody",
                    part="room",
                    at=market.OPENED_AT,
                    **owner,
                )
        assert RoomVisit.objects.filter(part="room").count() == 0


def test_the_bank_sees_one_page_whether_anybody_looked_or_not(stall, room):
    manager = person(stall.bank, "vendor_manager")
    paths = (room, f"{room}log/", f"{room}questions/", "/listings/", "/")

    def read() -> list[str]:
        return [json.dumps(page_text(manager.get(path))) for path in paths]

    def plain(texts) -> list[str]:
        return [text.split("csrfmiddlewaretoken")[0] for text in texts]

    add_document(stall, "House Ash.txt", b"House Ash")
    before = plain(read())
    world.accept_terms(stall.houses[0], stall.listing)
    client = person(stall.houses[0], "collector")
    assert client.get(room).status_code == 200
    assert client.get(f"{room}tape.csv").status_code == 200
    stall.bid(stall.houses[0], rate_ppm=200_000)
    assert plain(read()) == before
