"""What each role does all day, in Chromium: nothing in the console, no request to elsewhere.

Every page that is passed is also shown at the width of a phone, where nothing may stick out; one
page of each kind is read by axe, in light and dark.
"""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser import papers, portal, window

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]

OPEN_LISTING = "Personal loans, vintage 2025"
LOAN = re.compile(r"P[A-F]-\d{5}")
REASON = "Heard in the recording of the call"


@pytest.fixture(scope="module")
def demonstration(django_db_setup, clone, django_db_blocker):
    """The portal with a year behind it. What one test does, the next ones find done."""
    with django_db_blocker.unblock(), portal.running(clone) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(demonstration, chromium_path):
    """One browser for all; it is gone before the database is."""
    with sync_playwright() as playwright:
        browser = window.launch(playwright, chromium_path)
        yield browser
        browser.close()


@pytest.fixture
def someone(chromium, demonstration):
    """A window, logged in as whoever has the role; without one, a visitor's."""
    opened = []

    def at_work(role: str = "") -> window.Window:
        opened.append(window.Window(chromium, demonstration.url))
        if role:
            opened[-1].log_in(demonstration.people[role], demonstration.password)
        return opened[-1]

    yield at_work
    for each in opened:
        each.close()


def test_a_visitor(someone):
    visitor = someone()
    visitor.open("/")
    visitor.says("Overdue loans, fairly placed").check_access()
    visitor.follow("Register your agency")
    with visitor.refusal():
        visitor.press("Register the agency")
    visitor.check_access()
    visitor.fill({"Name of the agency": "Cedar Collect", "Country": "United States"})
    visitor.fill({"Your name": "Cleo Reed", "Your e-mail": "cleo@cedar.example"})
    visitor.press("Register the agency")
    visitor.says("Look into your mailbox")
    complain(visitor, "PA-00003").says("Thank you").hides("PA-00003")


def complain(visitor: window.Window, reference: str) -> window.Window:
    visitor.open("/complain/harbor/")
    visitor.fill({"Reference on your letter": reference, "When it happened": "2026-11-20"})
    visitor.fill({"What it was about": "Harassment or threats"})
    visitor.fill({"What happened": "They called my employer twice."})
    visitor.press("Send")
    return visitor


def test_an_administrator(someone):
    administrator = someone("administrator")
    administrator.menu("People")
    administrator.follow("Invite somebody")
    administrator.fill({"Name": "Nora Vance", "E-mail": "nora@harbor.example", "Role": "Auditor"})
    administrator.press("Send the invitation")
    administrator.says("Nora Vance has been invited", "Invited").check_access()
    administrator.follow("Nora Vance")


def test_a_vendor_manager_sells_a_portfolio(someone):
    manager = someone("vendor_manager")
    manager.says("1 draft portfolio").check_access()
    manager.menu("Portfolios")
    manager.follow("New portfolio")
    manager.fill({"Name": "Autumn cards", "Product": "credit card"})
    manager.fill({"Currency": "USD", "Jurisdiction": "US-NY"})
    manager.press("Make the portfolio")
    manager.page.get_by_label("File of loans").set_input_files(papers.loans())
    manager.press("Continue")
    manager.says("Say which columns hold what", "loan_reference").check_access()
    manager.press("Check the file")
    manager.says("a lot", "This is not a plain number").check_access()
    manager.fill({"Import the 12 good rows": True})
    manager.press("Continue")
    manager.says("of 13 rows")
    manager.follow("Go to the portfolio")
    manager.follow("Publish for bids")
    manager.check_access()
    with manager.refusal():
        manager.press("Publish for bids")
    manager.fill({"Highest commission rate": "30"})
    manager.press("Publish for bids")
    manager.says("Autumn cards is open for bids until", "Open", "sealed").check_access()


def begin_import(manager: window.Window, name: str, currency: str, file) -> None:
    """A new portfolio, whose file is received and its columns guessed."""
    manager.open("/portfolios/")
    manager.follow("New portfolio")
    manager.fill({"Name": name, "Product": "personal loan"})
    manager.fill({"Currency": currency, "Jurisdiction": {"CNY": "CN"}.get(currency, "US")})
    manager.press("Make the portfolio")
    manager.page.get_by_label("File of loans").set_input_files(file)
    manager.press("Continue")


@pytest.mark.skipif(
    not papers.LENDINGCLUB.exists(), reason="../shared/data is not beside this project"
)
def test_a_vendor_manager_imports_a_public_file_as_it_is(someone):
    manager = someone("vendor_manager")
    begin_import(manager, "LendingClub, charged off", "USD", papers.LENDINGCLUB)
    manager.says("Say which columns hold what", "total_rec_prncp")
    manager.press("Check the file")
    manager.says("6,431", "Every row")
    manager.press("Import 6,431 loans")
    manager.says("of 6,431 rows", "$48,741,262.27")
    manager.follow("Go to the portfolio")
    manager.says("LendingClub, charged off", "$48,741,262.27").check_access()


