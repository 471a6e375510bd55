"""Reports of agencies, the bank's receipts, and what came of them."""

import itertools

from agencies.scope import scope
from config import clock as clocks
from portfolios.models import Confirmation, ReceiptLine
from portfolios.services import recoveries
from tests.portfolios import over_http

WANTED = """receiptFile { fileName rowsRead } matched unmatched ambiguous matchedBefore
    problems { row column value code }"""
HEADER = "receipt_reference,loan_reference,amount,currency,value_date\n"


_keys = itertools.count(1)


def today():
    return clocks.business_date("America/New_York")


def report(house, *payments):
    """Payments as (loan, reference, amount_minor), all of today."""
    rows = [
        {
            "loan_reference": loan,
            "reference": reference,
            "amount_minor": amount_minor,
            "value_on": today(),
            "channel": "bank_transfer",
        }
        for loan, reference, amount_minor in payments
    ]
    with scope(house.actor()) as actor:
        answers = recoveries.log(actor=actor, idempotency_key=str(next(_keys)), rows=rows)
    assert [answer.outcome for answer in answers] == ["recorded"] * len(rows)


def file_of(*lines):
    """Receipts as (reference, loan, amount)."""
    rows = "".join(
        f"{reference},{loan},{amount},USD,{today()}\n" for reference, loan, amount in lines
    )
    return HEADER + rows


def confirm(bank, content, name="today.csv"):
    client = over_http.person(bank, "finance_preparer")
    return over_http.do(client, "receiptsConfirm", WANTED, fileName=name, content=content)


def states(bank):
    with scope(bank.actor("auditor")):
        lines = ReceiptLine.objects.order_by("receipt_reference")
        return dict(lines.values_list("receipt_reference", "state"))


def confirmed(bank):
    """Which receipt proves which report."""
    with scope(bank.actor("auditor")):
        pairs = Confirmation.objects.order_by("receipt_line__receipt_reference")
        return list(pairs.values_list("receipt_line__receipt_reference", "recovery__reference"))
