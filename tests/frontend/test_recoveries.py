"""Pages of an agency's work: payments typed in or from a file, contacts, promises, reversals."""

import datetime
import re
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from agencies.models import Denial
from agencies.scope import scope
from config import clock as clocks
from portfolios.models import Contact, Loan, Promise, Recovery, Reversal
from portfolios.services import holds, placements, recoveries
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def loans(bank, placement):
    with scope(bank.actor("auditor")):
        return list(Loan.objects.filter(placement=placement).order_by("reference"))


@pytest.fixture
def collector(house, loans):
    return over_http.person(house, "collector")


def today():
    return clocks.business_date("America/New_York").isoformat()


def typed(client, *rows):
    """The quick-entry form as a browser sends it: rows of (loan, reference, amount)."""
    page = client.get(reverse("recovery_log"))
    key = re.search(r'name="key" value="(\w+)"', page.content.decode())[1]
    data = {"key": key, "form-TOTAL_FORMS": "5", "form-INITIAL_FORMS": "0"}
    for number in range(5):
        loan, reference, amount = rows[number] if number < len(rows) else ("", "", "")
        data |= {
            f"form-{number}-loan_reference": loan,
            f"form-{number}-reference": reference,
            f"form-{number}-amount": amount,
            f"form-{number}-value_on": today(),
            f"form-{number}-channel": "bank_transfer",
        }
    return data


def in_the_books(bank):
    with scope(bank.actor("auditor")):
        found = Recovery.objects.order_by("reference")
        return list(found.values_list("reference", "amount_minor"))


def test_payments_are_typed_in_and_each_row_is_answered(bank, house, collector, loans):
    data = typed(
        collector,
        (loans[0].reference, "P-1", "1,012.34"),
        ("NO-SUCH", "P-2", "5"),
        (loans[1].reference, "P-3", "7.50"),
    )
    answer = collector.post(reverse("recovery_log"), data)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "There is no such loan in your placements." in page
    assert "2 payments reported." in page
    assert "1 payment is above what is left of its loan; the bank looks at it." in page
    # The refused row alone comes back, as it was typed.
    assert 'value="NO-SUCH"' in page
    assert "P-1" not in page
    assert in_the_books(bank) == [("P-1", 1012_34), ("P-3", 7_50)]
    with scope(house.actor()):
        denial = Denial.objects.get()
        assert (denial.operation, denial.code) == ("recovery_log", "NOT_FOUND")


def test_a_form_sent_twice_reports_once(bank, collector, loans):
    data = typed(collector, (loans[0].reference, "P-1", "12.34"))
    for _ in range(2):
        answer = collector.post(reverse("recovery_log"), data)
        assert (answer.status_code, answer.url) == (302, reverse("recoveries"))
    assert in_the_books(bank) == [("P-1", 12_34)]
    shown = collector.get(reverse("recoveries")).content.decode()
    assert "$12.34" in shown
    assert "waits for 0 days" in shown


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("12.345", "An amount in USD has at most 2 decimals."),
        ("twelve", "Enter an amount in figures, such as 1,234.56."),
        ("-5", "Give an amount above zero."),
        ("0", "Give an amount above zero."),
    ],
)
def test_an_impossible_amount_is_said_beside_it(bank, collector, loans, amount, words):
    answer = collector.post(
        reverse("recovery_log"), typed(collector, (loans[0].reference, "P-1", amount))
    )
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert f'value="{amount}"' in answer.content.decode()
    assert in_the_books(bank) == []


def test_an_empty_form_reports_nothing(bank, collector):
    answer = collector.post(reverse("recovery_log"), typed(collector))
    assert answer.status_code == 422
    assert "Write at least one payment." in answer.content.decode()
    assert in_the_books(bank) == []