def test_a_vendor_manager_imports_a_chinese_file_and_gets_its_wrong_rows_back(someone):
    manager = someone("vendor_manager")
    begin_import(manager, "信用贷款", "CNY", papers.chinese_loans_file())
    manager.says("借据号", "贷款余额", "身份证号").check_access()
    manager.press("Check the file")
    manager.says("Import the 1,980 good rows", "很多", "This is not a plain number").check_access()
    with manager.page.expect_download() as begun:
        manager.main.get_by_role("link", name="Download the bad rows").click()
    left_out = begun.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(left_out) == 21
    assert left_out[0].startswith("借据号,客户号,")
    assert "很多" in left_out[1]
    manager.fill({"Import the 1,980 good rows": True})
    manager.press("Continue")
    manager.says("of 2,000 rows")
    manager.follow("Go to the portfolio")
    manager.says("信用贷款", "1,980").check_access()


def test_a_vendor_manager_applies_the_news_of_the_day(someone):
    manager = someone("vendor_manager")
    manager.menu("Maintenance files")
    manager.says("No maintenance file yet").check_access()
    manager.follow("Send a file")
    manager.check_access()
    manager.page.get_by_label("Maintenance file").set_input_files(papers.news())
    manager.press("Continue")
    manager.says("Say which columns hold what").hides("555 0177", "paid in May").check_access()
    manager.press("Check the file")
    manager.says("Apply the 2 good rows and leave 1 out", "You have no loan with this reference.")
    manager.check_access()
    with manager.refusal():
        manager.press("Continue")
    manager.fill({"Apply the 2 good rows": True})
    manager.press("Continue")
    manager.says("What came of it", "Dispute", "Contact data").check_access()
    manager.menu("Holds")
    manager.follow("PA-00058")
    manager.says("Says that she paid in May").check_access()
    manager.menu("Maintenance files")
    manager.says("news.csv", "Imported").check_access()


def test_a_vendor_manager_answers_bidders(someone):
    manager = someone("vendor_manager")
    manager.open("/listings/")
    manager.follow(OPEN_LISTING)
    manager.says("combinations of bands").check_access()
    manager.page.get_by_label("Documents").set_input_files(papers.receipts("x", "1.00", "x"))
    manager.press("Add to the room")
    manager.says("1 document is in the room", "receipts.csv")
    manager.open(manager.page.url + "questions/")
    manager.says("Are there loans with a payment plan in force?").hides("asked by")
    manager.fill({"Answer": "None."})
    manager.press("Keep the answer")
    manager.says("1 answer waits to be published").check_access()
    manager.press("Publish to all bidders")
    manager.says("1 answer is published: all bidders read it now.")
    manager.open(manager.page.url.replace("questions", "log"))
    manager.says("Sealed while the portfolio is open for bids").check_access()


def test_a_vendor_manager_recalls_a_loan(someone):
    manager = someone("vendor_manager")
    manager.open("/placements/")
    manager.follow("Personal loans, vintage 2023 B")
    manager.check_access()
    manager.follow(re.compile("^Loans in it now"))
    reference = LOAN.search(manager.main.inner_text()).group()
    manager.page.go_back()
    manager.follow("Recall single loans")
    manager.fill({"References of the loans": "PX-00000", "Reason": REASON})
    with manager.refusal():
        manager.press("Recall these loans")
    manager.says("Not in this placement: PX-00000")
    manager.fill({"References of the loans": reference})
    manager.press("Recall these loans")
    manager.says("1 loan is recalled.", re.compile(r"recalled loans\s+Loans\s*1\s"))
    manager.menu("Ranking")
    manager.says("Against an average agency", "What this ranking is").check_access()
    manager.follow("Northgate Recovery")
    manager.says(
        "what an average agency would have on the same loans", "What the raw rate is made of"
    )
    manager.check_access()
    manager.menu("Success by means")
    manager.says("What each measure brought", "Longest, days", "How it is counted").check_access()


def test_a_compliance_officer(someone):
    complain(someone(), "PB-00002")
    officer = someone("compliance_officer")
    officer.follow(re.compile("message.* from the public form"))
    officer.follow("PB-00002")
    officer.says("They called my employer twice.")
    officer.fill(
        {"Severity": "Medium", "What the agency is asked": "Did you call the borrower's employer?"}
    )
    officer.press("Open the complaint")
    officer.says("The complaint is open and the loan on hold.").check_access()
    officer.open("/complaints/?state=undecided")
    officer.follow(LOAN)
    officer.fill({"Upheld": True, "Reason": REASON})
    officer.press("Decide the complaint")
    officer.says("Decided. The hold of this complaint has ended.")
    officer.open("/contacts/?flagged=yes")
    officer.says(LOAN).check_access()
    officer.menu("Panel")
    officer.follow("Pinecrest Associates")
    officer.fill({"Reason": "Under investigation"})
    officer.press("Suspend the agency")
    officer.says("Pinecrest Associates is suspended", "Suspended")
    officer.fill({"Reason": "Nothing was found"})
    officer.press("Reinstate the agency")
    officer.says("Pinecrest Associates has its access back.", "Approved")


