"""The log of a room: an agency sees its own people, and the bank nobody before the closing."""

import json

import pytest
from django.db import DatabaseError, transaction

from agencies.models import AuditEntry
from agencies.scope import scope
from marketplace.models import RoomVisit, TermsAcceptance
from marketplace.services import listings
from tests import world
from tests.marketplace import market
from tests.marketplace.room import add_document, page_text
from tests.portfolios.over_http import ask, machine, person


def visit_everything(early, house) -> None:
    """Somebody of the agency accepts, looks at the page, and takes the tape and the document."""
    world.accept_terms(house, early.listing, "collector")
    client = person(house, "collector")
    room = f"/listings/{early.listing.pk}/"
    document = add_document(early, f"{house.agency.name}.txt", house.agency.name.encode())
    for path in (room, f"{room}tape.csv", f"/listings/documents/{document.pk}/"):
        assert client.get(path).status_code == 200


PARTS = ["terms", "room", "tape", "document"]


def test_each_look_is_written_down_for_the_agency_and_sealed_from_the_bank(early, room, clock):
    house, rival, _third = early.houses
    visit_everything(early, house)
    visit_everything(early, rival)
    assert person(early.bank, "auditor").get(f"{room}tape.csv").status_code == 200
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
        before[role] = person(early.bank, role).get(f"{room}log/").content.decode()
        assert "Sealed while the portfolio is open for bids" in before[role]
    with scope(early.bank.actor("auditor")):
        assert not RoomVisit.objects.exists()
        assert not TermsAcceptance.objects.exists()
        assert not AuditEntry.objects.filter(action="listing.accept_terms").exists()
    assert person(early.bank, "finance_preparer").get(f"{room}log/").status_code == 403

    clock.set(market.CLOSES_AT)
    with scope(early.bank.actor("auditor")):
        assert RoomVisit.objects.count() == 8
        assert TermsAcceptance.objects.count() == 2
        assert not AuditEntry.objects.filter(action="listing.accept_terms").exists()
    with scope(house.actor()):
        assert AuditEntry.objects.filter(action="listing.accept_terms").count() == 1
    told = person(early.bank, "auditor").get(f"{room}log/").content.decode()
    assert "House Ash" in told
    assert "House Birch" in told
    rows = "query($id: ID!) { listing(id: $id) { visits(first: 20) { edges { node {"
    rows += " part visitor agency { name } document { fileName } } } } } }"
    found = market.nodes(
        ask(person(early.bank, "auditor"), rows, id=early.listing.pk)["listing"]["visits"]
    )
    assert len(found) == 8
    assert found[0] == {
        "part": "DOCUMENT",
        "visitor": "Collector (Collector)",
        "agency": {"name": "House Birch"},
        "document": {"fileName": "House Birch.txt"},
    }
    own = ask(machine(house), rows, id=early.listing.pk)["listing"]["visits"]
    assert {node["agency"]["name"] for node in market.nodes(own)} == {"House Ash"}


def test_the_log_of_a_withdrawn_listing_stays_sealed_while_its_portfolio_is_open_again(
    early, clock
):
    visit_everything(early, early.houses[0])
    with scope(early.bank.actor("vendor_manager")) as actor:
        listings.withdraw(actor=actor, listing_id=early.listing.pk, reason="Another closing time")
        again = listings.publish(
            actor=actor,
            portfolio_id=early.listing.portfolio_id,
            closes_at=market.CLOSES_AT.replace(day=9),
            highest_rate_ppm=300_000,
            term_days=180,
        )
    clock.set(market.CLOSES_AT)
    log = f"/listings/{early.listing.pk}/log/"
    auditor = person(early.bank, "auditor")
    assert "Sealed while the portfolio is open for bids" in auditor.get(log).content.decode()
    with scope(early.bank.actor("auditor")):
        assert not RoomVisit.objects.exists()
        assert not TermsAcceptance.objects.exists()
        assert not AuditEntry.objects.filter(action="listing.accept_terms").exists()
    clock.set(again.closes_at)
    assert "Took the tape" in auditor.get(log).content.decode()


def test_a_look_over_the_api_is_written_down_once_a_request(early):
    house = early.houses[0]
    world.accept_terms(house, early.listing)
    client = machine(house)
    fields = "{ title tape { loanCount } strata { region { group } } }"
    document = f"query($id: ID!) {{ listing(id: $id) {fields} listings(first: 5) {{ edges {{"
    document += f" node {fields} }} }} }}"
    ask(client, document, id=early.listing.pk)
    ask(client, "query($id: ID!) { listing(id: $id) { title } }", id=early.listing.pk)
    with scope(house.actor()):
        visits = RoomVisit.objects.filter(part="room")
        assert [(one.visitor, one.listing_id) for one in visits] == [("Dialler", early.listing.pk)]
    for part in ("answers", "documents"):
        read = f"query($id: ID!) {{ listing(id: $id) {{ {part}(first: 1) {{ totalCount }} }} }}"
        ask(client, read, id=early.listing.pk)
    with scope(house.actor()):
        assert RoomVisit.objects.filter(part="room").count() == 3


def test_a_forged_row_is_refused_by_the_database(early):
    house, rival, _third = early.houses
    world.accept_terms(house, early.listing)
    other = world.make_bank()
    with scope(house.actor()) as actor:
        forged = [
            {"agency_id": rival.agency.pk, "institution_id": early.bank.institution.pk},
            {"agency_id": actor.agency_id, "institution_id": other.institution.pk},
        ]
        for owner in forged:
            with pytest.raises(DatabaseError), transaction.atomic():
                RoomVisit.objects.create(
                    listing=early.listing,
                    visitor_id=actor.user_id,
                    visitor="Somebody",
                    part="room",
                    at=market.OPENED_AT,
                    **owner,
                )
        assert RoomVisit.objects.filter(part="room").count() == 0


def test_the_bank_sees_one_page_whether_anybody_looked_or_not(early, room):
    manager = person(early.bank, "vendor_manager")
    paths = (room, f"{room}log/", f"{room}questions/", "/listings/", "/")

    def read() -> list[str]:
        return [json.dumps(page_text(manager.get(path))) for path in paths]

    def plain(texts) -> list[str]:
        return [text.split("csrfmiddlewaretoken")[0] for text in texts]

    add_document(early, "House Ash.txt", b"House Ash")
    before = plain(read())
    world.accept_terms(early.houses[0], early.listing)
    client = person(early.houses[0], "collector")
    assert client.get(room).status_code == 200
    assert client.get(f"{room}tape.csv").status_code == 200
    early.bid(early.houses[0], rate_ppm=200_000)
    assert plain(read()) == before
