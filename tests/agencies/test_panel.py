"""The panel: application, decision, suspension, and documents that stay where they belong."""

import base64

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from agencies.models import AuditEntry, Denial, PanelMembership, VettingDocument
from agencies.scope import scope
from portfolios.models import Loan
from tests import world
from tests.agencies import over_http

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\nlicence"
ABSENT = "0192f0e0-0000-7000-8000-000000000000"
FIELDS = {"licence_number": "NY-1234", "jurisdictions": "us-ny, US-NJ", "capacity_loans": "500"}


@pytest.fixture
def bank():
    return world.make_bank("First Bank")


@pytest.fixture
def house():
    return world.make_agency("Northern Recoveries")


def apply(house, bank, **fields):
    browser = over_http.log_in(house.users["agency_administrator"])
    return browser.post(f"/institutions/{bank.institution.pk}/apply/", FIELDS | fields)


def membership_of(house) -> PanelMembership:
    with scope(house.actor()):
        return PanelMembership.objects.get()


def decide(bank, membership, decision, reason="Checked the documents", role="compliance_officer"):
    browser = over_http.log_in(bank.users[role])
    return browser.post(f"/panel/{membership.pk}/{decision}/", {"reason": reason})


def pdf(name="licence.pdf", content=PDF, content_type="application/pdf"):
    return SimpleUploadedFile(name, content, content_type)


def test_an_agency_applies_and_is_admitted(bank, house):
    answer = apply(house, bank, documents=[pdf(), pdf("insurance.pdf")])
    membership = membership_of(house)
    assert (answer.status_code, answer.url) == (302, f"/panel/{membership.pk}/")
    assert membership.state == "applied"
    assert membership.jurisdictions == ["US-NY", "US-NJ"]
    assert membership.capacity_loans == 500

    officer = over_http.log_in(bank.users["compliance_officer"])
    assert "application to decide" in officer.get("/").content.decode()
    listed = officer.get("/panel/?state=applied").content.decode()
    assert "Northern Recoveries" in listed
    assert "Nothing matches" in officer.get("/panel/?state=rejected").content.decode()
    short = officer.post(f"/panel/{membership.pk}/approve/", {"reason": ""})
    assert short.status_code == 422
    assert membership_of(house).state == "applied"
    assert decide(bank, membership, "approve").status_code == 302
    approved = membership_of(house)
    assert (approved.state, approved.reason) == ("approved", "Checked the documents")
    assert approved.decided_by_id == bank.users["compliance_officer"].pk

    page = over_http.log_in(house.users["agency_administrator"]).get(f"/panel/{membership.pk}/")
    text = page.content.decode()
    assert "Checked the documents" in text
    assert "admitted the agency to the panel" in text
    assert "Approve the agency" not in text
    with scope(bank.actor("auditor")):
        entries = AuditEntry.objects.order_by("pk").values_list("action", "reason", "changes")
        assert list(entries) == [
            ("panel.apply", "", {"documents": 2, "licence_number": "NY-1234"}),
            ("panel.approve", "Checked the documents", {"state": "approved"}),
        ]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"licence_number": " "}, "licence_number"),
        ({"jurisdictions": " , "}, "jurisdictions"),
        ({"jurisdictions": "New York"}, "jurisdictions"),
        ({"capacity_loans": "0"}, "capacity_loans"),
        ({"capacity_loans": "-5"}, "capacity_loans"),
        ({"capacity_loans": "many"}, "capacity_loans"),
        ({"documents": [pdf(content=b"<html>", content_type="text/html")]}, "documents"),
        ({"documents": [pdf(content=b"<html>")]}, "documents"),
        ({"documents": [pdf(content=PDF + b"0" * 5 * 1024 * 1024)]}, "documents"),
        ({"documents": [pdf(f"{number}.pdf") for number in range(11)]}, "documents"),
    ],
)
def test_an_application_that_cannot_be_accepted_changes_nothing(bank, house, fields, field):
    for document in fields.get("documents", []):
        document.seek(0)
    answer = apply(house, bank, **fields)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    if field != "licence_number":
        assert 'value="NY-1234"' in answer.content.decode(), "what was typed is kept"
    with scope(house.actor()):
        assert PanelMembership.objects.count() == VettingDocument.objects.count() == 0
        assert AuditEntry.objects.count() == 0


