"""Steps 2 to 5: a portfolio is imported, published, bid for in sealed bids, and awarded."""

import collections
import csv
import io
from fractions import Fraction

from tests.journey.browser import Page
from tests.journey.story import House, Journey, until, usd
from tests.lending import half_away

TITLE = "Personal loans 2007 to 2011"
HIGHEST_PPM = 250_000
LISTING = "listing(id: $id) { title loanCount balanceMinor highestRatePpm state strata { %s } }"
STRATA = ("balance", "daysPastDue", "region", "grade")


def make_a_portfolio(journey: Journey) -> None:
    made = journey.bank["vendor_manager"].fill_in(
        "/portfolios/new/",
        {"name": TITLE, "product": "personal loan", "currency": "USD", "jurisdiction": "US"},
    )
    journey.portfolio = made.key


def _send(journey: Journey, name: str, content: bytes, status: int = 200) -> Page:
    """The import's first step: a file, which leads to its columns."""
    return journey.bank["vendor_manager"].fill_in(
        f"/portfolios/{journey.portfolio}/import/",
        {},
        files=[("file", (name, content, "text/csv"))],
        status=status,
    )


def _when(journey: Journey, path: str, sentence: str) -> Page:
    """The page once it says the sentence: what a worker does takes a moment."""

    def look() -> Page | None:
        page = journey.bank["vendor_manager"].open(path)
        return page if sentence in page.text else None

    return until(look, f"{path} to say {sentence!r}")


def _check(journey: Journey, name: str, content: bytes) -> Page:
    """The file with the columns that were found by their names, checked by the worker."""
    manager = journey.bank["vendor_manager"]
    columns = _send(journey, name, content)
    columns.says("as saved")
    manager.send(columns, action="/columns/")
    return _when(journey, columns.url, "Your decision")


def refuse_a_bad_file(journey: Journey) -> None:
    """Each bad value is named by row, column, value and reason; nothing is imported."""
    rows = list(csv.DictReader(io.StringIO(journey.file.content.decode())))[:3]
    rows[1]["issue_d"] = "2007-13-01"
    lent = rows[2]["funded_amnt"]
    rows[2]["total_rec_prncp"] = lent
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    page = _check(journey, "bad.csv", text.getvalue().encode())
    page.says("Rows read 3", "Good rows 1", "Bad rows 2")
    page.says("3 issue_d 2007-13-01 This is not a date as expected")
    page.says(f"4 funded_amnt - total_rec_prncp {lent} ; {lent} Nothing is owed on this loan.")
    manager = journey.bank["vendor_manager"]
    manager.send(page, {"policy": "all_or_nothing"}, action="/decide/").says("Nothing stays")
    _when(journey, page.url, "Nothing of this file was taken")
    manager.open(f"/portfolios/{journey.portfolio}/").says("Import its loans")
    _send(journey, "empty.csv", b"", status=422)


def import_the_file(journey: Journey) -> None:
    """The file as it is, to the cent; and only once."""
    file, manager = journey.file, journey.bank["vendor_manager"]
    count, balance = f"{len(file.loans):,}", usd(file.balance_minor)
    checked = _check(journey, file.name, file.content)
    checked.says(f"Rows read {count}", f"Good rows {count}", "Bad rows 0", balance)
    manager.send(checked, action="/decide/")
    imported = _when(journey, checked.url, "Loans imported")
    imported.says(f"Loans imported {count}", balance)
    manager.open(f"/portfolios/{journey.portfolio}/").says(balance, "Publish it for bids")
    again = _send(journey, "renamed.csv", file.content, status=422)
    again.says(f"This file came on 2026-03-02: “{TITLE}” (import {imported.key}).")
    manager.open(imported.url).says(file.name, count)


def publish(journey: Journey) -> None:
    """Open for bids until 17:00 on 9 March in New York; agencies see sums and no loan."""
    manager = journey.bank["vendor_manager"]
    terms = {
        "closes_at": "2026-03-09T17:00",
        "highest_rate_ppm": "25",
        "term_days": 365,
        "audience": "all",
    }
    address = f"/portfolios/{journey.portfolio}/publish/"
    manager.fill_in(address, terms | {"closes_at": "2026-03-01T17:00"}, status=422)
    published = manager.fill_in(address, terms)
    published.says(
        "is open for bids until 9 Mar 2026, 17:00 EDT", f"Loans {len(journey.file.loans):,}"
    )
    journey.listing = published.key
    for name in ("Alder", "Birch", "Dogwood"):
        _accept_the_terms(journey, journey.houses[name])
        _see_sums_alone(journey, journey.houses[name])
    _take_the_tape(journey, journey.houses["Birch"])
    _ask_and_answer(journey)