def test_two_banks_with_one_loan_reference_are_told_apart(bank, house, collector, loans):
    other = world.make_bank()
    world.join_panel(other, house)
    portfolio = world.make_portfolio(other, balances_minor=[100_00])
    with scope(other.actor("vendor_manager")):
        portfolio.loans.update(reference=loans[0].reference)
    world.place(other, house, portfolio)
    data = typed(collector, (loans[0].reference, "P-1", "5.00"))
    answer = collector.post(reverse("recovery_log"), data | {"form-0-institution": ""})
    assert answer.status_code == 422
    assert "Two institutions use this loan reference." in answer.content.decode()
    data = typed(collector, (loans[0].reference, "P-1", "5.00"))
    data["form-0-institution"] = other.institution.slug
    assert collector.post(reverse("recovery_log"), data).status_code == 302
    header = HEADER.replace("\n", ",institution\n")
    text = f"{header}{loans[0].reference},P-2,6.00,USD,{today()},cash,{bank.institution.slug}\n"
    assert "P-2" not in upload(collector, text).content.decode()
    assert (in_the_books(bank), in_the_books(other)) == ([("P-2", 6_00)], [("P-1", 5_00)])


def upload(client, text):
    file = SimpleUploadedFile("payments.csv", text.encode(), content_type="text/csv")
    return client.post(reverse("recovery_upload"), {"file": file, "key": "k"})


HEADER = "loan_reference,payment_reference,amount,currency,value_date,channel\n"


