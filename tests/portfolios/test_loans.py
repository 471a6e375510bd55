"""Loans: who sees which, masked fields, and one field revealed for a reason."""

import pytest

from agencies.models import AuditEntry, Denial
from agencies.scope import scope
from config import errors
from portfolios import masks
from portfolios.models import Borrower, Loan
from portfolios.services import loans
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

ALL = "{ loans(first: 50) { totalCount edges { node { reference borrower { name phone } } } } }"
ONE = "query($id: ID!) { loan(id: $id) { reference } }"
BY_REFERENCE = (
    "query($reference: String!, $institution: String) {"
    " loanByReference(reference: $reference, institution: $institution) { id } }"
)


def loan_of(bank, **where) -> Loan:
    with scope(bank.actor("vendor_manager")):
        return Loan.objects.filter(**where).order_by("reference").first()


@pytest.mark.parametrize(
    ("field", "text", "shown"),
    [
        ("name", "María López", "M••• L•••"),
        ("name", "王小明", "王•••"),
        ("phone", "+1 212 555 0100", "••• 100"),
        ("phone", "13800001234", "••• 234"),
        ("phone", "110", "••• 0"),
        ("phone", "7", "•••"),
        ("email", "maria@example.com", "m•••@•••.com"),
        ("email", "not an address", "n•••@•••"),
        ("address", "1 Main St", "•••"),
        ("national_id", "110101199001011237", "••• 1237"),
        ("national_id", "", ""),
        ("name", "  ", ""),
    ],
)
def test_masks(field, text, shown):
    assert masks.masked(field, text) == shown


def test_an_agency_lists_its_own_loans_masked(bank, house, placement):
    world.make_portfolio(bank, balances_minor=[300_00])
    listed = over_http.ask(over_http.machine(house), ALL)["loans"]
    assert listed["totalCount"] == 2
    nodes = [edge["node"] for edge in listed["edges"]]
    own = loan_of(bank, placement=placement)
    number = own.reference.split("-")[1]
    assert [node["reference"] for node in nodes] == [f"L-{number}-1", f"L-{number}-2"]
    assert nodes[0]["borrower"] == {"name": f"B••• {number[0]}•••", "phone": "••• 100"}


def test_a_rivals_loan_reads_like_none_at_all(bank, house, placement):
    rival = world.make_agency()
    world.join_panel(bank, rival)
    client = over_http.machine(rival)
    own = loan_of(bank, placement=placement)
    absent = "01990000-0000-7000-8000-000000000000"
    answers = [over_http.ask(client, ONE, id=pk) for pk in (own.pk, absent, "nonsense")]
    assert answers == [{"loan": None}] * 3
    assert over_http.ask(client, BY_REFERENCE, reference=own.reference) == {"loanByReference": None}
    assert over_http.ask(client, ALL)["loans"]["totalCount"] == 0
    with scope(rival.actor()):
        assert not Loan.objects.exists()
        assert not Borrower.objects.exists()
        assert Denial.objects.filter(operation="Query.loan", code="NOT_FOUND").count() == 3


def test_a_reference_that_two_banks_use(bank, house, placement):
    second = world.make_bank()
    world.join_panel(second, house)
    world.place(second, house, world.make_portfolio(second, balances_minor=[700_00]))
    with scope(second.actor("vendor_manager")):
        Loan.objects.update(reference="SAME")
    own = loan_of(bank, placement=placement)
    with scope(bank.actor("vendor_manager")):
        Loan.objects.filter(pk=own.pk).update(reference="SAME")
    with scope(house.actor()) as actor, pytest.raises(errors.InvalidInput, match="AMBIGUOUS_LOAN"):
        loans.find_by_reference(actor=actor, reference="SAME")
    client = over_http.machine(house)
    found = over_http.ask(client, BY_REFERENCE, reference="SAME", institution=bank.institution.slug)
    assert found == {"loanByReference": {"id": str(own.pk)}}


