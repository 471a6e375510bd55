"""The pages of statements over HTTP: what each role finds, and what two people do in turn."""

import csv
import io

import pytest

from agencies.models import User
from agencies.scope import scope
from payouts.models import Excess, Payout, Statement, StatementLine
from payouts.services import commissions
from portfolios.models import Loan
from portfolios.services import placements
from tests import world
from tests.payouts import ledger
from tests.portfolios.over_http import person

pytestmark = pytest.mark.django_db

READERS = ("finance_preparer", "finance_approver", "auditor")


@pytest.fixture
def march(clock):
    return ledger.march(clock)


def text(answer) -> str:
    return answer.content.decode()


def state_of(bank) -> tuple:
    with scope(bank.actor("auditor")):
        return (
            list(Statement.objects.values_list("state", "return_reason")),
            StatementLine.objects.count(),
            Payout.objects.count(),
        )


NOTHING = ([], 0, 0)


def test_a_month_is_prepared_having_seen_what_it_would_state(march):
    preparer = person(march.bank, "finance_preparer")
    shown = text(preparer.get("/statements/prepare/"))
    assert "What March 2026 would state" in shown
    assert "$80.00" in shown
    assert "1 draft would be made." in shown
    assert "Nothing is unstated before the end of this month." in text(
        preparer.get("/statements/prepare/?starts_on=2026-02-01")
    )
    answer = preparer.post("/statements/prepare/", {"starts_on": "2026-03-01"}, follow=True)
    assert answer.redirect_chain == [("/statements/?month=2026-03-01", 302)]
    assert "1 statement of March 2026 was drafted." in text(answer)
    assert state_of(march.bank) == ([("draft", "")], 4, 0)
    again = preparer.post("/statements/prepare/", {"starts_on": "2026-03-01"}, follow=True)
    assert "There was nothing new to state for March 2026." in text(again)
    assert state_of(march.bank) == ([("draft", "")], 4, 0)


@pytest.mark.parametrize("starts_on", ["2026-04-01", "2026-03-02", "", "never"])
def test_a_month_that_is_not_over_or_none_is_refused_in_the_form(march, starts_on):
    preparer = person(march.bank, "finance_preparer")
    answer = preparer.post("/statements/prepare/", {"starts_on": starts_on})
    assert answer.status_code == 422
    assert state_of(march.bank) == NOTHING


def test_submitted_sent_back_discarded(march):
    statement = ledger.prepared(march.bank)
    page = f"/statements/{statement.pk}/"
    preparer, approver = (person(march.bank, f"finance_{one}") for one in ("preparer", "approver"))
    assert "Submit for approval" in text(preparer.get(page))
    assert "Submit for approval" not in text(approver.get(page))
    sent = preparer.post(f"{page}submit/", follow=True)
    assert "Submitted. Another person has to approve it now." in text(sent)
    assert "You prepared or submitted it, so another person has to approve it." in text(sent)
    assert preparer.get(f"{page}discard/").status_code == 302
    refused = approver.post(f"{page}send-back/", {"reason": ""})
    assert refused.status_code == 422
    assert state_of(march.bank) == ([("submitted", "")], 4, 0)
    approver.post(f"{page}send-back/", {"reason": "A receipt is missing"})
    assert state_of(march.bank) == ([("draft", "A receipt is missing")], 4, 0)
    assert "A receipt is missing" in text(preparer.get(page))
    late = approver.post(f"{page}send-back/", {"reason": "Once more"}, follow=True)
    assert "The statement has changed meanwhile." in text(late)
    gone = preparer.post(f"{page}discard/", {"reason": "Made again"}, follow=True)
    assert gone.redirect_chain == [("/statements/", 302)]
    assert state_of(march.bank) == NOTHING
    assert preparer.get(page).status_code == 404


def test_approving_demands_the_exact_amount_and_pays_once(march):
    statement = ledger.submitted(march.bank)
    page = f"/statements/{statement.pk}/approve/"
    approver = person(march.bank, "finance_approver")
    shown = text(approver.get(page))
    assert "To approve, type the amount: 80.00" in shown
    assert "The agency has no payout account yet" in shown
    for amount in ("", "79.99", "8000", "eighty", "80.001"):
        assert approver.post(page, {"amount": amount}).status_code == 422
    assert state_of(march.bank) == ([("submitted", "")], 4, 0)
    first = approver.post(page, {"amount": "80.00"}, follow=True)
    assert "Approved: $80.00 goes to" in text(first)
    second = approver.post(page, {"amount": "80.00"}, follow=True)
    assert "This statement is approved already. It is paid once." in text(second)
    assert state_of(march.bank) == ([("approved", "")], 4, 1)
    with scope(march.bank.actor("auditor")):
        payout = Payout.objects.get()
        assert (payout.amount_minor, payout.currency, payout.state) == (80_00, "USD", "approved")


