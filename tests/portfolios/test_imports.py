"""Loan imports: the real file as it is, and every way in which a file can be wrong."""

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
from portfolios import tasks
from portfolios.models import (
    Borrower,
    ImportProblem,
    Loan,
    LoanImport,
    LoanUpload,
    Portfolio,
)
from portfolios.services import imports, uploads
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


def run(actor, portfolio, content: bytes, policy="all_or_nothing", mapping="standard"):
    return imports.run(
        actor=actor,
        portfolio_id=portfolio.pk,
        file_name="loans.csv",
        content=content,
        mapping=mapping,
        policy=policy,
    )


def assert_nothing_there():
    for model in (Loan, Borrower, LoanImport, ImportProblem):
        assert not model.objects.exists()
    assert not AuditEntry.objects.filter(action="loans.import").exists()


@needs_real_file
def test_the_real_file_imports_as_it_is(clock):
    clock.set(datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC))
    bank = world.make_bank()
    portfolio = draft(bank)
    content = REAL_FILE.read_bytes()
    with scope(bank.actor("vendor_manager")) as actor:
        started = time.monotonic()
        made = run(actor, portfolio, content, mapping="lendingclub")
        assert time.monotonic() - started < 20
        assert (made.rows_read, made.rows_imported) == (REAL_ROWS, REAL_ROWS)
        assert made.balance_minor == REAL_BALANCE_MINOR
        found = portfolio_services.composition(Loan.objects.all())
        assert (found.loan_count, found.balance_minor) == (REAL_ROWS, REAL_BALANCE_MINOR)
        assert not Borrower.objects.exists()
        first = Loan.objects.get(reference="LC000001")
        assert (first.balance_minor, first.rate_ppm, first.currency) == (1_113_70, 77_500, "USD")
        assert (first.region, first.grade) == ("NC", "A")
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
        # In New York it is still the 22nd.
        assert first.days_past_due == 2 + 365
        assert second.days_past_due == (datetime.date(2026, 11, 22) - second.opened_on).days
        assert encryption.reveal(first.borrower, "name") == "María López"
        assert encryption.reveal(second.borrower, "national_id") == "110101199001011237"
        assert encryption.reveal(second.borrower, "email") == ""
        with connection.cursor() as cursor:
            cursor.execute("select string_agg(b::text, '') from portfolios_borrower b")
            stored = cursor.fetchone()[0]
        assert "María".encode().hex() not in stored
        entry = AuditEntry.objects.get(action="loans.import")
        assert entry.object_id == made.pk
        assert entry.changes["rows_imported"] == 2


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
        problems = ImportProblem.objects.order_by("row")
        assert list(problems.values_list("row", "column", "value", "code")) == BAD_FOUND
        assert all(problem.message for problem in problems)
        text = imports.left_out(actor=actor, import_id=made.pk)
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0] == [*HEADER.split(","), "error"]
        assert [row[0] for row in rows[1:]] == ["A-3", "A-4", "A-5", "A-1", "A-6"]
        assert rows[1][12].startswith("balance: ")
        # Nothing personal is stored in clear.
        with connection.cursor() as cursor:
            cursor.execute("select string_agg(i::text, '') from portfolios_loanimport i")
            assert b"Nobody".hex() not in cursor.fetchone()[0]


def test_the_rejected_rows_can_be_put_right_and_imported():
    bank = world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        made = run(actor, portfolio, file_of(*GOOD, *BAD[:2]), policy="good_rows_only")
        text = imports.left_out(actor=actor, import_id=made.pk)
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


