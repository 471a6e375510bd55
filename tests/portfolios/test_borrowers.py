"""Looking up who owes by a whole number: who may, what is found, and what is kept of it."""

import io

import pytest
from django.db import connection

from agencies.models import AuditEntry
from agencies.scope import scope
from config import encryption, errors
from portfolios.mappings import MAPPINGS
from portfolios.models import Borrower, Loan
from portfolios.services import borrowers, import_files
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

HEADER = "loan_reference,borrower_name,phone,national_id,balance,rate,opened_on"
ROWS = (
    "A-1,María López,+1 (212) 555-0111,110101199001011237,1200.50,18.5,2024-03-01",
    "A-2,María López,+1 212 555 0112,1101 0119 9001 0112 37,10.00,18.5,2024-03-01",
    "A-3,王小明,+1 212 555 0111,,20.00,18.5,2024-03-01",
    "A-4,,,,30.00,18.5,2024-03-01",
)
MARIA = "110101-19900101-1237"


def read_in(bank: world.Bank, *rows: str):
    portfolio = world.make_portfolio(bank, balances_minor=[])
    with scope(bank.actor("vendor_manager")) as actor:
        import_files.run(
            actor=actor,
            portfolio_id=portfolio.pk,
            file_name="loans.csv",
            file=io.BytesIO("\n".join([HEADER, *rows]).encode()),
            mapping=MAPPINGS["standard"],
            policy="all_or_nothing",
        )
    return portfolio


def look_up(bank: world.Bank, field: str, value: str) -> list[str]:
    with scope(bank.actor("compliance_officer")) as actor:
        found = borrowers.look_up(actor=actor, field=field, value=value, reason="They called us")
        return [loan.reference for loan in found]


def test_a_person_is_found_by_a_number_however_it_is_written():
    bank, rival = world.make_bank(), world.make_bank()
    for one in (bank, rival):
        read_in(one, *ROWS)
    assert look_up(bank, "national_id", MARIA) == ["A-1", "A-2"]
    assert look_up(bank, "phone", "+12125550111") == ["A-1", "A-2", "A-3"]
    assert look_up(bank, "phone", "１２１２ ５５５ ０１１１") == ["A-1", "A-2", "A-3"]
    for nothing in ("+1212555011", "2125550111", MARIA):
        assert look_up(bank, "phone", nothing) == []
    with scope(bank.actor("auditor")):
        assert Borrower.objects.count() == 2
        assert Loan.objects.filter(institution=bank.institution).count() == 4


def test_the_next_file_finds_the_person_it_knows():
    bank = world.make_bank()
    read_in(bank, *ROWS)
    read_in(bank, f"B-1,Maria Lopez,,{MARIA},5.00,18.5,2024-03-01")
    assert look_up(bank, "national_id", MARIA) == ["A-1", "A-2", "B-1"]
    with scope(bank.actor("auditor")):
        maria = Borrower.objects.get(loans__reference="B-1")
        assert encryption.reveal(maria, "name") == "María López"


def test_what_was_looked_for_is_audited_by_its_digest_alone():
    bank = world.make_bank()
    read_in(bank, *ROWS)
    look_up(bank, "phone", "+12125550111")
    digest = encryption.blind_index("12125550111", field="phone", owner=bank.institution.pk)
    with scope(bank.actor("auditor")):
        entry = AuditEntry.objects.get(action="borrower.look_up")
        assert (entry.reason, entry.object_id) == ("They called us", bank.institution.pk)
        assert entry.changes == {"field": "phone", "digest": digest.hex(), "loans": 3}
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(*) from agencies_auditentry as entry"
                " where entry::text like '%%5550111%%'"
            )
            assert cursor.fetchone()[0] == 0


def test_it_is_refused_to_others_and_without_a_reason_or_a_number():
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    world.place(bank, house, read_in(bank, *ROWS))
    given = {"field": "phone", "value": "+12125550111", "reason": "They called us"}
    for other in (house.actor(), *(bank.actor(r) for r in ("auditor", "finance_preparer"))):
        with scope(other) as actor, pytest.raises(errors.NotAllowed):
            borrowers.look_up(actor=actor, **given)
    with scope(bank.actor("vendor_manager")) as actor:
        for wrong, field in (
            ({"field": "name"}, "field"),
            ({"reason": " "}, "reason"),
            ({"value": " - "}, "value"),
            ({"value": "1" * 201}, "value"),
        ):
            with pytest.raises(errors.InvalidInput) as refused:
                borrowers.look_up(actor=actor, **given | wrong)
            assert refused.value.field == field
    with scope(bank.actor("auditor")):
        assert not AuditEntry.objects.filter(action="borrower.look_up").exists()


def test_the_page_shows_loans_with_masked_fields_and_no_number_in_an_address():
    bank, rival = world.make_bank(), world.make_bank()
    read_in(bank, *ROWS)
    officer = over_http.person(bank, "compliance_officer")
    assert "Look up a borrower" in officer.get("/loans/").content.decode()
    assert "They called" not in officer.get("/borrowers/look-up/").content.decode()
    given = {"field": "national_id", "value": MARIA, "reason": "They called us"}
    answer = officer.post("/borrowers/look-up/", given)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert all(reference in page for reference in ("A-1", "A-2", "M••• L•••", "••• 1237"))
    assert not any(hidden in page for hidden in ("A-3", "María", "5550111"))
    assert answer.headers["Cache-Control"] == "no-store"
    # Given in an address it is not looked at.
    assert "A-1" not in officer.get("/borrowers/look-up/", given).content.decode()
    nobody = officer.post("/borrowers/look-up/", given | {"value": "1"}).content.decode()
    assert "Nobody is known by this number" in nobody
    assert officer.post("/borrowers/look-up/", given | {"reason": ""}).status_code == 422
    stranger = over_http.person(rival, "compliance_officer")
    assert "A-1" not in stranger.post("/borrowers/look-up/", given).content.decode()


def test_over_graphql():
    bank = world.make_bank()
    read_in(bank, *ROWS)
    manager = over_http.person(bank, "vendor_manager")
    wanted = "loans { reference borrower { name nationalId } }"
    given = {"field": "national_id", "value": MARIA, "reason": "They called us"}
    masked = {"name": "M••• L•••", "nationalId": "••• 1237"}
    assert over_http.do(manager, "borrowerLookUp", wanted, **given) == {
        "loans": [
            {"reference": "A-1", "borrower": masked},
            {"reference": "A-2", "borrower": masked},
        ],
        "errors": [],
    }
    refused = over_http.do(manager, "borrowerLookUp", wanted, **given | {"reason": ""})
    assert refused["errors"][0]["field"] == "reason"
    assert refused["loans"] is None