def test_whoever_prepared_reads_why_he_cannot_approve(march):
    statement = ledger.submitted(march.bank)
    page = f"/statements/{statement.pk}/"
    with scope(march.bank.actor("administrator")):
        preparer = march.bank.users["finance_preparer"]
        User.objects.filter(pk=preparer.pk).update(role="finance_approver")
    promoted = person(march.bank, "finance_preparer")
    shown = text(promoted.get(page))
    assert "two people sign every payment" in shown
    assert "Approve and pay" not in shown
    assert "Another person has to approve this" in text(promoted.get(f"{page}approve/"))
    refused = promoted.post(f"{page}approve/", {"amount": "80.00"})
    assert refused.status_code == 403
    assert "Whoever prepared a statement cannot approve it." in text(refused)
    assert state_of(march.bank) == ([("submitted", "")], 4, 0)


def test_the_page_says_what_earned_what(march):
    statement = ledger.submitted(march.bank)
    shown = text(person(march.bank, "auditor").get(f"/statements/{statement.pk}/"))
    for words in ("$80.00 is left of $100.00 after $20.00 was taken back", "A-1", "-$20.00"):
        assert words in shown
    found = text(person(march.bank, "auditor").get(f"/statements/{statement.pk}/?reference=A-2"))
    assert "A-2" in found
    assert "A-1" not in found


def test_lines_as_a_file_add_up_and_hold_no_formula(march):
    statement = ledger.submitted(march.bank)
    answer = person(march.bank, "finance_approver").get(f"/statements/{statement.pk}/lines.csv")
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="statement-2026-03-USD.csv"'
    )
    rows = list(csv.DictReader(io.StringIO(text(answer).removeprefix("\ufeff"))))
    assert [(row["reference"], row["base"], row["commission"]) for row in rows[:3]] == [
        ("A-1", "400.00", "80.00"),
        ("A-2", "100.01", "20.00"),
        ("A-3", "0.00", "0.00"),
    ]
    assert (rows[3]["kind"], rows[3]["base"], rows[3]["commission"]) == (
        "clawback",
        "100.00",
        "-20.00",
    )
    assert {row["rate_per_cent"] for row in rows} == {"20"}


def test_a_reference_in_the_file_is_never_a_formula(march, clock):
    clock.set(ledger.IN_MARCH)
    with scope(march.bank.actor("auditor")):
        loan = Loan.objects.order_by("reference").first()
    for reference in ("=1+1", "@SUM(A1)", "-2"):
        world.recover(march.bank, march.house, loan, 1_00, reference=reference)
    with scope(march.bank.sweep) as actor:
        commissions.accrue(actor=actor)
    clock.set(ledger.IN_APRIL)
    statement = ledger.prepared(march.bank)
    answer = person(march.bank, "auditor").get(f"/statements/{statement.pk}/lines.csv")
    rows = csv.DictReader(io.StringIO(text(answer).removeprefix("\ufeff")))
    found = {row["reference"] for row in rows if row["base"] == "1.00"}
    assert found == {"'=1+1", "'@SUM(A1)", "'-2"}


def test_an_agency_reads_its_own_and_keeps_it_after_a_recall(march):
    statement = ledger.submitted(march.bank)
    page = f"/statements/{statement.pk}/"
    agency = person(march.house, "agency_administrator")
    assert agency.get(page).status_code == 404
    assert "No statement yet" in text(agency.get("/statements/"))
    ledger_approves(march, statement)
    with scope(march.bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=march.placement.pk, reason="Portfolio sold")
    shown = text(agency.get("/statements/"))
    assert "March 2026" in shown
    assert "$80.00" in shown
    mine = text(agency.get(page))
    assert "A-1" in mine
    assert "Loan L-" not in mine
    assert march.bank.users["finance_preparer"].email not in mine
    assert agency.get(f"{page}lines.csv").status_code == 200


def ledger_approves(march, statement) -> None:
    approver = person(march.bank, "finance_approver")
    approver.post(f"/statements/{statement.pk}/approve/", {"amount": "80.00"})


