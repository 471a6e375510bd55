"""Step 6, the bank's side: receipts confirm what agencies reported, and only they do."""

from tests.journey.story import Journey, Payment, major, until, usd

HEADER = "receipt_reference,loan_reference,amount,currency,value_date"


def _line(name: str, payment: Payment) -> str:
    amount = major(payment.amount_minor)
    return f"{name},{payment.loan.reference},{amount},USD,{payment.value_on}"


def upload(journey: Journey, late: str) -> None:
    """One file for both agencies: most of it matches, three receipts wait, one row is bad.

    `late` is a loan of Alder's that nobody has reported a payment for, yet.
    """
    alder, birch = journey.houses["Alder"], journey.houses["Birch"]
    proved = [
        payment
        for house in (alder, birch)
        for payment in house.payments.values()
        if payment.is_confirmed and payment.reference != "A-TWIN-1"
    ]
    lines = [_line(f"BANK-{payment.reference}", payment) for payment in proved]
    twin = alder.payments["A-TWIN-1"]
    lines.append(_line("BANK-TWIN", twin))
    lines.append(f"BANK-NOBODY,{twin.loan.reference},9999.99,USD,2026-03-18")
    lines.append(f"BANK-LATE,{late},77.77,USD,2026-03-20")
    lines.append(f"BANK-BAD,{twin.loan.reference},12.345,USD,2026-03-18")
    content = "\n".join([HEADER, *lines, ""]).encode()
    _nothing_counts(journey)
    preparer = journey.bank["finance_preparer"]
    file = [("file", ("march.csv", content, "text/csv"))]
    read = preparer.fill_in("/receipts/", files=file)
    read.says(f"{len(proved)} recoveries confirmed.", f"Matched {len(proved)}", "To settle 3")
    read.says(f"{len(lines) + 1} amount 12.345", "Rows not taken 1")
    preparer.fill_in("/receipts/", files=file, status=422).says("was read already, as march.csv")
    broken = [("file", ("broken.csv", b"receipt,loan\n1,2\n", "text/csv"))]
    preparer.fill_in("/receipts/", files=broken, status=422).says("receipt_reference")


def _nothing_counts(journey: Journey) -> None:
    """What is only reported earns nothing and is not recovered."""
    for house in (journey.houses["Alder"], journey.houses["Birch"]):
        (placement,) = house.api.rows("placements", "reportedMinor confirmedMinor")
        assert placement == {"reportedMinor": house.reported_minor, "confirmedMinor": 0}
    journey.bank["finance_preparer"].open("/statements/carried-forward/").says(
        "Everything is on a statement"
    )


def settle(journey: Journey) -> None:
    """A person says which of two reports a receipt proves, and that another proves none."""
    preparer = journey.bank["finance_preparer"]
    page = find(journey, "BANK-TWIN").says("Several reports have its amount.")
    given = {"recovery": page.choice("A-TWIN-1 of"), "reason": "Paid at the counter, seen by name"}
    preparer.send(page, given, action="/link/").says("The receipt confirms this recovery.")
    preparer.send(page, given, action="/link/").says("has been settled already")
    page = find(journey, "BANK-NOBODY").says("Nobody has reported it yet.")
    reason = {"reason": "A mistake of the payer, sent back"}
    preparer.send(page, reason, action="/dismiss/").says("The receipt is dismissed.")
    preparer.send(page, reason, action="/dismiss/").says("has been settled already")


def find(journey: Journey, receipt: str):
    """The page of one receipt."""
    preparer = journey.bank["finance_preparer"]
    listed = preparer.open(f"/receipts/?receipt={receipt}")
    return preparer.open(listed.link(r"/receipts/[0-9a-f]{8}-[0-9a-f-]{27}/"))


def see_commission(journey: Journey) -> None:
    """The sweep accrues at the frozen rates, and nothing on what is above the balance."""
    houses = (journey.houses["Alder"], journey.houses["Birch"])
    told = [
        f"{house.name} USD {len(house.lines)} {usd(house.commission_minor)} Goes on the next"
        for house in houses
    ]
    until(lambda: is_carried(journey, told), f"commission: {told}")


def is_carried(journey: Journey, told: list[str]) -> bool:
    """Whether a preparer reads all this of what no statement holds yet."""
    # The clock stands still, and the page shows what was accrued before this moment.
    journey.clock.advance(seconds=1)
    page = journey.bank["finance_preparer"].open("/statements/carried-forward/")
    return all(sentence in page.text for sentence in told)


def decline_the_excess(journey: Journey) -> None:
    """50.00 more than was owed: an approver says that it earns nothing."""
    approver = journey.bank["finance_approver"]
    listed = approver.open("/excesses/").says("A-OVER", "$50.00")
    address = listed.link(r"/excesses/[0-9a-f-]+/")
    given = {"accept": "no", "reason": "The borrower gets it back"}
    journey.bank["finance_preparer"].open(address).says("Waits for a finance approver.")
    approver.fill_in(address, given).says("It does not count: no commission on it.")
