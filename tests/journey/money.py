"""Steps 9 to 11: statements by two people, one transfer each, the ranking, and the trail."""

import datetime
import io
import json
from fractions import Fraction

from django.core.management import call_command

from agencies import actors
from agencies.scope import scope
from payouts.models import ProviderEvent
from payouts.simulator.store import PLATFORM
from tests.journey import api, receipts
from tests.journey.story import PPM, House, Journey, major, until, usd
from tests.lending import half_away

STATEMENT = r"/statements/[0-9a-f]{8}-[0-9a-f-]{27}/"
LINE = "kind reference valueOn baseMinor ratePpm amountMinor"
LINES = (
    "query($id: ID!, $after: String) { statement(id: $id) { lines(first: 100, after: $after) {"
    " totalCount pageInfo { hasNextPage endCursor } edges { node { %s } } } } }" % LINE
)
RANKING = (
    '{ ranking(currency: "USD") { scores { agencyName loans placedMinor recoveredMinor ratePpm'
    " observedMinor expectedMinor index low high complaintsReceived complaintsUpheld } } }"
)


def open_accounts(journey: Journey, houses: list[House]) -> None:
    """A preparer asks for the accounts; a sweep opens them at Stripe."""
    preparer = journey.bank["finance_preparer"]
    for house in houses:
        address = f"/payouts/accounts/{house.membership}/request/"
        preparer.fill_in(address, action="/request/").says("is being opened", house.name)
    until(
        lambda: (
            preparer.open("/payouts/accounts/").text.count("Nothing: it can be paid.")
            == len(houses)
        ),
        "two accounts",
    )


def state_march(journey: Journey, houses: list[House]) -> dict[str, str]:
    """The month is prepared and submitted by one person; answers the page of each statement."""
    preparer = journey.bank["finance_preparer"]
    page = preparer.open("/statements/prepare/")
    for house in houses:
        page.says(f"{house.name} gets a draft {usd(house.commission_minor)}")
    made = preparer.send(page, {"starts_on": "2026-03-01"}).says("2 statements of")
    links = sorted({link for link in made.links if _is_statement(link)})
    assert len(links) == len(houses)
    found = {}
    for link in links:
        page = preparer.open(link)
        (house,) = [house for house in houses if house.name in page.text]
        page.says(f"Total {usd(house.commission_minor)}", f"Lines {len(house.lines)}")
        preparer.send(page, action="/submit/").says("Another person has to approve it now.")
        assert house.api.rows("statements", "id") == []
        found[house.name] = link
    preparer.send(preparer.open("/statements/prepare/"), {"starts_on": "2026-03-01"}).says(
        "There was nothing new to state"
    )
    return found


def _is_statement(link: str) -> bool:
    return link.startswith("/statements/") and link.count("-") == 4


def approve(journey: Journey, houses: list[House], statements: dict[str, str]) -> None:
    """Never by the preparer; by the approver, who types the very amount."""
    preparer, approver = (journey.bank[role] for role in ("finance_preparer", "finance_approver"))
    for house in houses:
        address = f"{statements[house.name]}approve/"
        preparer.open(address, status=403)
        refused = api.person(preparer).do(
            "statementApprove", "payout { id }", statementId=address.split("/")[2]
        )
        assert (refused["payout"], refused["errors"][0]["code"]) == (None, "NOT_ALLOWED")
        page = approver.open(address)
        approver.send(page, {"amount": major(house.commission_minor + 1)}, status=422)
        signed = approver.send(page, {"amount": major(house.commission_minor)})
        signed.says(f"Approved: {usd(house.commission_minor)} goes to {house.name}")