def test_a_finance_preparer(someone):
    preparer = someone("finance_preparer")
    preparer.follow(re.compile("recoveries waiting for confirmation"))
    row = preparer.main.locator("tbody tr").first.inner_text()
    amount = re.search(r"\$([\d,.]+)", row).group(1).replace(",", "")
    preparer.menu("Receipts")
    receipts = papers.receipts(LOAN.search(row).group(), amount, "2026-11-23")
    preparer.page.get_by_label("CSV file").set_input_files(receipts)
    preparer.press("Read the file")
    preparer.says("To settle").check_access()
    preparer.follow("BT-R2")
    preparer.fill({"Reason": "A payer's mistake, sent back"})
    preparer.press("Dismiss the receipt")
    preparer.says("The receipt is dismissed.")
    preparer.menu("Statements")
    preparer.follow("Prepare a month")
    preparer.open("/statements/?state=draft")
    preparer.follow("October 2026")
    preparer.press("Submit for approval")
    preparer.says("Submitted")


def test_a_finance_approver(someone):
    approver = someone("finance_approver")
    approver.follow(re.compile("statements? to approve"))
    approver.follow("October 2026")
    approver.check_access()
    approver.follow("Approve and pay")
    amount = approver.main.get_by_label("To approve, type the amount")
    amount.fill("1.00")
    with approver.refusal():
        approver.press("Approve and pay")
    approver.check_access()
    label = approver.main.locator("label", has_text="To approve, type the amount").inner_text()
    amount.fill(label.rsplit(" ", 1)[-1])
    approver.press("Approve and pay")
    approver.says("with the next run")
    approver.open("/payouts/?state=paid")
    approver.follow(re.compile(r"2026$"))
    approver.says("The transfer was made.").check_access()


def test_an_auditor(someone):
    auditor = someone("auditor")
    auditor.menu("Audit trail")
    auditor.fill({"About": "Commission and payouts"})
    auditor.press("Apply")
    auditor.check_access()
    auditor.follow("Refusals")


def test_an_agency_administrator(someone):
    head = someone("agency_administrator")
    head.follow(re.compile("open listings? without your bid"))
    head.follow(OPEN_LISTING)
    head.says("Terms of this listing", "up to 99").hides("Submit the bid").check_access()
    with head.refusal():
        head.press("Accept and open the room")
    head.fill({"I have read the terms": True})
    head.press("Accept and open the room")
    head.says("The room is open to you", "Are settlements below the balance allowed")
    head.hides("Blue Heron").check_access()
    head.fill({"Your question": "Is the portfolio insured?"})
    head.press("Ask")
    head.says("Your question is with the bank", "Is the portfolio insured?")
    head.fill({"Your commission rate": "99", "Loans you can take": "40"})
    with head.refusal():
        head.press("Submit the bid")
    head.check_access()
    head.fill({"Your commission rate": "18.5"})
    head.press("Submit the bid")
    head.says("Your bid is in, sealed: 18.5", "Replace your bid")
    head.menu("People")
    head.follow("Invite somebody")
    head.fill({"Name": "Omar Reyes", "E-mail": "omar@northgate.example", "Role": "Collector"})
    head.press("Send the invitation")
    head.says("Omar Reyes has been invited")
    head.menu("API clients")
    head.follow("New API client")
    head.fill({"Name": "Night batch"})
    head.press("Make the client")
    secret = head.main.locator("[data-secret]").inner_text()
    assert len(secret) > 20
    head.check_access()
    head.follow("I have copied it")
    head.says("Night batch").hides(secret)


def test_a_collector(someone):
    collector = someone("collector")
    collector.menu("Loans")
    collector.check_access()
    collector.follow(LOAN)
    reference = LOAN.search(collector.main.locator("h1").inner_text()).group()
    collector.check_access()
    collector.follow("Log a contact")
    collector.fill({"Outcome": "Promised to pay", "Note": "Will pay on Friday"})
    collector.press("Log the contact")
    collector.says("The contact is logged.")
    collector.follow("Log a promise")
    collector.fill({"Amount promised": "25.00", "To be paid by": "2026-11-27"})
    collector.press("Log the promise")
    collector.says("The promise is logged.", "$25.00")
    collector.follow("Reveal Phone")
    collector.fill({"Why do you need it": "To call about the promise"})
    collector.press("Reveal")
    collector.follow("Report a payment")
    row = collector.main.locator("tbody tr").first
    expect(row.locator("[name$=loan_reference]")).to_have_value(reference)
    row.locator("[name$=-reference]").fill("BT-1")
    row.locator("[name$=amount]").fill("25.00")
    collector.press("Report the payments")
    collector.says("1 payment reported.", "BT-1").check_access()