def test_the_same_file_again_is_refused_with_the_first_import():
    bank, rival = world.make_bank(), world.make_bank()
    portfolio, other = draft(bank), draft(bank, "Other")
    with scope(bank.actor("vendor_manager")) as actor:
        first = run(actor, portfolio, file_of(*GOOD))
        for call in (
            run,
            lambda *given: imports.check(
                actor=given[0], portfolio_id=given[1].pk, content=given[2], mapping="standard"
            ),
        ):
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
        (file_of(*GOOD).decode().encode("gb18030"), "WRONG_ENCODING", 2),
        (file_of(*GOOD).decode().encode("utf-16"), "WRONG_ENCODING", 1),
        (file_of(*GOOD, header=HEADER.replace("balance", "Balance")), "MISSING_COLUMNS", 1),
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
            assert (refused.value.code, refused.value.row) == (code, row)
            assert refused.value.field == "file"
        assert_nothing_there()


def test_a_mapping_that_is_unknown_or_of_another_currency():
    bank = world.make_bank()
    portfolio = draft(bank, currency="EUR")
    with scope(bank.actor("vendor_manager")) as actor:
        with pytest.raises(errors.InvalidInput, match="UNKNOWN_MAPPING"):
            run(actor, portfolio, file_of(*GOOD), mapping="../standard")
        with pytest.raises(errors.InvalidInput, match="WRONG_CURRENCY"):
            run(actor, portfolio, file_of(*GOOD), mapping="lendingclub")
        with pytest.raises(errors.InvalidInput, match="UNKNOWN_POLICY"):
            run(actor, portfolio, file_of(*GOOD), policy="whatever")
        assert_nothing_there()


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
            run(actor, portfolio, file_of(*GOOD))
    with scope(bank.actor("vendor_manager")):
        assert Loan.objects.count() == 1


def test_a_kept_file_is_sealed_imported_once_and_gone():
    bank = world.make_bank()
    portfolio = draft(bank)
    content = file_of(*GOOD, *BAD)
    with scope(bank.actor("vendor_manager")) as actor:
        upload, report = uploads.keep(
            actor=actor,
            portfolio_id=portfolio.pk,
            file_name="loans.csv",
            content=content,
            mapping="standard",
        )
        assert (report.rows_read, len(report.loans), report.rows_rejected) == (7, 2, 5)
        assert report.balance_minor == 2_000_50
        assert_nothing_there()
        upload.refresh_from_db()
        assert b"A-1" not in bytes(upload.content)
        text = uploads.rejected(actor=actor, upload_id=upload.pk)
        assert len(text.splitlines()) == 6
        with pytest.raises(errors.InvalidInput, match="BAD_ROWS"):
            uploads.run(actor=actor, upload_id=upload.pk, policy="all_or_nothing")
        assert LoanUpload.objects.count() == 1
        made = uploads.run(actor=actor, upload_id=upload.pk, policy="good_rows_only")
        assert made.sha256 == hashlib.sha256(content).hexdigest()
        assert made.rows_imported == 2
        assert not LoanUpload.objects.exists()
        with pytest.raises(errors.NotFound):
            uploads.run(actor=actor, upload_id=upload.pk, policy="good_rows_only")


def test_a_kept_file_can_be_thrown_away_and_does_not_outlive_a_day(clock):
    bank, rival = world.make_bank(), world.make_bank()
    portfolio = draft(bank)

    def keep(actor, *rows):
        upload, _ = uploads.keep(
            actor=actor,
            portfolio_id=portfolio.pk,
            file_name="loans.csv",
            content=file_of(*rows),
            mapping="standard",
        )
        return upload

    with scope(bank.actor("vendor_manager")) as actor:
        thrown, old = keep(actor, *GOOD), keep(actor, GOOD[0])
    with scope(rival.actor("vendor_manager")) as actor, pytest.raises(errors.NotFound):
        uploads.discard(actor=actor, upload_id=thrown.pk)
    with scope(bank.actor("vendor_manager")) as actor:
        uploads.discard(actor=actor, upload_id=thrown.pk)
        assert list(LoanUpload.objects.all()) == [old]
        with pytest.raises(errors.NotAllowed):
            uploads.discard_old(actor=actor)
    clock.advance(hours=23)
    with scope(bank.actor("vendor_manager")) as actor:
        new = keep(actor, GOOD[1])
    tasks.discard_old_uploads()
    with scope(bank.actor("vendor_manager")):
        assert set(LoanUpload.objects.all()) == {old, new}
    clock.advance(hours=1)
    tasks.discard_old_uploads()
    tasks.discard_old_uploads()
    with scope(bank.actor("vendor_manager")):
        assert list(LoanUpload.objects.all()) == [new]
        assert AuditEntry.objects.filter(action="loans.discard").count() == 2