def test_a_file_is_reported_row_by_row(bank, collector, loans):
    good = f"{loans[0].reference},P-1,12.34,USD,{today()},Bank transfer\n"
    text = (
        HEADER
        + good
        + f"NO-SUCH,P-2,1.00,USD,{today()},cash\n"
        + f"{loans[1].reference},P-3,1.001,USD,{today()},cash\n"
        + f"{loans[1].reference},P-4,1.00,EUR,{today()},cash\n"
        + f"{loans[1].reference},P-5,1.00,USD,{today()},barter\n"
    )
    answer = upload(collector, text)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert in_the_books(bank) == [("P-1", 12_34)]
    for words in (
        "There is no such loan in your placements.",
        "An amount in USD has at most 2 decimals.",
        "This loan is in USD.",
        "This is not one of bank_transfer",
    ):
        assert words in page
    again = upload(collector, HEADER + good + good.replace("P-1", "P-6"))
    assert again.status_code == 422
    assert "This key was used for another batch." in again.content.decode()
    assert in_the_books(bank) == [("P-1", 12_34)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The submitted file is empty."),
        ("a,b\n1,2\n", "The file has no column loan_reference"),
        (HEADER + '"x', "From this row on the file cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(bank, collector, text, words):
    answer = upload(collector, text)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert in_the_books(bank) == []


def report(house, loan, reference="P-1", amount_minor=40_00):
    row = {
        "loan_reference": loan.reference,
        "reference": reference,
        "amount_minor": amount_minor,
        "value_on": clocks.business_date("America/New_York"),
        "channel": "cash",
    }
    with scope(house.actor()) as actor:
        recoveries.log(actor=actor, idempotency_key=reference, rows=[row])
        return Recovery.objects.get(reference=reference)


def test_a_payment_is_reversed_on_its_page(bank, house, collector, loans):
    recovery = report(house, loans[0])
    page = collector.get(reverse("recovery", args=[recovery.pk]))
    assert page.status_code == 200
    address = reverse("recovery_reverse", args=[recovery.pk])
    token = re.search(r'name="reference" value="(\w+)"', collector.get(address).content.decode())[1]
    too_much = {"amount": "40.01", "reason": "Charged back", "reference": token}
    answer = collector.post(address, too_much)
    assert answer.status_code == 422
    assert "Reversals cannot exceed the recovery." in answer.content.decode()
    for _ in range(2):
        answer = collector.post(address, too_much | {"amount": "15.00"})
        assert answer.status_code == 302
    with scope(bank.actor("auditor")):
        assert Reversal.objects.get().amount_minor == 15_00
    page = collector.get(reverse("recovery", args=[recovery.pk])).content.decode()
    assert "$25.00" in page


def test_contacts_and_promises_are_logged_from_the_loan(bank, collector, loans, clock):
    with scope(bank.actor("compliance_officer")) as actor:
        holds.open_hold(actor=actor, loan_id=loans[0].pk, kind="dispute", reason="Disputed")
    clock.advance(hours=2)
    an_hour_ago = (clocks.now() - datetime.timedelta(hours=1)).astimezone(NEW_YORK)
    loan = reverse("loan", args=[loans[0].pk])
    contact = {
        "measure": "notice",
        "channel": "letter",
        "direction": "outbound",
        "outcome": "done",
        "happened_at": "2001-01-01T10:00",
        "note": "Sent by registered post",
    }
    address = reverse("contact_log", args=[loans[0].pk])
    unsaid = collector.post(address, contact | {"outcome": ""})
    assert unsaid.status_code == 422
    assert "Choose one of the list." in unsaid.content.decode()
    early = collector.post(address, contact)
    assert early.status_code == 422
    assert "before the loan was placed with you" in early.content.decode()
    assert "Sent by registered post" in early.content.decode()
    with scope(bank.actor("auditor")):
        assert not Contact.objects.exists()
    answer = collector.post(
        address, contact | {"happened_at": an_hour_ago.strftime("%Y-%m-%dT%H:%M")}
    )
    assert (answer.status_code, answer.url) == (302, loan)
    promise = {"amount": "50.00", "due_on": today()}
    answer = collector.post(reverse("promise_log", args=[loans[0].pk]), promise)
    assert (answer.status_code, answer.url) == (302, loan)
    with scope(bank.actor("auditor")):
        assert Promise.objects.get().amount_minor == 50_00
        assert Contact.objects.get().flags == ["ON_HOLD"]
    page = collector.get(loan).content.decode()
    assert "Flagged for compliance: Loan on hold." in page
    assert "Sent by registered post" in page
    assert "$50.00" in page
    officer = over_http.person(bank, "compliance_officer")
    for query, is_shown in (
        ("?flagged=yes", True),
        ("?flag=ON_HOLD", True),
        ("?flagged=no", False),
    ):
        page = officer.get(reverse("contacts") + query).content.decode()
        assert ("Sent by registered post" in page) is is_shown
    assert "contact flagged in the last seven days" in officer.get("/").content.decode()


def test_nothing_is_left_of_a_recalled_loan(bank, house, placement, collector, loans):
    recovery = report(house, loans[0])
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Over")
    absent = reverse("recovery", args=[loans[0].pk])
    for name, pk in (
        ("recovery", recovery.pk),
        ("recovery_reverse", recovery.pk),
        ("contact_log", loans[0].pk),
        ("promise_log", loans[0].pk),
    ):
        gone = collector.get(reverse(name, args=[pk]))
        assert gone.status_code == 404
    assert collector.get(absent).status_code == 404
    assert "P-1" not in collector.get(reverse("recoveries")).content.decode()


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"P-1", "P-2"}),
        ("?text=P-2", {"P-2"}),
        ("?state=confirmed", set()),
        ("?state=reported&is_above_balance=True", {"P-2"}),
        ("?channel=cash&sort=amount_minor", {"P-1", "P-2"}),
        ("?channel=card", set()),
    ],
)
def test_the_list_filters_by_its_address(house, collector, loans, query, shown):
    report(house, loans[0])
    report(house, loans[1], "P-2", 200_01)
    page = collector.get(reverse("recoveries") + query).content.decode()
    assert set(re.findall(r">(P-\d)</a>", page)) == shown


@pytest.mark.parametrize("role", ["administrator", "vendor_manager", "auditor", "finance_approver"])
def test_the_bank_reads_but_reports_nothing(bank, house, loans, role):
    recovery = report(house, loans[0])
    client = over_http.person(bank, role)
    assert client.get(reverse("recoveries")).status_code == 200
    assert client.get(reverse("recovery", args=[recovery.pk])).status_code == 200
    for address in (
        reverse("recovery_log"),
        reverse("recovery_upload"),
        reverse("recovery_reverse", args=[recovery.pk]),
        reverse("contact_log", args=[loans[0].pk]),
    ):
        assert client.get(address).status_code == 403