def test_nobody_else_opens_or_changes_anything(march):
    statement = ledger.submitted(march.bank)
    page = f"/statements/{statement.pk}/"
    with scope(march.bank.actor("auditor")):
        excess = f"/excesses/{Excess.objects.get().pk}/"
    before = state_of(march.bank)
    missing = "/statements/019aaaaa-0000-7000-8000-000000000000/"
    for role in ("administrator", "vendor_manager", "compliance_officer"):
        client = person(march.bank, role)
        for path in ("/statements/", page, f"{page}lines.csv", "/statements/carried-forward/"):
            assert client.get(path).status_code == 403
    collector = person(march.house, "collector")
    assert collector.get("/statements/").status_code == 403
    rival = person(march.rival, "agency_administrator")
    stranger = person(march.other_bank, "finance_approver")
    for client in (rival, stranger):
        foreign, absent = client.get(page), client.get(missing)
        assert (foreign.status_code, absent.status_code) == (404, 404)
        assert march.house.agency.name not in text(client.get("/statements/"))
    assert stranger.get(excess).status_code == 404
    for path, given in (
        (f"{page}approve/", {"amount": "80.00"}),
        (f"{page}send-back/", {"reason": "Not theirs to say"}),
        (excess, {"accept": "yes", "reason": "Not theirs to say"}),
    ):
        assert stranger.post(path, given).status_code == 404
        assert rival.post(path, given).status_code == 403
        assert person(march.bank, "auditor").post(path, given).status_code == 403
        assert person(march.bank, "finance_preparer").post(path, given).status_code == 403
    assert person(march.bank, "finance_approver").post(f"{page}submit/").status_code == 403
    assert person(march.bank, "finance_approver").post("/statements/prepare/").status_code == 403
    assert state_of(march.bank) == before
    with scope(march.bank.actor("auditor")):
        assert Excess.objects.get().state == "open"


def test_money_above_the_balance_is_decided_once_with_a_reason(march, clock):
    with scope(march.bank.actor("auditor")):
        pk = Excess.objects.get().pk
    approver = person(march.bank, "finance_approver")
    assert "A-3" in text(approver.get("/excesses/?state=open"))
    shown = text(approver.get(f"/excesses/{pk}/"))
    assert "$50.00 above the balance" in shown
    assert "$10.00" in shown
    assert "Save the decision" not in text(
        person(march.bank, "finance_preparer").get(f"/excesses/{pk}/")
    )
    for given in ({}, {"accept": "yes"}, {"accept": "perhaps", "reason": "Interest too"}):
        assert approver.post(f"/excesses/{pk}/", given).status_code == 422
    decided = approver.post(
        f"/excesses/{pk}/", {"accept": "yes", "reason": "Interest was owed too"}, follow=True
    )
    assert "It counts: the commission on it goes on the next statement." in text(decided)
    again = approver.post(
        f"/excesses/{pk}/", {"accept": "no", "reason": "Changed my mind"}, follow=True
    )
    assert "This has been decided already." in text(again)
    with scope(march.bank.actor("auditor")):
        found = Excess.objects.get()
        assert (found.state, found.decision_reason) == ("accepted", "Interest was owed too")
    clock.advance(minutes=1)
    carried = text(approver.get("/statements/carried-forward/"))
    assert "$90.00" in carried


def test_home_says_what_waits_for_whom(march):
    preparer, approver = (person(march.bank, f"finance_{one}") for one in ("preparer", "approver"))
    assert "1 statement of March 2026 to prepare" in text(preparer.get("/"))
    assert "2 agencies without a payout account" in text(preparer.get("/"))
    assert "1 payment above the balance" in text(approver.get("/"))
    statement = ledger.prepared(march.bank)
    shown = text(preparer.get("/"))
    assert "1 draft statement to submit" in shown
    assert "to prepare" not in shown
    preparer.post(f"/statements/{statement.pk}/submit/")
    assert "1 statement to approve" in text(approver.get("/"))
    assert "draft statement to submit" not in text(preparer.get("/"))


def test_the_list_filters_and_sorts_by_its_address(march):
    ledger.submitted(march.bank)
    auditor = person(march.bank, "auditor")
    for query, count in (
        ("state=submitted", 1),
        ("state=draft", 0),
        ("month=2026-03-01", 1),
        ("payment=paid", 0),
        ("sort=-total_minor", 1),
    ):
        shown = text(auditor.get(f"/statements/?{query}"))
        assert ("$80.00" in shown) == bool(count), query
