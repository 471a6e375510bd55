"""Receipts of the bank: they confirm reports, and what does not match is settled by a person."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agencies.models import AuditEntry
from agencies.scope import scope
from portfolios.models import Loan, ReceiptFile, ReceiptLine, Recovery
from portfolios.services import placements, receipts
from tests import world
from tests.portfolios import over_http
from tests.portfolios.receipting import (
    HEADER,
    WANTED,
    confirm,
    confirmed,
    file_of,
    report,
    states,
    today,
)

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


def test_receipts_confirm_the_reports_they_prove(bank, house, loans):
    first, second, third = loans
    report(house, (first, "P-1", 40_00), (second, "P-2", 50_00), (third, "P-3", 60_00))
    answer = confirm(
        bank, file_of(("B-1", first, "40.00"), ("B-2", second, "50.01"), ("B-3", "NO-SUCH", "1"))
    )
    assert answer == {
        "receiptFile": {"fileName": "today.csv", "rowsRead": 3},
        "matched": 1,
        "unmatched": 2,
        "ambiguous": 0,
        "matchedBefore": 0,
        "problems": [],
        "errors": [],
    }
    assert states(bank) == {"B-1": "matched", "B-2": "unmatched", "B-3": "unmatched"}
    assert confirmed(bank) == [("B-1", "P-1")]
    client = over_http.person(house, "collector")
    query = """query($state: RecoveryState) { recoveries(first: 9, state: $state) {
        edges { node { reference state } } } }"""
    shown = over_http.ask(client, query, state="CONFIRMED")["recoveries"]["edges"]
    assert shown == [{"node": {"reference": "P-1", "state": "CONFIRMED"}}]
    by_agency = """query($agency: ID) { recoveries(first: 9, agencyId: $agency) { totalCount
        edges { node { agency { name } loan { reference } placement { title } } } } }"""
    auditor = over_http.person(bank, "auditor")
    mine = over_http.ask(auditor, by_agency, agency=str(house.agency.pk))["recoveries"]
    assert mine["totalCount"] == 3
    assert mine["edges"][0]["node"]["agency"] == {"name": house.agency.name}
    assert over_http.ask(auditor, by_agency, agency="nobody")["recoveries"]["totalCount"] == 0
    shown = over_http.ask(client, query, state="REPORTED")["recoveries"]["edges"]
    assert [edge["node"]["reference"] for edge in shown] == ["P-3", "P-2"]
    with scope(bank.actor("auditor")):
        recovery = Recovery.objects.get(reference="P-1")
        entry = AuditEntry.objects.get(action="recovery.confirm")
        assert (entry.object_id, entry.agency_id) == (recovery.pk, house.agency.pk)
        assert AuditEntry.objects.filter(action="receipts.confirm").count() == 1


def test_the_same_file_is_refused_with_the_first_ones_name(bank, loans):
    content = file_of(("B-1", loans[0], "40.00"))
    confirm(bank, content, name="monday.csv")
    again = confirm(bank, content, name="tuesday.csv")
    assert again["receiptFile"] is None
    assert again["errors"] == [
        {
            "code": "SAME_FILE",
            "message": f"This file was read already, as monday.csv on {today()}.",
            "field": "file",
            "row": None,
        }
    ]
    with scope(bank.actor("auditor")):
        assert ReceiptFile.objects.count() == 1
    # Another bank may have the same file.
    assert confirm(world.make_bank(), content)["errors"] == []


def test_bad_rows_and_known_receipts_are_answered_and_the_others_taken(bank, house, loans):
    report(house, (loans[0], "P-1", 40_00))
    confirm(bank, file_of(("B-1", loans[1], "10.00")))
    answer = confirm(
        bank,
        file_of(
            ("B-1", loans[1], "10.00"),
            ("B-2", loans[0], "40.00"),
            ("B-3", loans[0], "-1.00"),
            ("B-2", loans[0], "40.00"),
            ("B-4", "", "1.00"),
            ("B-5", loans[0], "1.001"),
        ),
    )
    assert answer["problems"] == [
        {"row": 2, "column": "receipt_reference", "value": "B-1", "code": "RECEIPT_KNOWN"},
        {"row": 4, "column": "amount", "value": "-1.00", "code": "NOT_POSITIVE"},
        {"row": 5, "column": "receipt_reference", "value": "B-2", "code": "DUPLICATE_REFERENCE"},
        {"row": 6, "column": "loan_reference", "value": "", "code": "MISSING_VALUE"},
        {"row": 7, "column": "amount", "value": "1.001", "code": "TOO_MANY_DECIMALS"},
    ]
    assert (answer["matched"], answer["receiptFile"]["rowsRead"]) == (1, 6)
    assert states(bank) == {"B-1": "unmatched", "B-2": "matched"}
    with scope(bank.actor("auditor")):
        kept = ReceiptFile.objects.order_by("-uploaded_at").first().problems
        assert [(one["row"], one["code"]) for one in kept] == [
            (one["row"], one["code"]) for one in answer["problems"]
        ]


def test_a_file_without_a_good_row_leaves_nothing_and_may_come_again(bank, loans):
    tomorrow = today() + datetime.timedelta(days=1)
    content = f"{HEADER}B-1,{loans[0]},40.00,USD,{tomorrow}\n"
    for _ in range(2):
        answer = confirm(bank, content)
        assert [one["code"] for one in answer["problems"]] == ["FUTURE_DATE"]
        assert (answer["receiptFile"], answer["errors"]) == (None, [])
    assert states(bank) == {}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "EMPTY_FILE"),
        ("receipt_reference,amount\nB-1,1\n", "MISSING_COLUMNS"),
        (HEADER + '"B-1', "UNREADABLE_FILE"),
    ],
)
def test_a_file_that_cannot_be_read_changes_nothing(bank, content, code):
    answer = confirm(bank, content)
    assert [(one["code"], one["field"]) for one in answer["errors"]] == [(code, "file")]
    assert states(bank) == {}


def test_a_file_with_too_many_receipts_changes_nothing(bank, loans, monkeypatch):
    monkeypatch.setattr(receipts, "ROWS_MAX", 1)
    answer = confirm(bank, file_of(("B-1", loans[0], "1.00"), ("B-2", loans[0], "1.00")))
    assert [(one["code"], one["field"]) for one in answer["errors"]] == [("TOO_MANY_ROWS", "file")]
    assert states(bank) == {}


def test_as_many_receipts_as_reports_pair_up_and_others_wait_for_a_person(bank, house, loans):
    first, second, _third = loans
    report(house, (first, "P-1", 10_00), (first, "P-2", 10_00), (second, "P-3", 5_00))
    report(house, (second, "P-4", 5_00))
    answer = confirm(
        bank,
        file_of(("B-1", first, "10.00"), ("B-2", first, "10.00"), ("B-3", second, "5.00")),
    )
    assert (answer["matched"], answer["ambiguous"]) == (2, 1)
    assert confirmed(bank) == [("B-1", "P-1"), ("B-2", "P-2")]
    finance = over_http.person(bank, "finance_preparer")
    query = """{ receiptLines(first: 5, state: AMBIGUOUS) { edges { node {
        id receiptReference candidates { id reference } } } } }"""
    (edge,) = over_http.ask(finance, query)["receiptLines"]["edges"]
    line, candidates = edge["node"], edge["node"]["candidates"]
    assert [one["reference"] for one in candidates] == ["P-3", "P-4"]
    with scope(bank.actor("auditor")):
        other = str(Recovery.objects.get(reference="P-1").pk)
    wanted = "receiptLine { state reason }"
    settle = {"lineId": line["id"], "reason": "By the payer's name"}
    no_candidate = over_http.do(finance, "receiptLink", wanted, recoveryId=other, **settle)
    assert no_candidate["errors"][0]["code"] == "NOT_FOUND"
    linked = over_http.do(finance, "receiptLink", wanted, recoveryId=candidates[1]["id"], **settle)
    assert linked["receiptLine"] == {"state": "MATCHED", "reason": "By the payer's name"}
    assert confirmed(bank)[-1] == ("B-3", "P-4")
    again = over_http.do(finance, "receiptLink", wanted, recoveryId=candidates[0]["id"], **settle)
    assert again["errors"][0]["code"] == "SETTLED"
    dismissed = over_http.do(finance, "receiptDismiss", wanted, **settle)
    assert dismissed["errors"][0]["code"] == "SETTLED"
    assert len(confirmed(bank)) == 3


def test_a_report_that_comes_later_is_found_by_the_sweep(bank, house, loans):
    confirm(bank, file_of(("B-1", loans[0], "10.00"), ("B-2", loans[1], "7.00")))
    report(house, (loans[0], "P-1", 10_00))
    with scope(bank.sweep) as sweep:
        assert receipts.rematch(actor=sweep) == 1
        assert receipts.rematch(actor=sweep) == 0
    assert confirmed(bank) == [("B-1", "P-1")]
    report(house, (loans[1], "P-2", 7_00))
    assert confirm(bank, file_of(("B-3", "NO-SUCH", "1.00")))["matchedBefore"] == 1
    assert confirmed(bank) == [("B-1", "P-1"), ("B-2", "P-2")]


def test_a_report_is_confirmed_after_a_recall_too(bank, house, loans, placement):
    report(house, (loans[0], "P-1", 10_00))
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Over")
    assert confirm(bank, file_of(("B-1", loans[0], "10.00")))["matched"] == 1
    client = over_http.person(house, "collector")
    assert over_http.ask(client, "{ recoveries(first: 1) { totalCount } }")["recoveries"] == {
        "totalCount": 0
    }


@pytest.mark.parametrize(
    "role", ["administrator", "vendor_manager", "compliance_officer", "finance_approver", "auditor"]
)
def test_other_roles_confirm_nothing(bank, loans, role):
    client = over_http.person(bank, role)
    content = file_of(("B-1", loans[0], "10.00"))
    answer = over_http.do(client, "receiptsConfirm", WANTED, fileName="a.csv", content=content)
    assert [one["code"] for one in answer["errors"]] == ["NOT_ALLOWED"]
    assert states(bank) == {}


def test_an_agency_confirms_nothing_and_reads_no_receipt(bank, house, loans):
    confirm(bank, file_of(("B-1", loans[0], "10.00")))
    client = over_http.person(house, "agency_administrator")
    content = file_of(("B-2", loans[0], "10.00"))
    answer = over_http.do(client, "receiptsConfirm", WANTED, fileName="a.csv", content=content)
    assert [one["code"] for one in answer["errors"]] == ["NOT_ALLOWED"]
    with scope(house.actor()):
        assert not ReceiptLine.objects.exists()
    assert states(bank) == {"B-1": "unmatched"}


def test_the_number_of_queries_does_not_grow_with_the_file(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00] * 30)
    world.place(bank, house, portfolio)
    with scope(bank.actor("auditor")):
        mine = list(Loan.objects.filter(portfolio=portfolio).values_list("reference", flat=True))
    report(house, *((loan, f"P-{loan}", 1_00) for loan in mine))
    counts = []
    for some in (mine[:2], mine[2:]):
        content = file_of(*((f"B-{loan}", loan, "1.00") for loan in some)).encode()
        with (
            scope(bank.actor("finance_preparer")) as actor,
            CaptureQueriesContext(connection) as captured,
        ):
            read = receipts.confirm(actor=actor, file_name="a.csv", content=content)
        assert read.matched == len(some)
        counts.append(len(captured))
    assert counts[0] == counts[1] < 25
