"""The tape of a listing, attacked by somebody who knows the borrowers, and compared over time."""

import base64
import csv
import datetime
import html
import io
import itertools
import json
import random
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agencies.scope import scope
from marketplace import tape as tapes
from marketplace.models import Listing, Tape, TapeCut
from marketplace.services import listings
from portfolios.models import Borrower, Loan, Portfolio
from tests import world
from tests.marketplace import market
from tests.portfolios.over_http import ask, person

REGIONS = ("CA", "CA", "CA", "NY", "NY", "TX", "WY")
EVERYTHING = """query($id: ID!) { listing(id: $id) { loanCount balanceMinor product jurisdiction
    tape { loanCount balanceMinor suppressedCount cellCount cells(first: 100) { balance daysPastDue
        region product grade score earlierPlacements secured expectedRecovery loans } }
    strata { balance { ...g } daysPastDue { ...g } region { ...g } grade { ...g } score { ...g }
        earlierPlacements { ...g } } } }
    fragment g on ListingGroup { group loans balanceMinor }"""


@pytest.fixture
def bank(db, clock):
    clock.set(market.OPENED_AT)
    return world.make_bank()


def populated(bank, count: int, seed: int = 7) -> Portfolio:
    """A portfolio of loans of all sorts; every tenth borrower has the loan before theirs too."""
    dice = random.Random(seed)
    balances = [dice.randrange(10_000, 3_000_000) * 10 + 7 for _each in range(count)]
    portfolio = world.make_portfolio(bank, balances_minor=balances)
    with scope(bank.actor("vendor_manager")):
        loans = list(Loan.objects.filter(portfolio=portfolio).order_by("pk"))
        for number, loan in enumerate(loans):
            loan.days_past_due = dice.randrange(91, 3_000)
            loan.region = dice.choice(REGIONS)
            loan.product = dice.choice(["", "", "credit card"])
            loan.grade = dice.choice("ABC")
            loan.score = dice.choice([None, dice.randrange(301, 799)])
            loan.earlier_placements = dice.choice([0, 0, 0, 1, 2, 5])
            loan.is_secured = dice.random() < 0.3
            loan.expected_recovery_ppm = dice.choice([None, dice.randrange(600_000)])
            if number % 10 == 9:
                loan.borrower_id = loans[number - 1].borrower_id
        Loan.objects.bulk_update(
            loans,
            [
                "days_past_due",
                "region",
                "product",
                "grade",
                "score",
                "earlier_placements",
                "is_secured",
                "expected_recovery_ppm",
                "borrower_id",
            ],
        )
    return portfolio


def publish(bank, portfolio, days: int = 1) -> Listing:
    with scope(bank.actor("vendor_manager")) as actor:
        return listings.publish(
            actor=actor,
            portfolio_id=portfolio.pk,
            closes_at=market.CLOSES_AT + datetime.timedelta(days=days),
            highest_rate_ppm=300_000,
            term_days=180,
        )


def withdraw(bank, listing) -> None:
    with scope(bank.actor("vendor_manager")) as actor:
        listings.withdraw(actor=actor, listing_id=listing.pk, reason="Once more")


def tape_of(bank, listing) -> Tape:
    with scope(bank.actor("auditor")):
        return Tape.objects.get(listing=listing)


def loans_of(bank, portfolio) -> list[Loan]:
    with scope(bank.actor("auditor")):
        return list(Loan.objects.filter(portfolio=portfolio))


def downloaded(client, listing) -> list[dict]:
    answer = client.get(f"/listings/{listing.pk}/tape.csv")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def fits(value: int | str, shown: str) -> bool:
    """Whether an attacker who knows the exact value finds it in what a line shows."""
    if shown == "any" or shown == str(value):
        return True
    if not shown.startswith("["):
        return False
    low, high = shown[1:-1].split(", ")
    return float(low) <= float(value) and (high == "" or float(value) < float(high))


def test_whoever_knows_a_borrower_finds_five_or_nothing(bank, house):
    portfolio = populated(bank, 160)
    listing = publish(bank, portfolio)
    world.accept_terms(house, listing)
    lines = downloaded(person(house, "collector"), listing)
    assert len(lines) == 160
    narrowest = 160
    for loan in loans_of(bank, portfolio):
        known = {
            "balance": loan.balance_minor / 100,
            "days_past_due": loan.days_past_due,
            "region": loan.region,
            "product": loan.product or portfolio.product,
        }
        found = [line for line in lines if all(fits(v, line[name]) for name, v in known.items())]
        assert len(found) >= 5
        narrowest = min(narrowest, len(found))
    assert narrowest < 40
    cells = {tuple(line.values()): 0 for line in lines}
    for line in lines:
        cells[tuple(line.values())] += 1
    assert min(cells.values()) >= 5
    assert len(cells) > 12