def _accept_the_terms(journey: Journey, house: House) -> None:
    """Before it, title, size class and closing time; an administrator accepts for the system."""
    address = f"/listings/{journey.listing}/"
    document = f"query($id: ID!) {{ {LISTING % 'region { loans }'} }}"
    sealed = house.api.ask(document, id=journey.listing)["listing"]
    assert sealed == {
        "title": TITLE,
        "loanCount": None,
        "balanceMinor": None,
        "highestRatePpm": None,
        "state": "OPEN",
        "strata": None,
    }
    gate = house.browser.open(address).says("Terms of this listing").hides("25 %")
    house.browser.send(gate, {"accept": "on"}).says("The room is open to you", "25 %")


def _take_the_tape(journey: Journey, house: House) -> None:
    """A line for each loan, each like four others at least, and no balance of any."""
    answer = house.browser.session.get(f"{journey.url}/listings/{journey.listing}/tape.csv")
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))[1:]
    assert len(lines) == len(journey.file.loans)
    alike = collections.Counter(map(tuple, lines))
    assert min(alike.values()) >= 5
    assert not any(loan.reference in answer.text for loan in journey.file.loans.values())


def _ask_and_answer(journey: Journey) -> None:
    """One asks, the bank answers without knowing whom, and both read it at the same moment."""
    alder, birch = journey.houses["Alder"], journey.houses["Birch"]
    address, manager = f"/listings/{journey.listing}/", journey.bank["vendor_manager"]
    asked = alder.browser.fill_in(address, {"text": "Are settlements allowed?"}, action="/ask/")
    asked.says("Your question is with the bank.")
    birch.browser.open(address).hides("Are settlements allowed?")
    desk = manager.open(f"{address}questions/").says("Are settlements allowed?").hides("Alder")
    manager.send(desk, {"text": "Down to 70 %."}, action="/answer/").says("1 answer waits")
    birch.browser.open(address).hides("Down to 70 %.")
    manager.fill_in(f"{address}questions/", action="/publish/").says("1 answer is published")
    for house in (alder, birch):
        house.browser.open(address).says("Are settlements allowed?", "Down to 70 %.")


def _see_sums_alone(journey: Journey, house: House) -> None:
    groups = " ".join(f"{name} {{ group loans balanceMinor }}" for name in STRATA)
    document = f"query($id: ID!) {{ {LISTING % groups} }}"
    listing = house.api.ask(document, id=journey.listing)["listing"]
    whole = (len(journey.file.loans), journey.file.balance_minor)
    assert (listing["loanCount"], listing["balanceMinor"]) == whole
    assert (listing["state"], listing["highestRatePpm"]) == ("OPEN", HIGHEST_PPM)
    for name in STRATA:
        groups = listing["strata"][name]
        assert all(group["loans"] >= 5 for group in groups), name
        assert sum(group["loans"] for group in groups) == whole[0]
        # Along two divisions the sums could be subtracted until a single loan is left.
        if name == "balance":
            assert sum(group["balanceMinor"] for group in groups) == whole[1]
        else:
            assert {group["balanceMinor"] for group in groups} == {None}
    assert house.api.rows("loans", "reference") == []
    assert house.api.rows("placements", "title") == []


def keep_the_rejected_out(journey: Journey) -> None:
    house = journey.houses["Cedar"]
    assert house.api.rows("listings", "title") == []
    offer = {"listingId": journey.listing, "ratePpm": 100_000, "capacityLoans": 5000}
    assert house.api.refused("bidSubmit", "bid { revision }", **offer) == "NOT_FOUND"
    house.browser.open(f"/listings/{journey.listing}/", status=404)


