"""Loan imports: the real file as it is, every way in which one can be wrong, and what is left."""

import csv
import datetime
import io
from pathlib import Path

import pytest
from django.db import connection

from agencies.models import AuditEntry
from agencies.scope import scope
from config import encryption, errors
from portfolios.mappings import MAPPINGS, Mapping
from portfolios.models import (
    Borrower,
    ImportProblem,
    Loan,
    LoanFilePart,
    LoanImport,
    Portfolio,
)
from portfolios.services import (
    control_totals,
    import_files,
    import_runs,
    imports,
    loan_mappings,
)
from portfolios.services import portfolios as portfolio_services
from tests import world
from tests.portfolios.importing import (
    BAD,
    BAD_FOUND,
    GOOD,
    HEADER,
    assert_nothing_there,
    draft,
    file_of,
    left_out,
    receive,
    run,
)

pytestmark = pytest.mark.django_db

REAL_FILE = Path(__file__).parents[3] / "shared/data/loans/lendingclub_charged_off.csv"
REAL_ROWS = 6_431
REAL_BALANCE_MINOR = 4_874_126_227  # funded minus received principal, summed with Python's decimal
needs_real_file = pytest.mark.skipif(
    not REAL_FILE.exists(), reason="../shared/data is not beside this project"
)


@needs_real_file
def test_the_real_file_imports_as_it_is(clock):
    clock.set(datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC))
    bank = world.make_bank()
    portfolio = draft(bank)
    content = REAL_FILE.read_bytes()
    with scope(bank.actor("vendor_manager")) as actor:
        # Without a mapping the built-in one is found by the header.
        made = run(actor, portfolio, content, mapping=None)
        assert made.mapping_name == "lendingclub"
        assert (made.rows_read, made.rows_imported) == (REAL_ROWS, REAL_ROWS)
        assert made.balance_minor == made.good_minor == REAL_BALANCE_MINOR
        found = portfolio_services.composition(Loan.objects.all())
        assert (found.loan_count, found.balance_minor) == (REAL_ROWS, REAL_BALANCE_MINOR)
        assert not Borrower.objects.exists()
        first = Loan.objects.get(reference="LC000001")
        assert (first.balance_minor, first.rate_ppm, first.currency) == (1_113_70, 77_500, "USD")
        assert (first.region, first.grade, first.product) == ("NC", "A", "personal loan")
        assert first.opened_on == datetime.date(2007, 12, 1)
        assert first.last_payment_on == datetime.date(2009, 6, 1)
        assert first.days_past_due == (datetime.date(2026, 11, 23) - datetime.date(2009, 6, 1)).days


def test_good_rows_are_imported_with_sealed_personal_fields(clock):
    clock.set(datetime.datetime(2026, 11, 23, 3, tzinfo=datetime.UTC))
    bank = world.make_bank(time_zone="America/New_York")
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        made = run(actor, portfolio, file_of(*GOOD))
        assert (made.rows_read, made.rows_imported, made.balance_minor) == (2, 2, 2_000_50)
        first, second = Loan.objects.order_by("reference")
        assert (first.reference, first.balance_minor, first.rate_ppm) == ("A-1", 1_200_50, 185_000)
        assert (first.jurisdiction, first.product) == ("US", "personal loan")
        # In New York it is still the 22nd.
        assert first.days_past_due == 2 + 365
        assert second.days_past_due == (datetime.date(2026, 11, 22) - second.opened_on).days
        assert encryption.reveal(first.borrower, "name") == "María López"
        assert encryption.reveal(second.borrower, "national_id") == "110101199001011237"
        assert encryption.reveal(second.borrower, "email") == ""
        index = encryption.blind_index("13800001234", field="phone", owner=bank.institution.pk)
        assert Borrower.objects.get(phone_index=index) == second.borrower
        with connection.cursor() as cursor:
            cursor.execute("select string_agg(b::text, '') from portfolios_borrower b")
            stored = cursor.fetchone()[0]
        assert "María".encode().hex() not in stored
        entry = AuditEntry.objects.get(action="loans.import")
        assert entry.object_id == made.pk
        assert entry.changes["rows_imported"] == 2
        # The file itself is not needed any more.
        assert not LoanFilePart.objects.exists()