def test_the_command_imports_a_file(tmp_path, capsys):
    bank = world.make_bank()
    draft(bank, "Spring")
    file = tmp_path / "loans.csv"
    file.write_bytes(file_of(*GOOD, BAD[0]))
    given = {
        "institution": bank.institution.slug,
        "portfolio": "Spring",
        "mapping": "standard",
        "user": bank.users["vendor_manager"].email,
    }
    with pytest.raises(CommandError, match="row 4"):
        call_command("import_loans", str(file), **given)
    with scope(bank.actor("vendor_manager")):
        assert_nothing_there()
    call_command("import_loans", str(file), policy="good_rows_only", **given)
    assert "2 of 3" in capsys.readouterr().out
    with scope(bank.actor("vendor_manager")):
        assert Loan.objects.count() == 2
    for change in (
        {"institution": "nowhere"},
        {"portfolio": "Autumn"},
        {"user": "nobody@example.com"},
        {"user": bank.users["auditor"].email},
    ):
        with pytest.raises(CommandError):
            call_command("import_loans", str(file), **given | change)


def test_a_small_file_imports_over_graphql():
    bank, rival = world.make_bank(), world.make_bank()
    portfolio = draft(bank)
    manager = over_http.person(bank, "vendor_manager")
    file = base64.b64encode(file_of(*GOOD, BAD[0])).decode()
    given = {"portfolioId": portfolio.pk, "file": file, "mapping": "standard"}
    checked = over_http.do(
        manager,
        "loansCheck",
        "rowsRead rowsGood rowsRejected balanceMinor problems { row column value code }",
        **given,
    )
    assert checked == {
        "rowsRead": 3,
        "rowsGood": 2,
        "rowsRejected": 1,
        "balanceMinor": 2_000_50,
        "problems": [{"row": 4, "column": "balance", "value": "-5.00", "code": "NEGATIVE_AMOUNT"}],
        "errors": [],
    }
    whole = given | {"fileName": "loans.csv", "policy": "ALL_OR_NOTHING"}
    wanted = "loanImport { rowsImported portfolio { name state composition { loanCount } } }"
    refused = over_http.do(manager, "loansImport", wanted, **whole)
    assert refused["loanImport"] is None
    assert [(e["code"], e["row"], e["field"]) for e in refused["errors"]] == [
        ("BAD_ROWS", 4, "file")
    ]
    for outsider in (
        over_http.person(rival, "vendor_manager"),
        over_http.person(bank, "auditor"),
    ):
        answer = over_http.do(outsider, "loansImport", wanted, **whole)
        assert answer["errors"][0]["code"] in ("NOT_FOUND", "NOT_ALLOWED")
    with scope(bank.actor("vendor_manager")):
        assert_nothing_there()
    done = over_http.do(manager, "loansImport", wanted, **whole | {"policy": "GOOD_ROWS_ONLY"})
    assert done == {
        "loanImport": {
            "rowsImported": 2,
            "portfolio": {"name": "Draft", "state": "DRAFT", "composition": {"loanCount": 2}},
        },
        "errors": [],
    }


@pytest.mark.parametrize(
    ("file", "code"), [("%%%", "BAD_BASE64"), ("A" * 700_004, "FILE_TOO_LARGE")]
)
def test_what_is_no_base64_or_too_long_is_refused(file, code):
    bank = world.make_bank()
    portfolio = draft(bank)
    answer = over_http.do(
        over_http.person(bank, "vendor_manager"),
        "loansCheck",
        "rowsRead",
        portfolioId=portfolio.pk,
        file=file,
        mapping="standard",
    )
    assert [(e["code"], e["field"]) for e in answer["errors"]] == [(code, "file")]