def test_a_field_is_revealed_with_a_reason_and_both_sides_see_who_did(bank, house, placement):
    own = loan_of(bank, placement=placement)
    given = {"loanId": own.pk, "field": "phone", "reason": "Call back as agreed"}
    answer = over_http.do(over_http.machine(house), "borrowerReveal", "value", **given)
    assert answer == {"value": "+12125550100", "errors": []}
    for actor in (house.actor(), bank.actor("auditor")):
        with scope(actor):
            entry = AuditEntry.objects.get(action="borrower.reveal")
            assert (entry.object_id, entry.actor_label) == (own.pk, "Dialler")
            assert (entry.reason, entry.changes) == ("Call back as agreed", {"field": "phone"})
            assert entry.placement_id == placement.pk


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"reason": "  "}, "REQUIRED", "reason"),
        ({"reason": "x" * 2001}, "TOO_LONG", "reason"),
        ({"field": "password"}, "UNKNOWN_FIELD", "field"),
        ({"loanId": "01990000-0000-7000-8000-000000000000"}, "NOT_FOUND", None),
    ],
)
def test_nothing_is_revealed_without_a_reason(bank, house, placement, change, code, field):
    own = loan_of(bank, placement=placement)
    given = {"loanId": own.pk, "field": "phone", "reason": "Call back"} | change
    answer = over_http.do(over_http.machine(house), "borrowerReveal", "value", **given)
    assert answer["value"] is None
    assert [(error["code"], error["field"]) for error in answer["errors"]] == [(code, field)]
    with scope(bank.actor("auditor")):
        assert not AuditEntry.objects.filter(action="borrower.reveal").exists()


def test_roles_that_have_no_business_with_borrowers_reveal_nothing(bank, placement):
    own = loan_of(bank, placement=placement)
    for role in ("auditor", "finance_preparer", "administrator"):
        with scope(bank.actor(role)) as actor, pytest.raises(errors.NotAllowed):
            loans.reveal(actor=actor, loan_id=own.pk, field="name", reason="Curious")
    with scope(bank.actor("compliance_officer")) as actor:
        name = loans.reveal(actor=actor, loan_id=own.pk, field="name", reason="Complaint")
        assert name.startswith("Borrower ")
    # What the bank looks at is not the agency's to know.
    with scope(bank.actor("auditor")):
        assert AuditEntry.objects.get(action="borrower.reveal").agency_id is None


def test_a_loan_of_which_no_borrower_is_known(bank, house, placement):
    own = loan_of(bank, placement=placement)
    with scope(bank.actor("vendor_manager")):
        Loan.objects.filter(pk=own.pk).update(borrower=None)
    assert set(loans.masked_fields(None).values()) == {""}
    given = {"loanId": own.pk, "field": "name", "reason": "Call back"}
    answer = over_http.do(over_http.machine(house), "borrowerReveal", "value", **given)
    assert answer["errors"][0]["code"] == "NOT_FOUND"


def test_pages_show_masked_fields_and_reveal_one_in_the_answer_alone(bank, house, placement):
    own = loan_of(bank, placement=placement)
    client = over_http.person(house, "collector")
    page = client.get(f"/loans/{own.pk}/")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "••• 100" in page.content.decode()
    assert "+12125550100" not in page.content.decode()
    reveal = f"/loans/{own.pk}/reveal/phone/"
    assert "+12125550100" not in client.get(reveal).content.decode()
    refused = client.post(reveal, {"reason": ""})
    assert refused.status_code == 422
    assert "+12125550100" not in refused.content.decode()
    shown = client.post(reveal, {"reason": "Call back as agreed"})
    assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "no-store")
    assert "+12125550100" in shown.content.decode()
    assert "+12125550100" not in client.get(f"/loans/{own.pk}/").content.decode()
    assert client.get(f"/loans/{own.pk}/reveal/password/").status_code == 404
    with scope(bank.actor("auditor")):
        assert AuditEntry.objects.filter(action="borrower.reveal").count() == 1


def test_the_list_shows_ones_own_and_filters_by_address(bank, house, placement):
    world.make_portfolio(bank, balances_minor=[300_00])
    own = loan_of(bank, placement=placement)
    with scope(bank.actor("vendor_manager")):
        Loan.objects.filter(pk=own.pk).update(region="TX")
    client = over_http.person(house, "collector")
    assert "2 rows" in client.get("/loans/").content.decode()
    found = client.get("/loans/?region=tx").content.decode()
    assert "1 row" in found
    assert own.reference in found
    assert "Nothing matches" in client.get("/loans/?reference=zzz").content.decode()
    assert "3 rows" in over_http.person(bank, "auditor").get("/loans/").content.decode()
    rival = over_http.person(world.make_agency(), "collector")
    assert "No loans" in rival.get("/loans/").content.decode()
    gone, absent = (
        rival.get(f"/loans/{pk}/") for pk in (own.pk, "01990000-0000-7000-8000-000000000000")
    )
    assert gone.status_code == absent.status_code == 404
    assert gone.content == absent.content
