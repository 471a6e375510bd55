"""Steps 7 and 8: loans are recalled, money comes late, and people complain."""

from tests.journey import receipts
from tests.journey.story import House, Journey, Payment, until
from tests.journey.work import ANSWER, CONTACT, FIRST_VALUE_DATE, row

LATE = "lateReceipt { loanReference reference amountMinor state }"
HELD = "query($reference: String!) { loanByReference(reference: $reference) { isOnHold } }"


def complain_in_public(journey: Journey, house: House, loan: str) -> None:
    """The borrower's form answers the same for every reference; an officer opens what is real."""
    words = {
        "happened_on": "2026-03-12",
        "category": "harassment",
        "account": "They rang my mother eleven times in one afternoon.",
        "contact": "+1 212 555 0100",
    }
    told = [
        journey.stranger().fill_in("/complain/first-bank/", words | {"loan_reference": reference})
        for reference in (loan, "NO-SUCH-LOAN")
    ]
    assert (told[0].url, told[0].html) == (told[1].url, told[1].html)
    officer = journey.bank["compliance_officer"]
    waiting = officer.open("/complaints/intakes/").says(loan, "no loan has this reference")
    links = [link for link in waiting.links if "/intakes/" in link and link.count("-") == 4]
    pages = [officer.open(link) for link in links]
    (real,) = [page for page in pages if "None of your loans" not in page.text]
    (unreal,) = [page for page in pages if "None of your loans" in page.text]
    officer.send(unreal, {"reason": "Not one of ours"}, action="/dismiss/").says("Dismissed.")
    real.says("eleven times", "+1 212 555 0100")
    asked = {"severity": "high", "summary": "Eleven calls to a relative on 12 March?"}
    opened = officer.send(real, asked, action=real.url.removeprefix(journey.url))
    opened.says("The complaint is open and the loan on hold.", house.name)
    _work_on_hold(house, loan)
    (complaint,) = house.api.rows("complaints", "id summary state loanReference")
    assert complaint.pop("id") == opened.key
    summary = asked["summary"]
    assert complaint == {"summary": summary, "state": "OPEN", "loanReference": loan}
    answered = house.api.do(
        "complaintAnswer",
        "complaint { state }",
        complaintId=opened.key,
        answer="A dialler was set wrongly; it is mended.",
    )
    assert answered == {"complaint": {"state": "ANSWERED"}, "errors": []}
    decide(journey, opened.url, "upheld", is_agency_at_fault=True)
    assert house.api.ask(HELD, reference=loan) == {"loanByReference": {"isOnHold": False}}


def _work_on_hold(house: House, loan: str) -> None:
    """A contact while the loan rests is recorded and flagged."""
    assert house.api.ask(HELD, reference=loan) == {"loanByReference": {"isOnHold": True}}
    payload = house.api.do(
        "contactLog",
        CONTACT,
        loanReference=loan,
        measure="NOTICE",
        channel="LETTER",
        direction="OUTBOUND",
        outcome="DONE",
        happenedAt="2026-03-23T12:00:00-04:00",
    )
    assert payload["contact"]["flags"] == ["ON_HOLD"]


def decide(journey: Journey, address: str, outcome: str, *, is_agency_at_fault: bool) -> None:
    given = {"outcome": outcome, "reason": "The call records were looked through"}
    if is_agency_at_fault:
        given["is_agency_at_fault"] = "on"
    officer = journey.bank["compliance_officer"]
    officer.fill_in(address, given, action="/decide/").says("Decided.")
    officer.open(address).says("nothing is left to do")


def complain_at_the_counter(journey: Journey, house: House, loan: str) -> None:
    """An officer enters one; the agency answers on its page; it is not upheld."""
    officer = journey.bank["compliance_officer"]
    given = {
        "loan_reference": loan,
        "happened_on": "2026-03-13",
        "category": "false_statement",
        "severity": "low",
        "account": "They said I would lose my house.",
        "summary": "What was said about the consequences on 13 March?",
    }
    opened = officer.fill_in("/complaints/new/", given).says("The agency has been asked.")
    address = opened.url.removeprefix(journey.url)
    page = house.browser.open(address).hides("lose my house")
    answer = {"answer": "The recording shows that nothing of the kind was said."}
    house.browser.send(page, answer, action="/answer/").says("Your answer is with the bank")
    decide(journey, address, "not_upheld", is_agency_at_fault=False)


