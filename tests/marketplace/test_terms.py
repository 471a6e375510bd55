"""Terms of a listing: before they are accepted nothing is shown, by page, API or database."""

import pytest
from django.db import DatabaseError, transaction

from agencies.scope import scope
from agencies.selectors import visible_memberships
from agencies.services import panel
from marketplace.models import (
    Bid,
    ListingAnswer,
    ListingDocument,
    ListingQuestion,
    ListingTerms,
    QuestionAuthor,
    RoomVisit,
    Tape,
    TermsAcceptance,
)
from marketplace.services import bids, listings, terms
from tests import world
from tests.marketplace import market
from tests.marketplace.room import add_document, answer, ask_question, codes, publish, refused
from tests.portfolios.over_http import ask, do, machine, person, words

SHOWN = """listing(id: $id) { title state sizeClass closesAt termsAccepted institution { name }
    terms { text sha256 } currency product jurisdiction highestRatePpm termDays tailDays publishedAt
    questionsCloseAt loanCount balanceMinor tape { loanCount } strata { region { group } }
    documents(first: 5) { totalCount } answers(first: 5) { totalCount }
    questions(first: 5) { totalCount } }"""
DOCUMENT = f"query($id: ID!) {{ {SHOWN} }}"
BEFORE_TERMS = ("title", "state", "sizeClass", "closesAt", "termsAccepted", "institution", "terms")


def test_before_the_terms_a_person_and_a_machine_read_title_size_class_and_closing(early, room):
    house = early.houses[0]
    made = add_document(early)
    for client in (person(house, "agency_administrator"), machine(house)):
        found = ask(client, DOCUMENT, id=early.listing.pk)["listing"]
        kept = {name: found.pop(name) for name in BEFORE_TERMS}
        assert kept.pop("terms")["text"].startswith("What you see in this room is confidential.")
        assert kept == {
            "title": early.listing.title,
            "state": "OPEN",
            "sizeClass": "0-100",
            "closesAt": "2026-03-02T17:00:00+00:00",
            "termsAccepted": False,
            "institution": {"name": early.bank.institution.name},
        }
        assert {name: value for name, value in found.items() if value} == {
            name: {"totalCount": 0} for name in ("documents", "answers", "questions")
        }
    client = person(house, "agency_administrator")
    page = client.get(room)
    said = words(page)
    assert "What you see in this room is confidential." in said
    assert "up to 99" in said
    for word in ("$5,500", "personal loan", "30 %", "180 days", "NY", "agreement"):
        assert word not in said, word
    assert "<figure" not in page.content.decode()
    listed = client.get("/listings/").content.decode()
    assert "up to 99" in listed
    assert "$5,500" not in listed
    assert "personal loan" not in listed
    assert client.get(f"{room}tape.csv").status_code == 409
    assert client.get(f"/listings/documents/{made.pk}/").status_code == 404
    with scope(house.actor()):
        assert not RoomVisit.objects.exists()


def test_each_person_accepts_for_themselves_and_an_administrator_for_the_machines(early, room):
    house, rival, _third = early.houses
    collector, head = person(house, "collector"), person(house, "agency_administrator")
    system = machine(house)
    sha256 = early.listing.terms_sha256
    wrong = collector.post(f"{room}terms/accept/", {"sha256": sha256})
    assert wrong.status_code == 422
    assert "Tick that you accept the terms." in wrong.content.decode()
    done = collector.post(f"{room}terms/accept/", {"sha256": sha256, "accept": "on"}, follow=True)
    assert "The room is open to you" in done.content.decode()
    assert "Every loan is in NY" in done.content.decode()
    for client in (head, system, person(rival, "collector")):
        assert ask(client, DOCUMENT, id=early.listing.pk)["listing"]["termsAccepted"] is False
    wanted = "listing { termsAccepted loanCount }"
    given = {"listingId": early.listing.pk, "sha256": sha256}
    assert codes(do(system, "listingTermsAccept", wanted, **given)) == ["NOT_ALLOWED"]
    assert do(head, "listingTermsAccept", wanted, **given) == {
        "listing": {"termsAccepted": True, "loanCount": 10},
        "errors": [],
    }
    assert ask(system, DOCUMENT, id=early.listing.pk)["listing"]["loanCount"] == 10
    assert system.get(f"{room}tape.csv").getvalue().count(b"\n") == 11
    assert do(head, "listingTermsAccept", wanted, **given)["errors"] == []
    with scope(house.actor()):
        kept = TermsAcceptance.objects.order_by("accepted_at", "pk")
        assert [(one.user.role, one.covers_machines, one.sha256) for one in kept] == [
            ("collector", False, sha256),
            ("agency_administrator", True, sha256),
        ]