def be_paid(journey: Journey, houses: list[House]) -> None:
    """The sweep sends; the agency sees it paid, line by line, also what it holds no more."""
    for house in houses:
        (payout,) = until(lambda house=house: _paid(house), f"the payout of {house.name}")
        assert (payout["amountMinor"], payout["reversedMinor"]) == (house.commission_minor, 0)
        (statement,) = house.api.rows("statements", "id totalMinor startsOn lineCount state")
        key = statement.pop("id")
        assert statement == {
            "totalMinor": house.commission_minor,
            "startsOn": "2026-03-01",
            "lineCount": len(house.lines),
            "state": "APPROVED",
        }
        shown = _lines(house, key)
        assert {line["ratePpm"] for line in shown} == {house.rate_ppm}
        assert sorted(
            (line["kind"], line["reference"], line["baseMinor"], line["amountMinor"])
            for line in shown
        ) == sorted(house.lines)
        house.browser.open("/payouts/").says(usd(house.commission_minor), "First Bank")


def _paid(house: House) -> list[dict]:
    found = house.api.rows("payouts", "state amountMinor reversedMinor")
    return [payout for payout in found if payout["state"] == "PAID"]


def _lines(house: House, statement: str) -> list[dict]:
    found, after = [], None
    while True:
        page = house.api.ask(LINES, id=statement, after=after)["statement"]["lines"]
        found += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


def compare_with_stripe(houses: list[House], stripe, balance_minor: int) -> None:
    """One transfer for each statement, to the account of that agency, and nothing else moved."""
    until(_processed, "the events that Stripe sent")
    store = stripe.api.store
    accounts = {
        house.name: house.api.rows("payoutAccounts", "remoteId state")[0]["remoteId"]
        for house in houses
    }
    with store.lock:
        journal = store.journal()
        held = {house.name: store.balance(accounts[house.name], "usd") for house in houses}
        left_minor = store.balance(PLATFORM, "usd")
    assert sorted((entry["to"], entry["amount"]) for entry in journal) == sorted(
        (accounts[house.name], house.commission_minor) for house in houses
    )
    assert {(entry["object"], entry["currency"], entry["from"]) for entry in journal} == {
        ("transfer", "usd", PLATFORM)
    }
    assert held == {house.name: house.commission_minor for house in houses}
    assert left_minor == balance_minor - sum(house.commission_minor for house in houses)
    said = io.StringIO()
    call_command("check_books", stripe=True, stdout=said)
    assert said.getvalue().endswith("agree.\n")


def _processed() -> bool:
    with scope(actors.sweep()):
        events = ProviderEvent.objects.filter(kind="transfer.created")
        states = list(events.values_list("processed_at", "failure_code"))
    return len(states) == 2 and all(at and not code for at, code in states)


def carry_forward(journey: Journey, house: House) -> None:
    """What is reversed after the payment is taken off the next statement, not off this one."""
    payments = house.payments.values()
    payment = next(one for one in payments if one.is_confirmed and not one.reversals)
    before_minor = house.commission_minor
    payload = house.api.do(
        "recoveryReverse",
        "reversal { amountMinor }",
        reference=payment.reference,
        reversalReference="A-APRIL",
        reason="Returned by the payer's bank",
    )
    assert payload == {"reversal": {"amountMinor": payment.amount_minor}, "errors": []}
    payment.reversals["A-APRIL"] = payment.amount_minor
    less_minor = before_minor - house.commission_minor
    told = f"{house.name} USD 1 -{usd(less_minor)} Carried forward until it is above zero."
    until(lambda: receipts.is_carried(journey, [told]), told)


def rank(journey: Journey, houses: list[House]) -> None:
    """Confirmed net over placed balance, exactly, and beside it what was expected."""
    manager = journey.bank["vendor_manager"]
    page = manager.open("/ranking/")
    page = manager.send(page, {"currency": "USD"}, action="/ranking/compute/")
    page.says("Computed with everything confirmed until now.")
    scores = api.person(manager).ask(RANKING)["ranking"]["scores"]
    by_name = {house.name: house for house in houses}
    assert {score["agencyName"] for score in scores} == set(by_name)
    # Whatever came in was expected of somebody.
    observed, expected = (
        sum(score[name] for score in scores) for name in ("observedMinor", "expectedMinor")
    )
    assert abs(observed - expected) <= len(scores)
    for score in scores:
        house = by_name[score["agencyName"]]
        assert 0 < score["low"] < score["index"] < score["high"]
        exact = {
            "loans": len(house.loans),
            "placedMinor": house.balance_minor,
            "recoveredMinor": house.net_minor,
            "ratePpm": _rate_ppm(house),
            "complaintsReceived": 1,
            "complaintsUpheld": int(house is houses[0]),
        }
        assert score | exact == score
        tenths = half_away(_rate(house) * 1000)
        page.says(house.name, f"{tenths // 10}.{tenths % 10} %")
        # Between two, what was expected would tell each what the other did.
        (own,) = house.api.ask(RANKING)["ranking"]["scores"]
        rounded = {name: round(score[name], 2) for name in ("index", "low", "high")}
        assert own == score | rounded | {"expectedMinor": None}


