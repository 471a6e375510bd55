"""Step 6, the agencies' side: contacts, promises, recoveries in batches, and reversals."""

import datetime

from tests.journey.story import House, Journey, Payment, usd

FIRST_VALUE_DATE = datetime.date(2026, 3, 10)
VALUE_DAYS = 10
ANSWER = (
    "rows { row outcome warnings error { code message field row }"
    " recovery { reference amountMinor state loanReference } }"
)
CONTACT = "contact { loanReference flags loggedBy }"
SOUND_BALANCE_MINOR = 500_00


def pick_payments(house: House, count: int) -> None:
    """What really came in after the charge-off of its first loans, spread over ten days."""
    paying = [
        loan
        for _reference, loan in sorted(house.loans.items())
        if 100 <= loan.recovered_minor <= loan.balance_minor
    ]
    for number, loan in enumerate(paying[:count]):
        add(house, loan.reference, loan.recovered_minor, number % VALUE_DAYS)


def add(house: House, loan_reference: str, amount_minor: int, day: int = 0, tag: str = "") -> str:
    """One more payment in the test's books; answers the agency's reference for it."""
    reference = tag or f"{house.name[0]}-{len(house.payments) + 1:04d}"
    value_on = FIRST_VALUE_DATE + datetime.timedelta(days=day)
    house.payments[reference] = Payment(
        house.loans[loan_reference], reference, amount_minor, value_on
    )
    return reference


def spare_loans(house: House, count: int) -> list[str]:
    """References of loans without a payment that owe enough for what is done to them."""
    paid = {payment.loan.reference for payment in house.payments.values()}
    free = [
        loan.reference
        for loan in house.loans.values()
        if loan.reference not in paid and loan.balance_minor >= SOUND_BALANCE_MINOR
    ]
    return sorted(free)[:count]


def row(payment: Payment) -> dict:
    """A payment as a row of a batch."""
    return {
        "loanReference": payment.loan.reference,
        "reference": payment.reference,
        "amountMinor": payment.amount_minor,
        "currency": "USD",
        "valueOn": payment.value_on.isoformat(),
        "channel": "BANK_TRANSFER",
    }


def log_contacts(journey: Journey) -> None:
    """One as it should be on the page, one at ten at night through the API: recorded, flagged."""
    alder, birch = journey.houses["Alder"], journey.houses["Birch"]
    eastern = next(loan for loan in birch.loans.values() if loan.region == "NY")
    western = next(loan for loan in alder.loans.values() if loan.region == "CA")
    document = "query($reference: String!) { loanByReference(reference: $reference) { id } }"
    loan = birch.api.ask(document, reference=eastern.reference)["loanByReference"]
    said = birch.browser.fill_in(
        f"/loans/{loan['id']}/contact/",
        {
            "measure": "negotiation",
            "channel": "phone",
            "direction": "outbound",
            "outcome": "conversation",
            "happened_at": "2026-03-10T12:30",
        },
    )
    said.says("The contact is logged.").hides("Flagged for compliance")
    late = alder.api.do(
        "contactLog",
        CONTACT,
        loanReference=western.reference,
        measure="NEGOTIATION",
        channel="PHONE",
        direction="OUTBOUND",
        outcome="NO_ANSWER",
        happenedAt="2026-03-09T22:00:00-07:00",
    )
    assert late["contact"] == {
        "loanReference": western.reference,
        "flags": ["OUTSIDE_HOURS"],
        "loggedBy": "Dialler",
    }
    flagged = journey.bank["compliance_officer"].open("/contacts/?flagged=yes")
    flagged.says("Outside permitted hours", western.reference).hides(eastern.reference)


def promise(house: House) -> None:
    reference = spare_loans(house, 1)[0]
    wanted = "promise { loanReference amountMinor currency dueOn }"
    given = {"loanReference": reference, "amountMinor": 150_00}
    payload = house.api.do("promiseLog", wanted, dueOn="2026-04-15", **given)
    assert payload == {
        "promise": given | {"currency": "USD", "dueOn": "2026-04-15"},
        "errors": [],
    }
    assert house.api.refused("promiseLog", wanted, dueOn="2026-03-01", **given) == "PAST_DATE"


def report(house: House, key: str) -> None:
    """A batch under a key, sent twice with one effect; with another body it is refused."""
    rows = [row(payment) for payment in house.payments.values()]
    first = house.api.do("recoveriesLog", ANSWER, idempotencyKey=key, rows=rows)
    assert [answer["outcome"] for answer in first["rows"]] == ["RECORDED"] * len(rows)
    assert [answer["recovery"] for answer in first["rows"]] == [
        {
            "reference": payment.reference,
            "amountMinor": payment.amount_minor,
            "state": "REPORTED",
            "loanReference": payment.loan.reference,
        }
        for payment in house.payments.values()
    ]
    assert house.api.do("recoveriesLog", ANSWER, idempotencyKey=key, rows=rows) == first
    other = house.api.refused("recoveriesLog", ANSWER, idempotencyKey=key, rows=rows[:-1])
    assert other == "KEY_REUSED"
    assert len(house.api.rows("recoveries", "reference")) == len(rows)
    house.first_batch = list(house.payments)