def test_a_changed_text_is_accepted_anew_and_an_old_one_again_is_the_old_one(early, room):
    house, manager = early.houses[0], person(early.bank, "vendor_manager")
    world.accept_terms(house, early.listing)
    client = person(house, "agency_administrator")
    before = early.listing.terms_sha256
    form = manager.get(f"{room}terms/").content.decode()
    assert "What you see in this room is confidential." in form
    assert manager.post(f"{room}terms/", {"terms": " "}).status_code == 422
    changed = manager.post(f"{room}terms/", {"terms": "Look, and tell nobody."}, follow=True)
    assert "The terms are changed." in changed.content.decode()
    gate = client.get(room).content.decode()
    assert "Look, and tell nobody." in gate
    assert "Every loan is in NY" not in gate
    offer = {"listingId": early.listing.pk, "ratePpm": 200_000, "capacityLoans": 5}
    assert codes(do(client, "bidSubmit", "bid { revision }", **offer)) == ["NOT_ACCEPTED"]
    old = client.post(f"{room}terms/accept/", {"sha256": before, "accept": "on"})
    assert old.status_code == 409
    assert "The bank has changed the terms meanwhile." in old.content.decode()
    with scope(house.actor()):
        assert not Bid.objects.exists()
    world.accept_terms(house, early.listing)
    assert codes(do(client, "bidSubmit", "bid { revision }", **offer)) == []
    with scope(early.bank.actor("vendor_manager")) as actor:
        text = ListingTerms.objects.get(sha256=before).text
        terms.change(actor=actor, listing_id=early.listing.pk, terms=text)
    assert "Every loan is in NY" in client.get(room).content.decode()


def test_terms_are_accepted_and_changed_only_while_bids_are_taken(early, room, clock):
    house = early.houses[0]
    client = person(house, "agency_administrator")
    clock.set(market.CLOSES_AT)
    page = client.get(room).content.decode()
    assert "The room is closed to you" in page
    assert "You did not accept its terms while it was open for bids." in page
    sha256 = early.listing.terms_sha256
    late = client.post(f"{room}terms/accept/", {"sha256": sha256, "accept": "on"})
    assert late.status_code == 409
    with scope(house.actor()) as actor:
        # Whatever a process believes, the database's own clock decides.
        with pytest.raises(DatabaseError) as refusal, transaction.atomic():
            TermsAcceptance.objects.create(
                institution_id=early.listing.institution_id,
                agency_id=actor.agency_id,
                listing=early.listing,
                user_id=actor.user_id,
                sha256=sha256,
                covers_machines=True,
                accepted_at=market.OPENED_AT,
            )
        assert refusal.value.__cause__.sqlstate == "FP002"
        assert not TermsAcceptance.objects.exists()
    manager = person(early.bank, "vendor_manager")
    assert manager.post(f"{room}terms/", {"terms": "New"}).status_code == 409


def test_without_the_terms_the_database_itself_shows_nothing_and_takes_no_bid(early):
    house, rival, _third = early.houses
    add_document(early)
    world.accept_terms(rival, early.listing)
    answer(early, ask_question(early, rival))
    publish(early)
    walled = (Tape, ListingDocument, ListingAnswer)
    with scope(rival.actor()):
        assert [model.objects.count() for model in walled] == [1, 1, 1]
    with scope(house.actor()) as actor:
        assert [model.objects.count() for model in walled] == [0, 0, 0]
        assert ListingQuestion.objects.count() == QuestionAuthor.objects.count() == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Bid.objects.create(
                institution_id=early.listing.institution_id,
                agency_id=actor.agency_id,
                listing=early.listing,
                closes_at=early.listing.closes_at,
                rate_ppm=1,
                capacity_loans=1,
                submitted_at=market.OPENED_AT,
            )
        given = {"listing_id": early.listing.pk, "rate_ppm": 200_000, "capacity_loans": 5}
        assert refused(bids.submit, actor=actor, **given) == "NOT_ACCEPTED"
    with scope(world.make_bank().actor("auditor")):
        assert [model.objects.count() for model in walled] == [0, 0, 0]
        assert ListingQuestion.objects.count() == 0


def test_suspension_shuts_the_room_at_the_next_statement(early, room):
    house = early.houses[0]
    world.accept_terms(house, early.listing)
    client = person(house, "collector")
    assert client.get(f"{room}tape.csv").status_code == 200
    with scope(early.bank.actor("compliance_officer")) as actor:
        membership = visible_memberships(actor).get(agency=house.agency)
        panel.suspend(actor=actor, membership_id=membership.pk, reason="Complaints")
    assert client.get(f"{room}tape.csv").status_code == 404
    with scope(house.actor("collector")):
        assert not Tape.objects.exists()


def test_what_is_read_costs_the_same_for_many_listings(early, django_assert_max_num_queries):
    house = early.houses[0]
    for _each in range(3):
        portfolio = world.make_portfolio(early.bank, balances_minor=[100_00] * 6)
        with scope(early.bank.actor("vendor_manager")) as actor:
            made = listings.publish(
                actor=actor,
                portfolio_id=portfolio.pk,
                closes_at=market.CLOSES_AT,
                highest_rate_ppm=300_000,
                term_days=180,
            )
        world.accept_terms(house, made)
    world.accept_terms(house, early.listing)
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