def test_one_person_has_one_borrower_whatever_the_file_and_the_bank():
    bank, rival = world.make_bank(), world.make_bank()
    header = "loan_reference,customer,national_id,borrower_name,balance,opened_on"
    mapping = {
        "name": "customers",
        "columns": {
            "reference": "loan_reference",
            "customer_reference": "customer",
            "national_id": "national_id",
            "borrower_name": "borrower_name",
            "balance": "balance",
            "opened_on": "opened_on",
        },
    }

    def take(house, name, *rows):
        portfolio = draft(house, name)
        with scope(house.actor("vendor_manager")) as actor:
            import_files.run(
                actor=actor,
                portfolio_id=portfolio.pk,
                file_name=name,
                file=io.BytesIO(file_of(*rows, header=header)),
                mapping=Mapping.from_dict(mapping),
                policy="all_or_nothing",
            )

    take(bank, "one", "P-1,K1,,Ann,10,2024-01-01", "P-2,,X-9,Bea,10,2024-01-01")
    take(bank, "two", "P-3,K1,y 8,Ann,10,2024-01-01", "P-4,K2,x9,Bea,10,2024-01-01")
    take(bank, "three", "P-5,K2,,Bea,10,2024-01-01", "P-6,,Y8,Ann,10,2024-01-01")
    take(rival, "four", "P-1,K1,Y8,Ann,10,2024-01-01")
    with scope(bank.actor("vendor_manager")):
        owes = dict(Loan.objects.values_list("reference", "borrower_id"))
        assert owes["P-1"] == owes["P-3"] == owes["P-6"]
        assert owes["P-2"] == owes["P-4"] == owes["P-5"]
        assert Borrower.objects.count() == 2
        ann = Borrower.objects.get(pk=owes["P-1"])
        assert (ann.reference, encryption.reveal(ann, "national_id")) == ("K1", "y 8")
    with scope(rival.actor("vendor_manager")):
        assert Borrower.objects.get().pk != owes["P-1"]


def test_all_or_nothing_leaves_nothing():
    bank = world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        with pytest.raises(errors.InvalidInput) as refused:
            run(actor, portfolio, file_of(*GOOD, *BAD))
        assert (refused.value.code, refused.value.row) == ("BAD_ROWS", 4)
        assert_nothing_there()


def test_good_rows_only_keeps_the_others_out_and_says_why():
    bank = world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        made = run(actor, portfolio, file_of(*GOOD, *BAD), policy="good_rows_only")
        assert (made.rows_read, made.rows_imported, made.balance_minor) == (7, 2, 2_000_50)
        assert sorted(Loan.objects.values_list("reference", flat=True)) == ["A-1", "A-2"]
        problems = ImportProblem.objects.filter(is_warning=False).order_by("row")
        assert list(problems.values_list("row", "column", "value", "code")) == BAD_FOUND
        assert all(problem.message for problem in problems)
        rows = list(csv.reader(io.StringIO(left_out(actor, made))))
        assert rows[0] == [*HEADER.split(","), "error"]
        assert [row[0] for row in rows[1:]] == ["A-3", "A-4", "A-5", "A-1", "A-6"]
        assert rows[1][12].startswith("balance: ")
        # Nothing personal is stored in clear.
        with connection.cursor() as cursor:
            cursor.execute("select string_agg(p::text, '') from portfolios_loanfilepart p")
            assert b"Nobody".hex() not in cursor.fetchone()[0]


def test_the_rejected_rows_can_be_put_right_and_imported():
    bank = world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        made = run(actor, portfolio, file_of(*GOOD, *BAD[:2]), policy="good_rows_only")
        text = left_out(actor, made)
        fixed = text.replace("-5.00", "5.00").replace("12.345", "12.34").encode()
        again = run(actor, portfolio, fixed)
        assert (again.rows_read, again.rows_imported, again.balance_minor) == (2, 2, 17_34)
        assert Loan.objects.count() == 4


def test_a_file_with_no_good_row_imports_nothing_under_either_policy():
    bank = world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        for policy in imports.Policy.values:
            with pytest.raises(errors.InvalidInput, match="BAD_ROWS"):
                run(actor, portfolio, file_of(*BAD[:3]), policy=policy)
        assert_nothing_there()


def test_a_loan_that_is_there_already_is_a_bad_row():
    bank = world.make_bank()
    portfolio, other = draft(bank), draft(bank, "Other")
    with scope(bank.actor("vendor_manager")) as actor:
        run(actor, portfolio, file_of(GOOD[0]))
        made = run(actor, other, file_of(*GOOD), policy="good_rows_only")
        assert made.rows_imported == 1
        problem = ImportProblem.objects.get()
        assert (problem.row, problem.column, problem.value, problem.code) == (
            2,
            "loan_reference",
            "A-1",
            "ALREADY_THERE",
        )
        assert Loan.objects.get(reference="A-1").portfolio == portfolio