def test_nobody_applies_twice_and_the_rejected_may_again(bank, house):
    assert apply(house, bank).status_code == 302
    twice = apply(house, bank)
    assert twice.status_code == 422
    assert "already applied" in twice.content.decode()
    membership = membership_of(house)
    assert decide(bank, membership, "reject", "The licence has run out").status_code == 302
    assert apply(house, bank, licence_number="NY-9999").status_code == 302
    again = membership_of(house)
    assert (again.pk, again.state, again.licence_number) == (membership.pk, "applied", "NY-9999")
    assert (again.reason, again.decided_by_id) == ("", None)


def test_decisions_come_in_order(bank, house):
    apply(house, bank)
    membership = membership_of(house)
    for decision in ("suspend", "reinstate"):
        assert decide(bank, membership, decision).status_code == 422
    assert decide(bank, membership, "approve").status_code == 302
    for decision in ("approve", "reject", "reinstate"):
        assert decide(bank, membership, decision).status_code == 422
    assert membership_of(house).state == "approved"
    assert decide(bank, membership, "delete").status_code == 404


@pytest.mark.parametrize("role", ["administrator", "vendor_manager", "auditor"])
def test_only_compliance_officers_decide(bank, house, role):
    apply(house, bank)
    membership = membership_of(house)
    assert decide(bank, membership, "approve", role=role).status_code == 403
    browser = over_http.log_in(bank.users[role])
    assert "Approve the agency" not in browser.get(f"/panel/{membership.pk}/").content.decode()
    agency = over_http.log_in(house.users["agency_administrator"])
    own = agency.post(f"/panel/{membership.pk}/approve/", {"reason": "We are good"})
    assert own.status_code == 403
    assert membership_of(house).state == "applied"
    with scope(bank.actor("auditor")):
        denied = Denial.objects.values_list("operation", "code", "actor_id")
        assert list(denied) == [("membership_decide", "NOT_ALLOWED", bank.users[role].pk)]
    auditor = over_http.log_in(bank.users["auditor"])
    assert "membership_decide" in auditor.get("/audit/refusals/").content.decode()


def test_suspension_ends_access_at_once_and_reinstating_gives_it_back(bank, house):
    world.join_panel(bank, house)
    world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00, 200_00]))
    machine, secret = over_http.machine(house)
    token = over_http.token(machine, secret)
    loans = "{ loans(first: 10) { totalCount } }"

    def count():
        return over_http.ask(loans, bearer=token).json()["data"]["loans"]["totalCount"]

    assert count() == 2
    membership = membership_of(house)
    assert decide(bank, membership, "suspend", "Complaints pile up").status_code == 302
    assert count() == 0
    with scope(house.actor()):
        assert Loan.objects.count() == 0
    assert decide(bank, membership, "reinstate", "Complaints answered").status_code == 302
    assert count() == 2


def test_another_banks_membership_does_not_exist(bank, house):
    rival_bank, rival = world.make_bank(), world.make_agency()
    apply(house, bank, documents=[pdf()])
    membership = membership_of(house)
    with scope(house.actor()):
        document = VettingDocument.objects.get()
    foreign_people = (
        rival_bank.users["compliance_officer"],
        rival.users["agency_administrator"],
    )
    for stranger in foreign_people:
        browser = over_http.log_in(stranger)
        for kind, key in (("", membership.pk), ("documents/", document.pk)):
            foreign = browser.get(f"/panel/{kind}{key}/")
            missing = browser.get(f"/panel/{kind}{ABSENT}/")
            assert foreign.status_code == missing.status_code == 404
            assert foreign.content == missing.content
            assert foreign.headers.items() == missing.headers.items()
        query = "query($id: ID!) { membership(id: $id) { state } }"
        foreign = over_http.ask(query, {"id": str(membership.pk)}, browser=browser)
        missing = over_http.ask(query, {"id": ABSENT}, browser=browser)
        malformed = over_http.ask(query, {"id": "1"}, browser=browser)
        assert foreign.content == missing.content == malformed.content
        assert foreign.json()["data"] == {"membership": None}
    browser = over_http.log_in(rival_bank.users["compliance_officer"])
    for decision in ("approve", "reject"):
        answer = browser.post(f"/panel/{membership.pk}/{decision}/", {"reason": "Let me in"})
        assert answer.status_code == 404
    assert membership_of(house).state == "applied"
    with scope(rival_bank.actor("auditor")):
        codes = set(Denial.objects.values_list("code", flat=True))
        assert codes == {"NOT_FOUND"}
        assert Denial.objects.filter(operation="document").count() == 2
        assert Denial.objects.filter(operation="Query.membership").count() == 3


