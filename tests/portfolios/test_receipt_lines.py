"""Receipts that no report proves by itself: settled by a person, once and with a reason."""

import pytest

from agencies.scope import scope
from portfolios.models import Loan, ReceiptLine
from portfolios.services import receipt_lines, receipts, reversals
from tests import world
from tests.portfolios import over_http
from tests.portfolios.receipting import confirm, confirmed, file_of, report, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def placement(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00, 200_00, 300_00])
    return world.place(bank, house, portfolio)


@pytest.fixture
def loans(bank, placement):
    with scope(bank.actor("auditor")):
        found = Loan.objects.filter(placement=placement).order_by("reference")
        return list(found.values_list("reference", flat=True))


def test_a_receipt_that_proves_nothing_is_dismissed_with_a_reason(bank, loans):
    confirm(bank, file_of(("B-1", loans[0], "10.00")))
    with scope(bank.actor("auditor")):
        line = str(ReceiptLine.objects.get().pk)
    finance = over_http.person(bank, "finance_preparer")
    wanted = "receiptLine { state reason }"
    blank = over_http.do(finance, "receiptDismiss", wanted, lineId=line, reason=" ")
    assert blank["errors"][0]["code"] == "REQUIRED"
    done = over_http.do(finance, "receiptDismiss", wanted, lineId=line, reason="Interest")
    assert done["receiptLine"] == {"state": "DISMISSED", "reason": "Interest"}
    with scope(bank.sweep) as sweep:
        assert receipts.rematch(actor=sweep) == 0
    assert states(bank) == {"B-1": "dismissed"}


def test_a_report_taken_back_whole_is_no_candidate(bank, house, loans):
    report(house, (loans[0], "P-1", 10_00), (loans[0], "P-2", 10_00), (loans[0], "P-3", 10_00))
    with scope(house.actor()) as actor:
        back = {"actor": actor, "reason": "Entered twice"}
        reversals.reverse(reference="P-1", reversal_reference="R-1", **back)
        reversals.reverse(reference="P-2", reversal_reference="R-2", amount_minor=1, **back)
    assert confirm(bank, file_of(("B-1", loans[0], "10.00")))["ambiguous"] == 1
    with scope(house.actor()) as actor:
        reversals.reverse(
            actor=actor, reason="Wrong loan", reference="P-3", reversal_reference="R-3"
        )
    with scope(bank.sweep) as sweep:
        assert receipts.rematch(actor=sweep) == 1
    assert confirmed(bank) == [("B-1", "P-2")]


def test_a_receipt_with_a_wrong_loan_reference_is_linked_by_hand(bank, house, loans):
    report(house, (loans[0], "P-1", 12_34))
    confirm(bank, file_of(("B-1", loans[0] + "0", "12.34")))
    with scope(bank.actor("finance_preparer")) as actor:
        line = ReceiptLine.objects.get()
        (candidate,) = receipt_lines.candidates(actor, line)
        receipt_lines.link(
            actor=actor, line_id=line.pk, recovery_id=candidate.pk, reason="Typing error"
        )
    assert confirmed(bank) == [("B-1", "P-1")]