def test_nothing_that_bidders_get_has_a_value_or_a_name_of_a_loan(bank, house):
    portfolio = populated(bank, 120)
    listing = publish(bank, portfolio)
    world.accept_terms(house, listing)
    client = person(house, "agency_administrator")
    page = client.get(f"/listings/{listing.pk}/").content.decode()
    charts = [
        json.loads(html.unescape(text)) for text in re.findall(r'data-figure="([^"]*)"', page)
    ]
    assert len(charts) == 6
    texts = [
        page,
        client.get("/listings/").content.decode(),
        json.dumps([decoded(chart) for chart in charts]),
        json.dumps(ask(client, EVERYTHING, id=listing.pk)),
        client.get(f"/listings/{listing.pk}/tape.csv").getvalue().decode(),
    ]
    with scope(bank.actor("auditor")):
        borrowers = [str(pk) for pk in Borrower.objects.values_list("pk", flat=True)]
    secrets = {*borrowers, "Borrower ", "+12125550100", "2024-01-15", "Jan 2024"}
    for loan in loans_of(bank, portfolio):
        major = f"{loan.balance_minor / 100:.2f}"
        secrets |= {str(loan.pk), loan.reference, str(loan.balance_minor), major}
        secrets |= {f"{loan.balance_minor / 100:,.2f}"}
    for text in texts:
        assert [secret for secret in secrets if secret in text] == []


def decoded(figure):
    """A figure of Plotly's with the arrays that it packs as base64 written out."""
    if isinstance(figure, dict) and set(figure) >= {"bdata", "dtype"}:
        return list(memoryview(base64.b64decode(figure["bdata"])).cast(figure["dtype"][-1]))
    if isinstance(figure, dict):
        return {name: decoded(value) for name, value in figure.items()}
    return [decoded(value) for value in figure] if isinstance(figure, list) else figure


def test_every_figure_adds_up_and_sums_stand_along_one_division_alone(bank):
    portfolio = populated(bank, 120)
    tape = tape_of(bank, publish(bank, portfolio))
    balance_minor = sum(loan.balance_minor for loan in loans_of(bank, portfolio))
    assert (tape.loan_count, tape.balance_minor, tape.suppressed_count) == (120, balance_minor, 0)
    assert sum(row[-1] for row in tape.cells["rows"]) == 120
    for name in tapes.STRATA:
        assert sum(group["loans"] for group in tape.strata[name]) == 120, name
        assert all(group["loans"] >= 5 for group in tape.strata[name]), name
        if name != "balance":
            assert {group["balance_minor"] for group in tape.strata[name]} == {None}
    assert sum(group["balance_minor"] for group in tape.strata["balance"]) == balance_minor


def test_of_four_borrowers_nothing_is_shown_but_how_many_loans_they_have(bank, house):
    portfolio = populated(bank, 4)
    listing = publish(bank, portfolio)
    world.accept_terms(house, listing)
    client = person(house, "agency_administrator")
    page = client.get(f"/listings/{listing.pk}/").content.decode()
    assert "A tape needs five borrowers or more" in page
    assert "not told: one borrower would be given away" in page
    assert downloaded(client, listing) == []
    told = ask(client, EVERYTHING, id=listing.pk)["listing"]
    assert (told["loanCount"], told["balanceMinor"]) == (4, None)
    assert told["tape"]["suppressedCount"] == 4
    assert told["tape"]["cells"] == []
    assert set(map(tuple, told["strata"].values())) == {()}
    bank_reads = ask(person(bank, "auditor"), EVERYTHING, id=listing.pk)["listing"]
    assert bank_reads["balanceMinor"] == sum(
        loan.balance_minor for loan in loans_of(bank, portfolio)
    )


def said(tape: Tape) -> tuple:
    return tape.cells, tape.strata, tape.loan_count, tape.balance_minor


