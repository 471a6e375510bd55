"""The doors of an import: the command, GraphQL, the wizard's pages and a program that POSTs."""

import base64
import csv

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from agencies.scope import scope
from config import encryption
from portfolios import tasks
from portfolios.models import (
    Borrower,
    Loan,
    LoanImport,
)
from tests import chinese_loans, world
from tests.portfolios import over_http
from tests.portfolios.importing import (
    BAD,
    CHOSEN,
    GOOD,
    assert_nothing_there,
    draft,
    file_of,
    upload_of,
)

pytestmark = pytest.mark.django_db


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


def test_the_command_imports_a_large_chinese_file_with_wrong_rows_in_it(tmp_path, capsys):
    """More rows than two chunks; no mapping is given."""
    rows, bank = 24_000, world.make_bank()
    portfolio = draft(bank, "Spring", currency="CNY")
    file, rejected = tmp_path / "loans.csv", tmp_path / "rejected.csv"
    file.write_bytes(chinese_loans.content(rows))
    call_command(
        "import_loans",
        str(file),
        institution=bank.institution.slug,
        portfolio="Spring",
        user=bank.users["vendor_manager"].email,
        policy="good_rows_only",
        rejected=rejected,
    )
    good = rows - chinese_loans.rejected(rows)
    assert f"{good} of {rows} rows imported" in capsys.readouterr().out
    with scope(bank.actor("vendor_manager")):
        made = LoanImport.objects.get()
        assert (made.rows_read, made.rows_good, made.rows_imported) == (rows, good, good)
        assert made.report["encoding"] == "gb18030"
        kinds = {code: count for _column, code, _warns, _params, count in made.report["kinds"]}
        assert kinds == dict.fromkeys(chinese_loans.CODES, rows // 400)
        loans = Loan.objects.filter(portfolio=portfolio)
        assert loans.count() == good
        assert loans.aggregate(total=Sum("balance_minor"))["total"] == made.balance_minor
        # Each tenth row is a second loan of whoever is in the row before.
        assert Borrower.objects.count() == chinese_loans.people(rows)
        pair = loans.filter(reference__in=["DK00000008", "DK00000009"])
        assert pair.values("borrower").distinct().count() == 1
        assert encryption.reveal(pair[0].borrower, "national_id").startswith("99")
    with rejected.open(encoding="utf-8-sig", newline="") as found:
        left_out = list(csv.DictReader(found))
    assert len(left_out) == rows - good
    assert [row["借据号"] for row in left_out[:4]] == [
        "DK00000057",
        "DK00000157",
        "DK00000229",
        "",
    ]
    assert left_out[0]["贷款余额"] == "很多"


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