def upload_of(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("loans.csv", content, content_type="text/csv")


def test_the_wizard_from_the_file_to_the_numbers():
    bank = world.make_bank()
    portfolio = draft(bank)
    client = over_http.person(bank, "vendor_manager")
    choose = f"/portfolios/{portfolio.pk}/import/"
    assert client.get(choose).status_code == 200
    refused = client.post(choose, {"file": upload_of(b""), "mapping": "standard"})
    assert refused.status_code == 422
    wrong = upload_of(file_of(*GOOD).decode().encode("gb18030"))
    refused = client.post(choose, {"file": wrong, "mapping": "standard"})
    assert refused.status_code == 422
    assert "not in UTF-8" in refused.content.decode()
    kept = client.post(choose, {"file": upload_of(file_of(*GOOD, *BAD)), "mapping": "standard"})
    assert kept.status_code == 302
    checked = client.get(kept.url).content.decode()
    assert "Import the 2 good rows and leave 5 out" in checked
    assert "An amount must not be negative." in checked
    assert "Nobody" not in checked
    download = client.get(f"{kept.url}rejected.csv")
    assert download.headers["Content-Disposition"].startswith("attachment")
    assert len(download.content.decode("utf-8-sig").splitlines()) == 6
    assert client.post(kept.url, {"policy": ""}).status_code == 422
    with scope(bank.actor("vendor_manager")):
        assert_nothing_there()
    done = client.post(kept.url, {"policy": "good_rows_only"})
    assert done.status_code == 302
    numbers = client.get(done.url).content.decode()
    assert "2 loans are imported." in numbers
    assert "of 7 rows" in numbers
    assert client.get(kept.url).status_code == 404
    page = client.get(f"/portfolios/{portfolio.pk}/").content.decode()
    assert "Publish for bids" in page
    assert "$2,000.50" in page
    again = client.post(choose, {"file": upload_of(file_of(*GOOD, *BAD)), "mapping": "standard"})
    assert again.status_code == 422
    assert "This file was imported on" in again.content.decode()


def test_the_wizard_can_be_left_and_is_nobody_elses():
    bank, rival = world.make_bank(), world.make_bank()
    portfolio = draft(bank)
    client = over_http.person(bank, "vendor_manager")
    kept = client.post(
        f"/portfolios/{portfolio.pk}/import/",
        {"file": upload_of(file_of(*GOOD, *BAD)), "mapping": "standard"},
    )
    stranger = over_http.person(rival, "vendor_manager")
    for path in (kept.url, f"{kept.url}rejected.csv", f"/portfolios/{portfolio.pk}/import/"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"{kept.url}discard/").status_code == 404
    assert over_http.person(bank, "auditor").get(kept.url).status_code == 403
    left = client.post(kept.url, {"policy": "all_or_nothing"})
    assert (left.status_code, left.url) == (302, f"/portfolios/{portfolio.pk}/import/")
    with scope(bank.actor("vendor_manager")):
        assert_nothing_there()
        assert not LoanUpload.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_file_sent_twice_at_once_is_imported_once():
    bank = world.make_bank()
    portfolio = draft(bank)
    together = threading.Barrier(2)

    def send() -> str:
        try:
            together.wait(20)
            with scope(bank.actor("vendor_manager")) as actor:
                run(actor, portfolio, file_of(*GOOD))
            return "imported"
        except errors.InvalidInput as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = [future.result(30) for future in [pool.submit(send) for _ in range(2)]]
    assert sorted(answers) == ["SAME_FILE", "imported"]
    with scope(bank.actor("auditor")):
        assert LoanImport.objects.count() == 1
        assert Loan.objects.count() == 2