def _rate(house: House) -> Fraction:
    return Fraction(house.net_minor, house.balance_minor)


def _rate_ppm(house: House) -> int:
    return half_away(_rate(house) * PPM)


def look_at_placements(journey: Journey, houses: list[House]) -> None:
    """What the bank's people read of each placement, recalled or not."""
    auditor = journey.bank["auditor"]
    found = api.person(auditor).rows("placements", "agencyName reportedMinor confirmedMinor")
    assert sorted(found, key=lambda one: one["agencyName"]) == [
        {
            "agencyName": house.name,
            "reportedMinor": house.reported_minor,
            "confirmedMinor": house.net_minor,
        }
        for house in sorted(houses, key=lambda house: house.name)
    ]
    for house in houses:
        page = auditor.open(f"/placements/{house.placement}/")
        page.says(f"Reported {usd(house.reported_minor)}", f"Confirmed {usd(house.net_minor)}")


def read_the_trail(journey: Journey, reasons: dict[str, str]) -> None:
    """Every step is in it with who did it and why, and refusals are kept apart."""
    auditor = journey.bank["auditor"]
    entries = api.person(auditor).rows("auditEntries", "action actorLabel reason changes at")
    told = {entry["action"] for entry in entries}
    assert told >= set(ACTIONS), set(ACTIONS) - told
    for action, reason in reasons.items():
        assert reason in {one["reason"] for one in entries if one["action"] == action}, action
    assert all(entry["actorLabel"] for entry in entries)
    paid = [json.loads(entry["changes"]) for entry in entries if entry["action"] == "payout.paid"]
    assert {change["amount_minor"] for change in paid} == {
        house.paid_minor for house in journey.houses.values() if house.paid_minor
    }
    days = {datetime.datetime.fromisoformat(entry["at"]).date().month for entry in entries}
    assert days == {3, 4}
    auditor.open("/audit/refusals/").says("NOT_ALLOWED", "statement")


STEPS = """
institution.create person.invite person.accept_invitation
panel.apply panel.approve panel.reject panel.suspend
portfolio.create loans.receive loans.map loans.check loans.decide loans.import
loans.cancel loans.discard
listing.publish bid.submit listing.award placement.open
contact.log promise.log recovery.log recovery.reverse
receipts.confirm recovery.confirm receipt.link receipt.dismiss
complaint.receive intake.read intake.dismiss complaint.open complaint.answer complaint.decide
loan.hold loan.release placement.recall_loans placement.recall
late_receipt.submit late_receipt.accept late_receipt.refuse
payout_account.request payout_account.settle commission.accrual commission.clawback excess.decide
statement.prepare statement.submit statement.approve payout.send payout.paid ranking.compute
"""
ACTIONS = STEPS.split()


def suspend(journey: Journey, house: House, reason: str) -> None:
    """From the next statement nothing of the bank's is left to the agency but what it earned."""
    officer = journey.bank["compliance_officer"]
    address = f"/panel/{house.membership}/"
    officer.fill_in(address, {"reason": reason}, action="/suspend/").says(reason)
    for name in ("loans", "placements", "contacts", "recoveries", "listings"):
        assert house.api.rows(name, "id") == [], name
    assert len(house.api.rows("statements", "id")) == 1
    assert len(house.api.rows("payouts", "id")) == 1