def test_an_unchanged_portfolio_has_the_tape_that_it_had(bank, house):
    portfolio = populated(bank, 60)
    first = publish(bank, portfolio)
    world.accept_terms(house, first)
    client = person(house, "collector")
    lines = downloaded(client, first)
    withdraw(bank, first)
    with scope(bank.actor("vendor_manager")):
        # What moves meanwhile stays out of it: two tapes of the same loans would tell.
        loan = Loan.objects.filter(portfolio=portfolio).first()
        Loan.objects.filter(pk=loan.pk).update(balance_minor=99_999_999, region="WY")
    second = publish(bank, portfolio, days=2)
    world.accept_terms(house, second)
    assert said(tape_of(bank, second)) == said(tape_of(bank, first))
    assert downloaded(client, second) == lines
    assert tape_of(bank, second).cut_at == market.OPENED_AT


def test_a_loan_that_left_or_joined_cannot_be_told_from_two_tapes(bank):
    portfolio = populated(bank, 60)
    with scope(bank.actor("vendor_manager")):
        held, *_others = late = list(Loan.objects.filter(portfolio=portfolio).order_by("pk")[:4])
        Loan.objects.filter(pk__in=[loan.pk for loan in late]).update(is_on_hold=True)
    first = publish(bank, portfolio)
    withdraw(bank, first)
    with scope(bank.actor("vendor_manager")):
        Loan.objects.filter(pk__in=[loan.pk for loan in late]).update(is_on_hold=False)
        gone = Loan.objects.filter(portfolio=portfolio).exclude(pk=held.pk).order_by("-pk").first()
        Loan.objects.filter(pk=gone.pk).update(is_on_hold=True)
    one, two = tape_of(bank, first), tape_of(bank, publish(bank, portfolio, days=2))
    # Four joined, too few to be described, and are only counted; the one that left is still there.
    assert (one.loan_count, two.loan_count) == (56, 60)
    assert (one.suppressed_count, two.suppressed_count) == (0, 4)
    assert (two.cells, two.strata) == (one.cells, one.strata)
    assert two.balance_minor == one.balance_minor


def test_new_loans_are_added_as_a_tape_of_their_own(bank):
    portfolio = populated(bank, 60)
    with scope(bank.actor("vendor_manager")):
        late = list(Loan.objects.filter(portfolio=portfolio).order_by("pk")[:20])
        Loan.objects.filter(pk__in=[loan.pk for loan in late]).update(is_on_hold=True)
    first = publish(bank, portfolio)
    withdraw(bank, first)
    with scope(bank.actor("vendor_manager")):
        Loan.objects.filter(pk__in=[loan.pk for loan in late]).update(is_on_hold=False)
    one, two = tape_of(bank, first), tape_of(bank, publish(bank, portfolio, days=2))
    before, after = counted(one), counted(two)
    added = {cell: after[cell] - before.get(cell, 0) for cell in after}
    assert before.keys() <= after.keys()
    assert all(count == 0 or count >= 5 for count in added.values())
    assert sum(added.values()) == 20
    assert (one.loan_count, two.loan_count, two.suppressed_count) == (40, 60, 0)
    joined_minor = sum(loan.balance_minor for loan in late)
    assert two.balance_minor == one.balance_minor + joined_minor
    with scope(bank.actor("auditor")):
        sizes = [len(bytes(made.members)) // 8 for made in TapeCut.objects.order_by("pk")]
    assert sizes == [40, 60]


def counted(tape: Tape) -> dict[tuple, int]:
    labels = tape.cells["labels"]
    return {
        tuple(column[place] for column, place in zip(labels, places, strict=True)): loans
        for *places, loans in tape.cells["rows"]
    }


def test_lines_come_in_an_order_that_says_nothing_and_is_the_same_for_everybody(bank, house):
    listing = publish(bank, populated(bank, 80))
    world.accept_terms(house, listing)
    lines = downloaded(person(house, "collector"), listing)
    assert lines == downloaded(person(bank, "auditor"), listing)
    tape = tape_of(bank, listing)
    runs = sum(one != two for one, two in itertools.pairwise(lines))
    assert runs > len(tape.cells["rows"]) * 2
    assert list(tapes.lines(tape.cells, tape.seed)) != list(tapes.lines(tape.cells, tape.seed + 1))


def test_a_tape_is_cut_where_statements_are_logged_too(bank):
    """As in development, where Django's cursor is another one."""
    portfolio = populated(bank, 20)
    with CaptureQueriesContext(connection) as logged:
        publish(bank, portfolio)
    assert len(logged) > 0
