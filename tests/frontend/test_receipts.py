"""Pages of the bank's receipts: upload, settle by hand; and late receipts seen from both sides."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from agencies.scope import scope
from config import clock as clocks
from portfolios.models import Confirmation, LateReceipt, Loan, ReceiptFile, ReceiptLine, Recovery
from portfolios.services import placements, recoveries
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

HEADER = "receipt_reference,loan_reference,amount,currency,value_date\n"


@pytest.fixture
def loans(bank, placement):
    with scope(bank.actor("auditor")):
        found = Loan.objects.filter(placement=placement).order_by("reference")
        return list(found.values_list("reference", flat=True))


@pytest.fixture
def finance(bank, loans):
    return over_http.person(bank, "finance_preparer")


def today():
    return clocks.business_date("America/New_York")


def report(house, loan, *references):
    rows = [
        {
            "loan_reference": loan,
            "reference": reference,
            "amount_minor": 40_00,
            "value_on": today(),
            "channel": "cash",
        }
        for reference in references
    ]
    with scope(house.actor()) as actor:
        recoveries.log(actor=actor, idempotency_key=references[0], rows=rows)


def upload(client, text, name="november.csv"):
    file = SimpleUploadedFile(name, text.encode(), content_type="text/csv")
    return client.post(reverse("receipts"), {"file": file}, follow=True)


def test_an_upload_says_what_it_confirmed_and_what_is_left(bank, house, finance, loans):
    report(house, loans[0], "P-1")
    report(house, loans[1], "P-2", "P-3")
    page = upload(
        finance,
        HEADER
        + f"B-1,{loans[0]},40.00,USD,{today()}\n"
        + f"B-2,{loans[1]},40.00,USD,{today()}\n"
        + f"B-3,{loans[1]},-1,USD,{today()}\n",
    )
    text = page.content.decode()
    assert page.status_code == 200
    assert page.redirect_chain[0][0].startswith("/receipts/files/")
    assert "1 recovery confirmed." in text
    assert "This must be an amount above zero." in text
    with scope(bank.actor("auditor")):
        assert Confirmation.objects.get().recovery.reference == "P-1"
    again = upload(finance, HEADER + f"B-1,{loans[0]},40.00,USD,{today()}\n")
    assert again.status_code == 422
    assert "This receipt came in an earlier file." in again.content.decode()
    assert "1 receipt to settle" in re.sub(r"\s+", " ", finance.get("/").content.decode())
    listed = finance.get(reverse("receipts") + "?state=to_settle").content.decode()
    assert set(re.findall(r">(B-\d)</a>", listed)) == {"B-2"}


def test_the_same_file_is_refused_beside_the_field(bank, finance, loans):
    text = HEADER + f"B-1,{loans[0]},40.00,USD,{today()}\n"
    upload(finance, text)
    again = upload(finance, text, name="again.csv")
    assert again.status_code == 422
    assert "This file was read already, as november.csv" in again.content.decode()
    with scope(bank.actor("auditor")):
        assert ReceiptFile.objects.count() == 1


def test_a_person_links_one_of_several_reports(bank, house, finance, loans):
    report(house, loans[0], "P-1", "P-2")
    upload(finance, HEADER + f"B-1,{loans[0]},40.00,USD,{today()}\n")
    with scope(bank.actor("auditor")):
        line = ReceiptLine.objects.get()
        chosen = Recovery.objects.get(reference="P-2")
    page = finance.get(reverse("receipt_line", args=[line.pk])).content.decode()
    assert "Several reports have its amount. Choose the one that it proves." in page
    link = reverse("receipt_link", args=[line.pk])
    for incomplete in ({"reason": "The payer's name"}, {"recovery": chosen.pk, "reason": ""}):
        assert finance.post(link, incomplete).status_code == 422
    elsewhere = {"recovery": line.pk, "reason": "The payer's name"}
    assert finance.post(link, elsewhere).status_code == 422
    with scope(bank.actor("auditor")):
        assert not Confirmation.objects.exists()
    answer = finance.post(link, {"recovery": chosen.pk, "reason": "The payer's name"})
    assert answer.status_code == 302
    with scope(bank.actor("auditor")):
        assert Confirmation.objects.get().recovery == chosen
    page = finance.get(reverse("receipt_line", args=[line.pk])).content.decode()
    assert "It confirms a recovery." in page


def test_a_receipt_is_dismissed_with_a_reason(bank, finance, loans):
    upload(finance, HEADER + f"B-1,{loans[0]},40.00,USD,{today()}\n")
    with scope(bank.actor("auditor")):
        line = ReceiptLine.objects.get()
    dismiss = reverse("receipt_dismiss", args=[line.pk])
    assert finance.post(dismiss, {"reason": ""}).status_code == 422
    assert finance.post(dismiss, {"reason": "Paid to the branch"}).status_code == 302
    again = finance.post(dismiss, {"reason": "Another reason"}, follow=True)
    assert "This receipt has been settled already." in again.content.decode()
    with scope(bank.actor("auditor")):
        line.refresh_from_db()
        assert (line.state, line.reason) == ("dismissed", "Paid to the branch")


def test_others_of_the_bank_read_and_change_nothing(bank, finance, loans):
    upload(finance, HEADER + f"B-1,{loans[0]},40.00,USD,{today()}\n")
    with scope(bank.actor("auditor")):
        line = ReceiptLine.objects.get()
    auditor = over_http.person(bank, "auditor")
    assert auditor.get(reverse("receipt_line", args=[line.pk])).status_code == 200
    assert "Upload receipts" not in auditor.get(reverse("receipts")).content.decode()
    assert upload(auditor, HEADER + "x").status_code == 403
    assert auditor.post(reverse("receipt_dismiss", args=[line.pk])).status_code == 403
    stranger = over_http.person(world.make_bank(), "finance_preparer")
    assert stranger.get(reverse("receipt_line", args=[line.pk])).status_code == 404
    answer = stranger.post(reverse("receipt_dismiss", args=[line.pk]), {"reason": "Not mine"})
    assert answer.status_code == 404
    with scope(bank.actor("auditor")):
        assert ReceiptLine.objects.get().state == "unmatched"


def test_a_late_receipt_goes_from_the_agency_to_the_banks_decision(
    bank, house, placement, finance, loans
):
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Over")
    collector = over_http.person(house, "collector")
    told = {
        "institution": str(bank.institution.pk),
        "loan_reference": loans[0],
        "reference": "T-1",
        "currency": "usd",
        "amount": "40.00",
        "value_on": today().isoformat(),
        "note": "A standing order",
    }
    address = reverse("late_receipt_submit")
    refused = collector.post(address, told | {"currency": "XXX", "amount": "1.5.0"})
    assert refused.status_code == 422
    assert "Enter a code of ISO 4217" in refused.content.decode()
    assert collector.post(address, told).status_code == 302
    with scope(bank.actor("auditor")):
        late = LateReceipt.objects.get()
    page = reverse("late_receipt", args=[late.pk])
    assert "Waits for the bank" in collector.get(page).content.decode()
    assert collector.post(page, {"decision": "accept", "reason": "Mine"}).status_code == 403
    assert "Held by the agency" in finance.get(page).content.decode()
    assert finance.post(page, {"decision": "accept", "reason": ""}).status_code == 422
    assert finance.post(page, {"decision": "accept", "reason": "Came in"}).status_code == 302
    with scope(bank.actor("auditor")):
        assert Recovery.objects.get().reference == "T-1"
    shown = collector.get(page)
    assert shown.status_code == 200
    assert "Came in" in shown.content.decode()
    rival = world.make_agency()
    assert over_http.person(rival, "collector").get(page).status_code == 404


def test_why_a_late_receipt_cannot_be_accepted_is_said_on_the_form(bank, house, finance, loans):
    collector = over_http.person(house, "collector")
    told = {
        "institution": str(bank.institution.pk),
        "loan_reference": loans[0],
        "reference": "T-1",
        "currency": "USD",
        "amount": "40.00",
        "value_on": today().isoformat(),
    }
    collector.post(reverse("late_receipt_submit"), told)
    with scope(bank.actor("auditor")):
        page = reverse("late_receipt", args=[LateReceipt.objects.get().pk])
    answer = finance.post(page, {"decision": "accept", "reason": "Came in"})
    assert answer.status_code == 422
    assert "The agency still holds this loan" in answer.content.decode()
    with scope(bank.actor("auditor")):
        assert not Recovery.objects.exists()
        assert LateReceipt.objects.get().state == "submitted"