def report_what_is_odd(journey: Journey) -> None:
    """More than was owed, the same amount twice, one that no receipt will prove: all recorded."""
    alder = journey.houses["Alder"]
    over, twin, unproved = spare_loans(alder, 3)
    odd = [
        add(alder, over, alder.loans[over].balance_minor + 50_00, tag="A-OVER"),
        add(alder, twin, 25_00, tag="A-TWIN-1"),
        add(alder, twin, 25_00, tag="A-TWIN-2"),
        add(alder, unproved, 10_00, tag="A-UNPROVED"),
    ]
    for reference in odd[2:]:
        alder.payments[reference].is_confirmed = False
    rows = [row(alder.payments[reference]) for reference in odd]
    answers = alder.api.do("recoveriesLog", ANSWER, idempotencyKey="odd", rows=rows)["rows"]
    assert [answer["outcome"] for answer in answers] == ["RECORDED"] * 4
    assert [answer["warnings"] for answer in answers] == [["ABOVE_BALANCE"], [], [], []]


def try_the_loans_of_others(journey: Journey) -> None:
    """A rival's loan and one that does not exist read the same, and the good row is recorded."""
    alder, birch = journey.houses["Alder"], journey.houses["Birch"]
    good = add(alder, spare_loans(alder, 1)[0], 33_33)
    mine = row(alder.payments[good])
    theirs = mine | {"loanReference": min(birch.loans), "reference": "A-X1"}
    nobodys = mine | {"loanReference": "NO-SUCH-LOAN", "reference": "A-X2"}
    rows = [theirs, nobodys, mine]
    answers = alder.api.do("recoveriesLog", ANSWER, idempotencyKey="mixed", rows=rows)["rows"]
    assert [answer["outcome"] for answer in answers] == ["REFUSED", "REFUSED", "RECORDED"]
    for number, answer in enumerate(answers[:2], 1):
        assert (answer["row"], answer["recovery"]) == (number, None)
        assert answer["error"].pop("row") == number
        assert answer["error"]["code"] == "NOT_FOUND"
    assert answers[0]["error"] == answers[1]["error"]
    document = "query($reference: String!) { loanByReference(reference: $reference) { id } }"
    foreign = alder.api.post(document, reference=min(birch.loans))
    absent = alder.api.post(document, reference="NO-SUCH-LOAN")
    assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content)


def take_back(journey: Journey) -> None:
    """A reversal in part, one in three parts that add up to the whole, and one on the page."""
    alder, birch = journey.houses["Alder"], journey.houses["Birch"]
    first, second = list(alder.payments.values())[:2]
    _reverse(alder, first, "A-BACK-1", first.amount_minor * 2 // 5 or 1)
    third = second.amount_minor // 3
    for number, amount_minor in enumerate((third, third, second.amount_minor - 2 * third)):
        _reverse(alder, second, f"A-PART-{number}", amount_minor)
    assert second.net_minor == 0
    wanted = "reversal { reference amountMinor }"
    again = {"reference": second.reference, "reversalReference": "A-MORE", "reason": "Returned"}
    assert alder.api.refused("recoveryReverse", wanted, **again) == "NOTHING_LEFT"
    again["reference"] = first.reference
    above = alder.api.refused("recoveryReverse", wanted, amountMinor=first.amount_minor, **again)
    assert above == "ABOVE_RECOVERY"
    _reverse_on_the_page(journey, birch)


def _reverse(house: House, payment: Payment, reference: str, amount_minor: int) -> None:
    payload = house.api.do(
        "recoveryReverse",
        "reversal { reference amountMinor } recovery { reversedMinor }",
        reference=payment.reference,
        reversalReference=reference,
        amountMinor=amount_minor,
        reason="Returned by the payer's bank",
    )
    payment.reversals[reference] = amount_minor
    assert payload == {
        "reversal": {"reference": reference, "amountMinor": amount_minor},
        "recovery": {"reversedMinor": sum(payment.reversals.values())},
        "errors": [],
    }


def _reverse_on_the_page(journey: Journey, house: House) -> None:
    payment = next(iter(house.payments.values()))
    amount_minor = payment.amount_minor // 4 or 1
    (found,) = house.api.rows("recoveries", "id", f', reference: "{payment.reference}"')
    address = f"/recoveries/{found['id']}/reverse/"
    typed = f"{amount_minor // 100}.{amount_minor % 100:02}"
    page = house.browser.open(address)
    reference = page.form({"amount"}, "").values["reference"][0]
    given = {"amount": typed, "reason": "The payer asked for it back"}
    house.browser.send(page, given).says(f"{usd(amount_minor)} reversed.")
    payment.reversals[reference] = amount_minor
