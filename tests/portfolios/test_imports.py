"""Loan imports: the real file as it is, every way in which a file can be wrong, and every step."""

import base64
import csv
import datetime
import hashlib
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection

from agencies.models import AuditEntry
from agencies.scope import scope
from config import encryption, errors
from marketplace.services import listings
from portfolios import tasks
from portfolios.mappings import MAPPINGS, Mapping
from portfolios.models import (
    Borrower,
    ImportProblem,
    Loan,
    LoanFilePart,
    LoanImport,
    LoanMapping,
    Portfolio,
)
from portfolios.services import (
    control_totals,
    import_checks,
    import_chunks,
    import_files,
    import_runs,
    imports,
    loan_mappings,
)
from portfolios.services import portfolios as portfolio_services
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

REAL_FILE = Path(__file__).parents[3] / "shared/data/loans/lendingclub_charged_off.csv"
REAL_ROWS = 6_431
REAL_BALANCE_MINOR = 4_874_126_227  # funded minus received principal, summed with Python's decimal

needs_real_file = pytest.mark.skipif(
    not REAL_FILE.exists(), reason="../shared/data is not beside this project"
)

HEADER = (
    "loan_reference,borrower_name,phone,email,address,national_id,"
    "balance,rate,opened_on,last_payment_on,region,grade"
)
GOOD = (
    'A-1,María López,+1 212 555 0100,maria@example.com,"1 Main St, NY",123-45-6789,'
    "1200.50,18.5,2024-03-01,2025-11-20,NY,B",
    "A-2,王小明,13800001234,,,110101199001011237,800.00,0,2024-05-17,,CA,",
)
BAD = (
    "A-3,Nobody,,,,,-5.00,18.5,2024-03-01,,NY,B",
    "A-4,Nobody,,,,,12.345,18.5,2024-03-01,,NY,B",
    "A-5,Nobody,,,,,12.00,18.5,2999-01-01,,NY,B",
    "A-1,Nobody,,,,,12.00,18.5,2024-01-01,,NY,B",
    "A-6,Nobody,,,,,12.00,18.5",
)
BAD_FOUND = [
    (4, "balance", "-5.00", "NEGATIVE_AMOUNT"),
    (5, "balance", "12.345", "TOO_MANY_DECIMALS"),
    (6, "opened_on", "2999-01-01", "FUTURE_DATE"),
    (7, "loan_reference", "A-1", "DUPLICATE_REFERENCE"),
    (8, "", "8", "WRONG_COLUMN_COUNT"),
]


def file_of(*rows: str, header: str = HEADER) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


def draft(bank, name: str = "Draft", currency: str = "USD") -> Portfolio:
    with scope(bank.actor("vendor_manager")) as actor:
        return portfolio_services.create(
            actor=actor, name=name, currency=currency, jurisdiction="US", product="personal loan"
        )


def run(actor, portfolio, content: bytes, policy="all_or_nothing", mapping="standard", **more):
    return import_files.run(
        actor=actor,
        portfolio_id=portfolio.pk,
        file_name="loans.csv",
        file=io.BytesIO(content),
        mapping=MAPPINGS[mapping] if mapping else None,
        policy=policy,
        **more,
    )


def receive(actor, portfolio, content: bytes, **more) -> LoanImport:
    return imports.receive(
        actor=actor,
        portfolio_id=portfolio.pk,
        file_name="loans.csv",
        file=io.BytesIO(content),
        **more,
    )


def left_out(actor, made: LoanImport) -> str:
    return imports.left_out(actor=actor, import_id=made.pk).read().decode()


def assert_nothing_there():
    """No loan, no borrower and no part of a file; of an import only that it was cancelled."""
    for model in (Loan, Borrower, LoanFilePart):
        assert not model.objects.exists()
    assert set(LoanImport.objects.values_list("state", flat=True)) <= {"cancelled"}
    assert not AuditEntry.objects.filter(action="loans.import").exists()


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
            loan_mappings.called(actor, "../standard")
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