def test_a_reference_that_was_taken_since_the_check_stops_all_or_nothing():
    bank = world.make_bank()
    portfolio, other = draft(bank), draft(bank, "Other")
    with scope(bank.actor("vendor_manager")) as actor:
        made = receive(actor, portfolio, file_of(*GOOD))
        imports.choose_mapping(actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"])
        import_runs.move_on(actor=actor)
        imports.decide(actor=actor, import_id=made.pk, policy="all_or_nothing")
        Portfolio.objects.filter(pk=made.portfolio_id).update(state="draft")
        LoanImport.objects.filter(pk=made.pk).update(state="checked")
        run(actor, other, file_of(GOOD[1]))
        LoanImport.objects.filter(pk=made.pk).update(state="importing")
        import_runs.move_on(actor=actor)
        made.refresh_from_db()
        assert (made.state, made.failure_code, made.rows_imported) == ("cancelled", "BAD_ROWS", 0)
        assert list(Loan.objects.values_list("reference", "portfolio")) == [("A-2", other.pk)]
        assert Borrower.objects.count() == 1


def test_the_same_file_again_is_refused_with_the_first_import():
    bank, rival = world.make_bank(), world.make_bank()
    portfolio, other = draft(bank), draft(bank, "Other")
    with scope(bank.actor("vendor_manager")) as actor:
        first = run(actor, portfolio, file_of(*GOOD))
        for call in (run, receive):
            with pytest.raises(errors.InvalidInput) as refused:
                call(actor, other, file_of(*GOOD))
            assert (refused.value.code, refused.value.field) == ("SAME_FILE", "file")
            assert str(first.pk) in str(refused.value.message)
            assert portfolio.name in str(refused.value.message)
        assert LoanImport.objects.count() == 1
        assert Loan.objects.count() == 2
    # Another bank's file is its own matter, and so are its references.
    with scope(rival.actor("vendor_manager")) as actor:
        assert run(actor, draft(rival), file_of(*GOOD)).rows_imported == 2


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [
        (b"", "EMPTY_FILE", None),
        (HEADER.encode() + b"\n", "NO_ROWS", None),
        (file_of(*GOOD, header=HEADER.replace("balance", "Balance")), "MISSING_COLUMNS", None),
        (file_of(*GOOD, header=HEADER.replace("phone", "email")), "DUPLICATE_COLUMNS", 1),
        (file_of('A-1,"María'), "UNREADABLE_FILE", 2),
        (b"PK\x03\x04\x00\x00" * 20, "UNREADABLE_FILE", 1),
    ],
)
def test_a_file_that_cannot_be_read_changes_nothing(content, code, row):
    bank = world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        for policy in imports.Policy.values:
            with pytest.raises(errors.InvalidInput) as refused:
                run(actor, portfolio, content, policy=policy)
            assert refused.value.code == code
            assert refused.value.row in (row, None)
        assert_nothing_there()


def test_a_mapping_that_is_unknown_or_of_another_currency():
    bank = world.make_bank()
    portfolio = draft(bank, currency="EUR")
    with scope(bank.actor("vendor_manager")) as actor:
        with pytest.raises(errors.InvalidInput, match="UNKNOWN_MAPPING"):
            loan_mappings.called(actor, "../standard", "loans")
        columns = ",".join(MAPPINGS["lendingclub"].required_columns())
        with pytest.raises(errors.InvalidInput, match="WRONG_CURRENCY"):
            run(actor, portfolio, f"{columns}\n".encode(), mapping="lendingclub")
        with pytest.raises(errors.InvalidInput, match="UNKNOWN_POLICY"):
            run(actor, portfolio, file_of(*GOOD), policy="whatever")
        assert_nothing_there()


def test_control_totals_must_match():
    bank = world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        for totals in (control_totals.Totals(3, None), control_totals.Totals(2, 2_000_51)):
            with pytest.raises(errors.InvalidInput, match="TOTALS_DIFFER"):
                run(actor, portfolio, file_of(*GOOD), totals=totals)
            assert_nothing_there()
        with pytest.raises(errors.InvalidInput, match="TOTALS_DIFFER"):
            run(actor, portfolio, file_of(*GOOD, "TOTAL,2,2000.51"))
        assert_nothing_there()
        # Its sender's totals and those of its last row must both be right.
        with pytest.raises(errors.InvalidInput, match="TOTALS_DIFFER"):
            run(
                actor,
                portfolio,
                file_of(*GOOD, "TOTAL,2,2000.50"),
                totals=control_totals.Totals(3, None),
            )
        assert_nothing_there()
        # What is wrong in a row is counted too: the sender counted it.
        made = run(
            actor,
            portfolio,
            file_of(*GOOD, BAD[2], "TOTAL,3,2012.50"),
            policy="good_rows_only",
            totals=control_totals.Totals(3, 2_012_50),
        )
        assert (made.rows_read, made.rows_imported) == (3, 2)


def test_only_a_draft_of_ones_own_takes_loans():
    bank, rival, house = world.make_bank(), world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    placed = world.make_portfolio(bank, balances_minor=[100_00])
    with scope(bank.actor("vendor_manager")) as actor:
        Portfolio.objects.filter(pk=placed.pk).update(state="listed")
        with pytest.raises(errors.InvalidState, match="NOT_DRAFT"):
            run(actor, placed, file_of(*GOOD))
        assert Loan.objects.count() == 1
    portfolio = draft(bank)
    with scope(rival.actor("vendor_manager")) as actor, pytest.raises(errors.NotFound):
        run(actor, portfolio, file_of(*GOOD))
    for outsider in (bank.actor("auditor"), house.actor()):
        with scope(outsider) as actor, pytest.raises(errors.NotAllowed):
            receive(actor, portfolio, file_of(*GOOD))
    with scope(bank.actor("vendor_manager")):
        assert Loan.objects.count() == 1