def test_documents_are_files_and_never_pages(bank, house):
    apply(house, bank, documents=[pdf("../../licence <1>.pdf")])
    with scope(house.actor()):
        document = VettingDocument.objects.get()
    for reader in (bank.users["auditor"], house.users["agency_administrator"]):
        answer = over_http.log_in(reader).get(f"/panel/documents/{document.pk}/")
        assert (answer.status_code, answer.content) == (200, PDF)
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="licence <1>.pdf"'
        assert answer.headers["Cache-Control"] == "no-store"
    assert (
        over_http.log_in(house.users["collector"])
        .get(f"/panel/documents/{document.pk}/")
        .status_code
        == 403
    )


def test_the_panel_by_graphql(bank, house):
    agency = over_http.log_in(house.users["agency_administrator"])
    found = over_http.ask(
        "{ institutions(first: 10) { edges { node { id name } } } }", browser=agency
    ).json()["data"]["institutions"]["edges"]
    assert [edge["node"]["name"] for edge in found] == ["First Bank"]
    apply_by = """mutation($input: MembershipApplyInput!) { membershipApply(input: $input) {
        membership { id state documents(first: 5) { edges { node { fileName sha256 } } } }
        errors { code field } } }"""
    given = {
        "institutionId": found[0]["node"]["id"],
        "licenceNumber": "NY-1",
        "jurisdictions": ["US-NY"],
        "capacityLoans": 10,
        "documents": [
            {
                "fileName": "licence.pdf",
                "contentType": "application/pdf",
                "contentBase64": base64.b64encode(PDF).decode(),
            }
        ],
    }
    bad = given | {"documents": [given["documents"][0] | {"contentBase64": "???"}]}
    refused = over_http.ask(apply_by, {"input": bad}, browser=agency).json()
    assert refused["data"]["membershipApply"] == {
        "membership": None,
        "errors": [{"code": "BAD_BASE64", "field": "documents.contentBase64"}],
    }
    made = over_http.ask(apply_by, {"input": given}, browser=agency).json()
    membership = made["data"]["membershipApply"]["membership"]
    assert membership["state"] == "APPLIED"
    assert len(membership["documents"]["edges"]) == 1

    officer = over_http.log_in(bank.users["compliance_officer"])
    for operation, state in (
        ("Approve", "APPROVED"),
        ("Suspend", "SUSPENDED"),
        ("Reinstate", "APPROVED"),
    ):
        answer = over_http.ask(
            f"""mutation($input: Membership{operation}Input!) {{
                membership{operation}(input: $input) {{
                    membership {{ state agency {{ name }} decidedBy {{ name }} }}
                    errors {{ code }} }} }}""",
            {"input": {"membershipId": membership["id"], "reason": "As it should be"}},
            browser=officer,
        ).json()
        assert answer["data"][f"membership{operation}"] == {
            "membership": {
                "state": state,
                "agency": {"name": "Northern Recoveries"},
                "decidedBy": {"name": "Compliance officer"},
            },
            "errors": [],
        }
    entries = over_http.ask(
        """query($id: ID!) { auditEntries(first: 10, objectId: $id) {
            edges { node { action reason } } } }""",
        {"id": membership["id"]},
        browser=agency,
    ).json()["data"]["auditEntries"]["edges"]
    assert [edge["node"]["action"] for edge in entries] == [
        "panel.reinstate",
        "panel.suspend",
        "panel.approve",
        "panel.apply",
    ]