def test_each_step_waits_for_the_one_before():
    bank = world.make_bank()
    portfolio = draft(bank)
    content = file_of(*GOOD, *BAD)
    with scope(bank.actor("vendor_manager")) as actor:
        made = receive(actor, portfolio, content)
        assert (made.state, made.mapping_name) == ("received", "standard")
        assert made.sha256 == hashlib.sha256(content).hexdigest()
        part = LoanFilePart.objects.get()
        assert b"A-1" not in bytes(part.content)
        with pytest.raises(errors.InvalidState, match="NOT_CHECKED"):
            imports.decide(actor=actor, import_id=made.pk, policy="good_rows_only")
        assert import_runs.move_on(actor=actor) == 0
        # Nothing of it is published meanwhile.
        with pytest.raises(errors.InvalidState, match="IMPORT_UNFINISHED"):
            listings.publish(
                actor=actor,
                portfolio_id=portfolio.pk,
                closes_at=datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC),
                highest_rate_ppm=100_000,
                term_days=30,
            )
        imports.choose_mapping(
            actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"], save_as="Ours"
        )
        assert LoanMapping.objects.get().name == "Ours"
        with pytest.raises(errors.InvalidState, match="NOT_WAITING"):
            imports.choose_mapping(actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"])
        assert import_runs.move_on(actor=actor) == 1
        made.refresh_from_db()
        assert (made.state, made.rows_read, made.rows_good) == ("checked", 7, 2)
        assert made.good_minor == 2_000_50
        assert not Loan.objects.exists()
        assert len(left_out(actor, made).splitlines()) == 6
        with pytest.raises(errors.InvalidInput, match="BAD_ROWS"):
            imports.decide(actor=actor, import_id=made.pk, policy="all_or_nothing")
        imports.reopen(actor=actor, import_id=made.pk)
        assert AuditEntry.objects.filter(action="loans.reopen").count() == 1
        imports.choose_mapping(actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"])
        import_runs.move_on(actor=actor)
        imports.decide(actor=actor, import_id=made.pk, policy="good_rows_only")
        assert import_runs.move_on(actor=actor) == 1
        made.refresh_from_db()
        assert (made.state, made.rows_imported, made.rows_good) == ("imported", 2, 2)
        with pytest.raises(errors.InvalidState, match="NOT_WAITING"):
            imports.cancel(actor=actor, import_id=made.pk)
        assert ImportProblem.objects.filter(is_warning=False).count() == len(BAD)


def test_many_warnings_hide_no_error(monkeypatch):
    monkeypatch.setattr(import_checks, "PROBLEMS_KEPT", 3)
    bank = world.make_bank()
    portfolio = draft(bank)
    doubtful = [f"D-{number},Ann,1,,,,10,0,2024-01-01,,," for number in range(9)]
    with scope(bank.actor("vendor_manager")) as actor:
        with pytest.raises(errors.InvalidInput) as refused:
            run(actor, portfolio, file_of(*doubtful, BAD[0]))
        assert (refused.value.code, refused.value.row) == ("BAD_ROWS", 11)
        made = run(actor, portfolio, file_of(*doubtful, BAD[1]), policy="good_rows_only")
        kept = ImportProblem.objects.filter(loan_import=made).order_by("row")
        assert list(kept.values_list("row", "is_warning")) == [
            (2, True),
            (3, True),
            (4, True),
            (11, False),
        ]


def test_a_page_left_open_decides_nothing_afterwards():
    bank = world.make_bank()
    portfolio = draft(bank)
    client = over_http.person(bank, "vendor_manager")
    choose = f"/portfolios/{portfolio.pk}/import/"
    kept = client.post(choose, {"file": upload_of(file_of(*GOOD, *BAD))})
    client.post(f"{kept.url}columns/", CHOSEN)
    tasks.move_imports()
    client.post(f"{kept.url}decide/", {"policy": "good_rows_only"})
    # A second window still shows the decision, or the columns.
    for step, given in (
        ("decide", {"policy": "all_or_nothing"}),
        ("decide", {"policy": "good_rows_only"}),
        ("columns", CHOSEN),
        ("columns", {}),
    ):
        answer = client.post(f"{kept.url}{step}/", given, follow=True)
        assert "This file is past that step already." in answer.content.decode()
    tasks.move_imports()
    with scope(bank.actor("vendor_manager")):
        assert LoanImport.objects.get().state == "imported"
        assert Loan.objects.count() == 2


def test_a_file_can_be_thrown_away_and_does_not_outlive_a_day(clock):
    bank, rival = world.make_bank(), world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        thrown = receive(actor, portfolio, file_of(*GOOD))
        old = receive(actor, portfolio, file_of(GOOD[0]))
    with scope(rival.actor("vendor_manager")) as actor, pytest.raises(errors.NotFound):
        imports.cancel(actor=actor, import_id=thrown.pk)
    with scope(bank.actor("vendor_manager")) as actor:
        imports.cancel(actor=actor, import_id=thrown.pk)
        with pytest.raises(errors.NotAllowed):
            imports.cancel_old(actor=actor)

    def states():
        tasks.cancel_old_imports()
        tasks.move_imports()
        with scope(bank.actor("vendor_manager")):
            parts = set(LoanFilePart.objects.values_list("loan_import", flat=True))
            kept = LoanImport.objects.filter(state="received")
            assert parts == set(kept.values_list("pk", flat=True))
            return set(kept)

    assert states() == {old}
    clock.advance(hours=23)
    with scope(bank.actor("vendor_manager")) as actor:
        new = receive(actor, portfolio, file_of(GOOD[1]))
    assert states() == {old, new}
    clock.advance(hours=1)
    assert states() == {new}
    assert states() == {new}
    with scope(bank.actor("vendor_manager")) as actor:
        assert AuditEntry.objects.filter(action="loans.discard").count() == 2
        # What was thrown away may come again.
        receive(actor, portfolio, file_of(*GOOD))


def test_an_import_can_be_cancelled_halfway_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr(import_chunks, "ROWS_PER_CHUNK", 2)
    bank = world.make_bank()
    portfolio = draft(bank)
    rows = [f"H-{number},Ann,,,,ID{number},10,0,2024-01-01,,," for number in range(7)]
    with scope(bank.actor("vendor_manager")) as actor:
        before = run(actor, portfolio, file_of(*GOOD))

        def watch(loan_import):
            if loan_import.state == "importing" and loan_import.rows_imported == 4:
                assert Loan.objects.count() == 6
                imports.cancel(actor=actor, import_id=loan_import.pk)

        with pytest.raises(errors.InvalidInput, match="CANCELLED"):
            run(actor, portfolio, file_of(*rows), watch=watch)
        assert Loan.objects.count() == Borrower.objects.count() == 2
        assert set(Loan.objects.values_list("loan_import", flat=True)) == {before.pk}


def test_no_loan_goes_unless_its_import_is_being_undone():
    bank = world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        run(actor, portfolio, file_of(*GOOD))
        with connection.cursor() as cursor:
            cursor.execute("delete from portfolios_loan")
            assert cursor.rowcount == 0
            cursor.execute("delete from portfolios_borrower")
            assert cursor.rowcount == 0


def test_chunks_of_any_size_give_the_same_loans(monkeypatch):
    rows = [
        f"C-{number % 23},Ann,13{number:04},,,ID{number % 7},{number}.50,0,2024-01-01,,,"
        for number in range(40)
    ]
    found = set()
    for size in (1, 3, 7, 1000):
        monkeypatch.setattr(import_chunks, "ROWS_PER_CHUNK", size)
        bank = world.make_bank()
        portfolio = draft(bank)
        with scope(bank.actor("vendor_manager")) as actor:
            made = run(actor, portfolio, file_of(*rows), policy="good_rows_only")
            loans = Loan.objects.order_by("reference").values_list("reference", "balance_minor")
            people = Borrower.objects.count()
            text = left_out(actor, made)
        assert made.rows_good == made.rows_imported
        found.add((tuple(loans), people, made.rows_read, made.balance_minor, text))
    assert len(found) == 1


def test_the_command_imports_a_file(tmp_path, capsys):
    bank = world.make_bank()
    draft(bank, "Spring")
    file = tmp_path / "loans.csv"
    file.write_bytes(file_of(*GOOD, BAD[0]))
    given = {
        "institution": bank.institution.slug,
        "portfolio": "Spring",
        "user": bank.users["vendor_manager"].email,
    }
    with pytest.raises(CommandError, match="row 4"):
        call_command("import_loans", str(file), **given)
    with pytest.raises(CommandError, match="TOTALS_DIFFER"):
        call_command("import_loans", str(file), rows=4, policy="good_rows_only", **given)
    with scope(bank.actor("vendor_manager")):
        assert_nothing_there()
    rejected = tmp_path / "rejected.csv"
    call_command(
        "import_loans",
        str(file),
        policy="good_rows_only",
        mapping="standard",
        rejected=rejected,
        **given,
    )
    assert "2 of 3" in capsys.readouterr().out
    assert "A-3" in rejected.read_text()
    with scope(bank.actor("vendor_manager")):
        assert Loan.objects.count() == 2
    for change in (
        {"institution": "nowhere"},
        {"portfolio": "Autumn"},
        {"user": "nobody@example.com"},
        {"user": bank.users["auditor"].email},
        {"mapping": "none such"},
    ):
        with pytest.raises(CommandError):
            call_command("import_loans", str(file), **given | change)


def test_a_small_file_imports_over_graphql():
    bank, rival = world.make_bank(), world.make_bank()
    portfolio = draft(bank)
    manager = over_http.person(bank, "vendor_manager")
    file = base64.b64encode(file_of(*GOOD, BAD[0])).decode()
    given = {"portfolioId": portfolio.pk, "file": file, "fileName": "loans.csv"}
    for outsider in (
        over_http.person(rival, "vendor_manager"),
        over_http.person(bank, "auditor"),
    ):
        answer = over_http.do(outsider, "loanImportReceive", "loanImport { id }", **given)
        assert answer["errors"][0]["code"] in ("NOT_FOUND", "NOT_ALLOWED")
    received = over_http.do(
        manager, "loanImportReceive", "loanImport { id state mappingName mapping }", **given
    )["loanImport"]
    assert (received["state"], received["mappingName"]) == ("RECEIVED", "standard")
    one = {"importId": received["id"]}
    mapped = over_http.do(
        manager,
        "loanImportMap",
        "loanImport { state progress { donePpm } }",
        mapping=received["mapping"],
        saveAs="Core",
        **one,
    )
    assert mapped["loanImport"] == {"state": "CHECKING", "progress": {"donePpm": 0}}
    tasks.move_imports()
    checked = over_http.ask(
        manager,
        "query($id: ID!) { loanImport(id: $id) { state rowsRead rowsGood goodMinor progress"
        " { donePpm } problems(first: 5) { edges { node { row column value code isWarning } } } }"
        " loanMappings(first: 5) { edges { node { name } } } }",
        id=received["id"],
    )
    assert checked == {
        "loanImport": {
            "state": "CHECKED",
            "rowsRead": 3,
            "rowsGood": 2,
            "goodMinor": 2_000_50,
            "progress": None,
            "problems": {
                "edges": [
                    {
                        "node": {
                            "row": 4,
                            "column": "balance",
                            "value": "-5.00",
                            "code": "NEGATIVE_AMOUNT",
                            "isWarning": False,
                        }
                    }
                ]
            },
        },
        "loanMappings": {"edges": [{"node": {"name": "Core"}}]},
    }
    wanted = "loanImport { state }"
    refused = over_http.do(manager, "loanImportDecide", wanted, policy="ALL_OR_NOTHING", **one)
    assert [(e["code"], e["row"], e["field"]) for e in refused["errors"]] == [
        ("BAD_ROWS", 4, "file")
    ]
    for call, more in (
        ("loanImportDecide", {"policy": "GOOD_ROWS_ONLY"}),
        ("loanImportCancel", {}),
        ("loanImportMap", {"mapping": "standard"}),
    ):
        answer = over_http.do(
            over_http.person(rival, "vendor_manager"), call, wanted, **one, **more
        )
        assert [e["code"] for e in answer["errors"]] == ["NOT_FOUND"]
    done = over_http.do(manager, "loanImportDecide", wanted, policy="GOOD_ROWS_ONLY", **one)
    assert done == {"loanImport": {"state": "IMPORTING"}, "errors": []}
    tasks.move_imports()
    with scope(bank.actor("vendor_manager")):
        assert LoanImport.objects.get().state == "imported"
        assert Loan.objects.count() == 2


@pytest.mark.parametrize(
    ("file", "code"), [("%%%", "BAD_BASE64"), ("A" * 700_004, "FILE_TOO_LARGE")]
)
def test_what_is_no_base64_or_too_long_is_refused(file, code):
    bank = world.make_bank()
    portfolio = draft(bank)
    answer = over_http.do(
        over_http.person(bank, "vendor_manager"),
        "loanImportReceive",
        "loanImport { id }",
        portfolioId=portfolio.pk,
        file=file,
        fileName="loans.csv",
    )
    assert [(e["code"], e["field"]) for e in answer["errors"]] == [(code, "file")]


def upload_of(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("loans.csv", content, content_type="text/csv")


CHOSEN = {
    "source_reference": "column:loan_reference",
    "source_balance": "column:balance",
    "source_rate": "column:rate",
    "source_opened_on": "column:opened_on",
    "source_borrower_name": "column:borrower_name",
    "rate_unit": "percent",
    "amount_unit": "major",
    "date_format": "%Y-%m-%d",
    "decimal_mark": ".",
    "grouping": "",
}


def test_the_wizard_from_the_file_to_the_numbers():
    bank = world.make_bank()
    portfolio = draft(bank)
    client = over_http.person(bank, "vendor_manager")
    choose = f"/portfolios/{portfolio.pk}/import/"
    assert client.get(choose).status_code == 200
    refused = client.post(choose, {"file": upload_of(b"")})
    assert refused.status_code == 422
    kept = client.post(choose, {"file": upload_of(file_of(*GOOD, *BAD)), "rows": "7"})
    assert kept.status_code == 302
    columns = client.get(kept.url).content.decode()
    assert "loan_reference" in columns
    # Personal examples are masked.
    assert "María" not in columns
    refused = client.post(f"{kept.url}columns/", CHOSEN | {"source_balance": ""})
    assert refused.status_code == 422
    assert "Say where balance comes from." in refused.content.decode()
    assert client.post(f"{kept.url}columns/", CHOSEN | {"save_as": "Ours"}).status_code == 302
    assert "Being checked" in client.get(kept.url).content.decode()
    tasks.move_imports()
    checked = client.get(kept.url).content.decode()
    assert "Import the 2 good rows and leave 5 out" in checked
    assert "An amount must not be negative." in checked
    assert "Nobody" not in checked
    download = client.get(f"{kept.url}rejected.csv")
    assert download.headers["Content-Disposition"].startswith("attachment")
    assert len(b"".join(download.streaming_content).decode("utf-8-sig").splitlines()) == 6
    assert client.post(f"{kept.url}decide/", {"policy": ""}).status_code == 422
    with scope(bank.actor("vendor_manager")):
        assert not Loan.objects.exists()
    assert client.post(f"{kept.url}decide/", {"policy": "good_rows_only"}).status_code == 302
    assert "Being imported" in client.get(kept.url).content.decode()
    tasks.move_imports()
    numbers = client.get(kept.url).content.decode()
    assert "of 7 rows" in numbers
    page = client.get(f"/portfolios/{portfolio.pk}/").content.decode()
    assert "Publish for bids" in page
    assert "$2,000.50" in page
    again = client.post(choose, {"file": upload_of(file_of(*GOOD, *BAD))})
    assert again.status_code == 422
    assert "This file came on" in again.content.decode()


def test_a_program_sends_a_file_and_is_answered_in_json():
    bank = world.make_bank()
    portfolio = draft(bank)
    client = over_http.person(bank, "vendor_manager")
    choose = f"/portfolios/{portfolio.pk}/import/"
    json = {"accept": "application/json"}
    made = client.post(choose, {"file": upload_of(file_of(*GOOD))}, headers=json)
    assert made.status_code == 201
    with scope(bank.actor("vendor_manager")):
        assert made.json() == {"loanImport": {"id": str(LoanImport.objects.get().pk)}}
    again = client.post(choose, {"file": upload_of(file_of(*GOOD))}, headers=json)
    assert again.status_code == 422
    assert [error["code"] for error in again.json()["errors"]] == ["SAME_FILE"]


def test_the_wizard_can_be_left_and_is_nobody_elses():
    bank, rival = world.make_bank(), world.make_bank()
    portfolio = draft(bank)
    client = over_http.person(bank, "vendor_manager")
    choose = f"/portfolios/{portfolio.pk}/import/"
    kept = client.post(choose, {"file": upload_of(file_of(*GOOD, *BAD))})
    stranger = over_http.person(rival, "vendor_manager")
    for path in (kept.url, f"{kept.url}rejected.csv", choose):
        assert stranger.get(path).status_code == 404
    for step in ("columns", "decide", "again", "cancel"):
        assert stranger.post(f"{kept.url}{step}/", CHOSEN).status_code == 404
        assert over_http.person(bank, "auditor").post(f"{kept.url}{step}/").status_code == 403
    # Others of the bank see that there is a file, and nothing of it.
    seen = over_http.person(bank, "auditor").get(kept.url).content.decode()
    assert "Waits for its columns" in seen
    assert "loan_reference" not in seen
    left = client.post(f"{kept.url}cancel/")
    assert (left.status_code, left.url) == (302, choose)
    tasks.move_imports()
    with scope(bank.actor("vendor_manager")):
        assert_nothing_there()


@pytest.mark.django_db(transaction=True)
def test_one_file_sent_twice_at_once_is_kept_once():
    bank = world.make_bank()
    portfolio = draft(bank)
    together = threading.Barrier(2)

    def send() -> str:
        try:
            together.wait(20)
            with scope(bank.actor("vendor_manager")) as actor:
                receive(actor, portfolio, file_of(*GOOD))
            return "received"
        except errors.InvalidInput as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = [future.result(30) for future in [pool.submit(send) for _ in range(2)]]
    assert sorted(answers) == ["SAME_FILE", "received"]
    with scope(bank.actor("auditor")):
        assert LoanImport.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_the_work_of_one(monkeypatch):
    monkeypatch.setattr(import_chunks, "ROWS_PER_CHUNK", 5)
    bank = world.make_bank()
    portfolio = draft(bank)
    rows = [f"W-{number},Ann,,,,,{number + 1},0,2024-01-01,,," for number in range(60)]
    with scope(bank.actor("vendor_manager")) as actor:
        made = receive(actor, portfolio, file_of(*rows))
        imports.choose_mapping(actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"])

    def work() -> None:
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                import_runs.move_on(actor=bank.sweep)
                with scope(bank.actor("vendor_manager")) as actor:
                    state = LoanImport.objects.get().state
                    if state == "checked":
                        try:
                            imports.decide(actor=actor, import_id=made.pk, policy="all_or_nothing")
                        except errors.InvalidState:
                            continue
                    if state == "imported":
                        return
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(work) for _ in range(2)]:
            future.result(40)
    with scope(bank.actor("auditor")):
        made = LoanImport.objects.get()
        assert (made.state, made.rows_imported, Loan.objects.count()) == ("imported", 60, 60)
        assert made.balance_minor == sum(range(1, 61)) * 100