def recall_loans(journey: Journey, house: House, loans: list[str]) -> None:
    """Two loans are taken back; at once the agency neither sees them nor writes there."""
    manager = journey.bank["vendor_manager"]
    address = f"/placements/{house.placement}/recall-loans/"
    reason = "The borrowers have an arrangement with us"
    wrong = {"references": f"{loans[0]}\nNO-SUCH-LOAN", "reason": reason}
    manager.fill_in(address, wrong, status=422).says("Not in this placement: NO-SUCH-LOAN")
    given = {"references": "\n".join(loans), "reason": reason}
    manager.fill_in(address, given).says("2 loans are recalled.")
    seen = {one["reference"] for one in house.api.rows("loans", "reference")}
    assert seen == set(house.loans) - set(loans)
    recalled = next(one for one in house.payments.values() if one.loan.reference in loans)
    assert house.api.rows("recoveries", "id", f', reference: "{recalled.reference}"') == []
    again = row(recalled) | {"reference": "A-TOO-LATE"}
    (answer,) = house.api.do("recoveriesLog", ANSWER, idempotencyKey="after", rows=[again])["rows"]
    assert (answer["outcome"], answer["error"]["code"]) == ("REFUSED", "NOT_FOUND")


def read_the_first_answer_again(house: House, key: str, recalled: list[str]) -> None:
    """The same batch under the same key: the first answer, less what is about loans now gone."""
    rows = [row(house.payments[reference]) for reference in house.first_batch]
    answers = house.api.do("recoveriesLog", ANSWER, idempotencyKey=key, rows=rows)["rows"]
    outcomes = {
        one["loanReference"]: each["outcome"] for one, each in zip(rows, answers, strict=True)
    }
    refused = {loan for loan, outcome in outcomes.items() if outcome == "REFUSED"}
    assert refused == set(recalled) & set(outcomes)
    assert len(refused) == 1
    assert set(outcomes.values()) == {"RECORDED", "REFUSED"}


def recall_a_placement(journey: Journey, house: House) -> None:
    """Everything is taken back; its people and its system see and write nothing more there."""
    manager = journey.bank["vendor_manager"]
    address = f"/placements/{house.placement}/recall/"
    given = {"confirmation": "something else", "reason": "We collect these ourselves"}
    manager.fill_in(address, given, status=422)
    manager.fill_in(address, given | {"confirmation": house.name}).says(
        "The placement is recalled."
    )
    for name in ("loans", "placements", "contacts", "recoveries"):
        assert house.api.rows(name, "id") == []
    house.browser.open(f"/placements/{house.placement}/", status=404)
    payment = next(iter(house.payments.values()))
    sent = [row(payment) | {"reference": "B-TOO-LATE"}]
    (answer,) = house.api.do("recoveriesLog", ANSWER, idempotencyKey="after", rows=sent)["rows"]
    assert (answer["outcome"], answer["error"]["code"]) == ("REFUSED", "NOT_FOUND")
    (complaint,) = house.api.rows("complaints", "state outcome isAgencyAtFault")
    expected = {"state": "DECIDED", "outcome": "NOT_UPHELD", "isAgencyAtFault": False}
    assert complaint == expected


def tell_of_late_money(journey: Journey, house: House, loan: str) -> None:
    """The form reads no loan: one that was recalled and one that never was are taken alike.

    The bank accepts the one, whose receipt has waited for it, and refuses the other.
    """
    institutions = house.api.ask("{ institutions(first: 10) { edges { node { id slug } } } }")
    (bank,) = [edge["node"] for edge in institutions["institutions"]["edges"]]
    given = {"institutionId": bank["id"], "amountMinor": 77_77, "currency": "USD"}
    for reference, named in (("A-LATE", loan), ("A-NOWHERE", "NO-SUCH-LOAN")):
        told = {"loanReference": named, "reference": reference}
        payload = house.api.do("lateReceiptSubmit", LATE, valueOn="2026-03-20", **told, **given)
        kept = told | {"amountMinor": 77_77, "state": "SUBMITTED"}
        assert payload == {"lateReceipt": kept, "errors": []}
    preparer = journey.bank["finance_preparer"]
    for named, decision, said in (
        ("NO-SUCH-LOAN", "refuse", "Refused."),
        (loan, "accept", "Accepted: the recovery waits for a receipt now."),
    ):
        listed = preparer.open(f"/late-receipts/?loan={named}")
        address = listed.link(r"/late-receipts/[0-9a-f]{8}-[0-9a-f-]+/")
        given = {"decision": decision, "reason": "Compared with our own books"}
        preparer.fill_in(address, given).says(said)
    day = FIRST_VALUE_DATE.replace(day=20)
    house.payments["A-LATE"] = Payment(house.loans[loan], "A-LATE", 77_77, day)
    until(
        lambda: "It confirms a recovery." in receipts.find(journey, "BANK-LATE").text,
        "the receipt that waited finds its report",
    )