def test_the_keyboard_alone_logs_in(someone, demonstration):
    visitor = someone()
    visitor.open("/")
    visitor.tab_to("Log in")
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url("**/accounts/login/")
    for words in (demonstration.people["auditor"], demonstration.password):
        visitor.tab_to()
        visitor.page.keyboard.type(words)
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url(f"{demonstration.url}/")
    visitor.look()
    visitor.says("What to do now")


def test_another_language_keeps_the_page(someone):
    auditor = someone("auditor")
    auditor.open("/audit/?subject=panel")
    auditor.page.locator(".topbar-end summary").click()
    auditor.press("中文", within=".topbar-end")
    expect(auditor.page.locator("html")).to_have_attribute("lang", "zh-hans")
    assert auditor.page.url.endswith("/audit/?subject=panel")


def test_a_vendor_manager_awards_what_has_closed(someone, demonstration):
    demonstration.clock.advance(days=5)
    try:
        manager = someone("vendor_manager")
        manager.follow("1 closed listing to award")
        manager.follow(OPEN_LISTING)
        for share in manager.main.get_by_label(re.compile("Blue Heron|Meridian")).all():
            share.fill("50")
        manager.check_access()
        manager.fill({"Reason": "The best rates of those with room"})
        manager.main.get_by_label(re.compile("type")).fill(OPEN_LISTING)
        manager.press("Award and place the lots")
        manager.says("is awarded: the lots are drawn and placed.", "The lots are alike")
        manager.check_access()
    finally:
        demonstration.clock.set(portal.NOON)


def test_bank_and_agency_go_through_a_recall_in_two_steps(someone):
    agency, manager = someone("agency_administrator"), someone("vendor_manager")
    agency.menu("Placements")
    agency.follow("Personal loans, vintage 2023 B")
    place = urlsplit(agency.page.url).path
    agency.follow(re.compile("^Loans in it now"))
    references = sorted(set(LOAN.findall(agency.main.inner_text())))[:10]

    manager.open(place)
    manager.follow("Announce a recall")
    manager.check_access()
    manager.fill({"References of the loans": "\n".join([*references, "PX-00000"])})
    with manager.refusal():
        manager.press("Show what would happen")
    manager.fill({"Reason": REASON})
    manager.press("Show what would happen")
    manager.says("What would happen", "Not in this placement now").check_access()
    manager.press("Carry it out")
    manager.says("The recall is announced.", "Goes back").check_access()
    going = manager.main.get_by_role("row").filter(has_text="Goes back").first
    reference = LOAN.search(going.inner_text()).group()

    agency.menu("Worklist")
    agency.follow(re.compile("^Recall to object to"))
    agency.says(reference).check_access()
    agency.open(place)
    agency.follow("See the recall")
    agency.follow("Object")
    agency.fill(
        {"References of the loans": reference, "Because": "A visit is booked", "Note": "Friday"}
    )
    agency.check_access()
    agency.press("Send the objection")
    agency.says("The bank reads your objection for 1 loan.")

    manager.menu("Placement board")
    manager.check_access()
    manager.follow(reference)
    manager.fill({"Accept: the loan stays": True, "Reason": REASON})
    manager.check_access()
    manager.press("Decide")
    manager.says("It is decided")
    agency.menu("Changes")
    agency.says("Objection accepted", reference).check_access()
    agency.open(place)
    agency.follow("Return loans")
    agency.check_access()


def test_a_vendor_manager_holds_many_loans_and_changes_the_rules(someone):
    manager = someone("vendor_manager")
    manager.open("/loans/?reference=PA-")
    references = sorted(set(LOAN.findall(manager.main.inner_text())))[:3]
    manager.menu("Holds")
    manager.check_access()
    manager.follow("Put many on hold")
    manager.fill(
        {
            "References of the loans": "\n".join(references),
            "Because of": "Moratorium",
            "Reason": REASON,
        }
    )
    manager.press("Show what would happen")
    manager.says("Loans taken").check_access()
    manager.press("Put them on hold")
    manager.says("3 loans are on hold.")
    manager.menu("Placement rules")
    manager.check_access()
    manager.fill({"Largest share of the placed loans": "40", "Reason": REASON})
    manager.press("Change the rules")
    manager.says("The rules are changed.")