def bid(journey: Journey) -> None:
    """By a system that thinks again, by a person on the page, and by a third."""
    alder, birch, dogwood = (journey.houses[name] for name in ("Alder", "Birch", "Dogwood"))
    offer = {"listingId": journey.listing, "capacityLoans": 5000}
    wanted = "bid { ratePpm revision }"
    too_high = alder.api.refused("bidSubmit", wanted, ratePpm=HIGHEST_PPM + 1, **offer)
    assert too_high == "RATE_ABOVE_HIGHEST"
    first = alder.api.do("bidSubmit", wanted, ratePpm=200_000, **offer)
    assert first == {"bid": {"ratePpm": 200_000, "revision": 1}, "errors": []}
    second = alder.api.do("bidSubmit", wanted, ratePpm=187_500, note="Local team", **offer)
    assert second == {"bid": {"ratePpm": 187_500, "revision": 2}, "errors": []}
    birch.browser.fill_in(
        f"/listings/{journey.listing}/",
        {"rate_ppm": "22.25", "capacity_loans": 5000, "note": "Thirty years of it"},
    ).says("Your bid is in, sealed: 22.25 %")
    dogwood.api.do("bidSubmit", wanted, ratePpm=150_000, **offer)
    for house, rate_ppm in ((alder, 187_500), (birch, 222_500), (dogwood, 150_000)):
        house.rate_ppm = rate_ppm
        assert house.api.rows("bids", "ratePpm") == [{"ratePpm": rate_ppm}]


def stay_sealed(journey: Journey) -> None:
    """Before the closing nobody at the bank learns of a bid, not even that there is one."""
    for role in ("administrator", "vendor_manager", "auditor"):
        browser = journey.bank[role]
        pages = ["/audit/", f"/audit/?object={journey.listing}", "/"]
        if role != "administrator":
            pages.append(f"/listings/{journey.listing}/")
        for address in pages:
            page = browser.open(address).hides("18.75", "22.25", "Thirty years", "submitted a bid")
            assert not any("share-" in name for form in page.forms for name in form.names)


def close(journey: Journey) -> None:
    """At the very second of the closing a bid is late, and changes nothing."""
    alder, birch = journey.houses["Alder"], journey.houses["Birch"]
    page = birch.browser.open(f"/listings/{journey.listing}/")
    journey.at("2026-03-09T17:00:00-04:00")
    late = {"listingId": journey.listing, "ratePpm": 100_000, "capacityLoans": 5000}
    assert alder.api.refused("bidSubmit", "bid { revision }", **late) == "CLOSED"
    birch.browser.send(page, {"rate_ppm": "10"}, status=409).says("closed for bids")
    assert alder.api.rows("bids", "ratePpm revision") == [{"ratePpm": 187_500, "revision": 2}]
    assert birch.api.rows("bids", "ratePpm revision") == [{"ratePpm": 222_500, "revision": 1}]


def award(journey: Journey) -> None:
    """Bids side by side; 60 % and 40 % by a random draw, once, with a reason."""
    alder, birch, dogwood = (journey.houses[name] for name in ("Alder", "Birch", "Dogwood"))
    manager, address = journey.bank["vendor_manager"], f"/listings/{journey.listing}/"
    page = manager.open(address).says("15 %", "18.75 %", "22.25 %", "Thirty years of it")
    assert page.field(dogwood.name) is None
    shares = {page.field(alder.name): "60", page.field(birch.name): "60"}
    given = {"reason": "The best rate, and a second opinion on the rest", "confirmation": TITLE}
    sent = {"action": "/award/"}
    manager.send(page, shares | given, status=422, **sent).says("more than 100 %")
    assert alder.api.rows("placements", "title") == []
    shares[page.field(birch.name)] = "40"
    manager.send(page, shares | given, **sent).says("the lots are drawn and placed")
    manager.send(page, shares | given, status=409, **sent)
    count = len(journey.file.loans)
    wanted = half_away(Fraction(count * 60, 100))
    for house, loans in ((alder, wanted), (birch, count - wanted)):
        _receive(journey, house, loans)
    assert alder.loans.keys().isdisjoint(birch.loans)
    assert alder.loans | birch.loans == journey.file.loans
    assert dogwood.api.rows("placements", "title") == []


def _receive(journey: Journey, house: House, count: int) -> None:
    """The agency finds its loans and its frozen terms, and nothing of anybody else's."""
    fields = "id title loanCount balanceMinor ratePpm state currency"
    (placement,) = house.api.rows("placements", fields)
    house.placement = placement.pop("id")
    seen = house.api.rows("loans", "reference balanceMinor region placement { id }")
    house.loans = {one["reference"]: journey.file.loans[one["reference"]] for one in seen}
    assert all(one["placement"]["id"] == house.placement for one in seen)
    assert {one["reference"]: (one["balanceMinor"], one["region"]) for one in seen} == {
        loan.reference: (loan.balance_minor, loan.region) for loan in house.loans.values()
    }
    assert placement == {
        "title": TITLE,
        "loanCount": count,
        "balanceMinor": house.balance_minor,
        "ratePpm": house.rate_ppm,
        "state": "LIVE",
        "currency": "USD",
    }
    assert len(house.loans) == count
