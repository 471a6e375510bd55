"""The doors of a maintenance file: its pages, a program that POSTs, GraphQL and the command."""

import base64

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from agencies.scope import scope
from portfolios import tasks
from portfolios.mappings import Mapping
from portfolios.models import DirectPayment, Hold, Loan, LoanImport
from portfolios.services import imports
from tests import world
from tests.portfolios import over_http
from tests.portfolios.maintaining import file_of, news

pytestmark = pytest.mark.django_db

SEND = "/maintenance/send/"
CHOSEN = {
    "source_reference": "column:loan_reference",
    "source_event": "column:event",
    "source_amount": "column:amount",
    "source_value_on": "column:value_date",
    "source_payment_reference": "column:payment_reference",
    "source_balance": "column:balance",
    "source_phone": "column:phone",
    "source_note": "column:note",
    "amount_unit": "major",
    "date_format": "%Y-%m-%d",
    "decimal_mark": ".",
    "grouping": "",
}
PAID = {"amount": "15.00", "value_date": "2026-03-12", "payment_reference": "P-1"}


@pytest.fixture
def references(bank, placement):
    with scope(bank.actor("auditor")):
        return list(Loan.objects.order_by("reference").values_list("reference", flat=True))


@pytest.fixture
def content(references):
    """Two good rows and one about a loan that is not there."""
    one, two = references
    return file_of(
        news(one, "payment", **PAID),
        news(two, "dispute", note="Says she never signed", phone="+1 212 555 0100"),
        news("L-0-0", "dispute"),
    )


def upload_of(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("news.csv", content, content_type="text/csv")


def changed(bank) -> tuple[int, int]:
    with scope(bank.actor("auditor")):
        return DirectPayment.objects.count(), Hold.objects.count()


def test_the_wizard_from_the_file_to_what_came_of_it(bank, house, content):
    client = over_http.person(bank, "vendor_manager")
    assert "No maintenance file yet" in client.get("/maintenance/").content.decode()
    assert client.get(SEND).status_code == 200
    refused = client.post(SEND, {"file": upload_of(content), "currency": "CHF"})
    assert refused.status_code == 422
    totals = {"rows": "3", "sum_minor": "15.00"}
    kept = client.post(SEND, {"file": upload_of(content), "currency": "USD", **totals})
    assert kept.status_code == 302
    columns = client.get(kept.url).content.decode()
    assert "payment_reference" in columns
    # Personal examples are masked, and notes are not shown at all.
    assert "555 0100" not in columns
    assert "never signed" not in columns
    refused = client.post(f"{kept.url}columns/", CHOSEN | {"source_event": ""})
    assert refused.status_code == 422
    assert client.post(f"{kept.url}columns/", CHOSEN | {"save_as": "Daily"}).status_code == 302
    tasks.move_imports()
    checked = client.get(kept.url).content.decode()
    assert "Apply the 2 good rows and leave 1 out" in checked
    assert "You have no loan with this reference." in checked
    assert "Put on hold: dispute." in checked
    assert changed(bank) == (0, 0)
    assert client.post(f"{kept.url}decide/", {"policy": "good_rows_only"}).status_code == 302
    # What it says cannot be taken back.
    assert "Being imported" in client.get(kept.url).content.decode()
    assert client.post(f"{kept.url}cancel/").status_code == 409
    tasks.move_imports()
    record = client.get(kept.url).content.decode()
    assert "What came of it" in record
    assert "Send another file" in record
    assert changed(bank) == (1, 1)
    listed = client.get("/maintenance/").content.decode()
    assert "news.csv" in listed
    # Others of the bank see that it came, an agency not even that.
    assert over_http.person(bank, "auditor").get(kept.url).status_code == 200
    assert over_http.person(bank, "auditor").get(SEND).status_code == 403
    for path in ("/maintenance/", SEND, kept.url):
        assert over_http.person(house, "agency_administrator").get(path).status_code in (403, 404)
    stranger = over_http.person(world.make_bank(), "vendor_manager")
    assert stranger.get(kept.url).status_code == 404
    assert "news.csv" not in stranger.get("/maintenance/").content.decode()


def test_wrong_totals_stop_the_whole_file(bank, content):
    client = over_http.person(bank, "vendor_manager")
    kept = client.post(
        SEND, {"file": upload_of(content), "currency": "USD", "rows": "3", "sum_minor": "15.01"}
    )
    client.post(f"{kept.url}columns/", CHOSEN)
    tasks.move_imports()
    assert "This is not what was announced" in client.get(kept.url).content.decode()
    client.post(f"{kept.url}decide/", {"policy": "good_rows_only"})
    tasks.move_imports()
    assert changed(bank) == (0, 0)


def test_a_file_in_chinese_finds_its_columns_by_itself(bank, references):
    one, two = references
    rows = (
        "借据号,事件类型,还款金额,交易日期,交易流水号,最新余额,手机号,备注",
        f"{one},还款,15.00,2026-03-12,流水-1,,,",
        f"{two},争议,,,,,13800000000,客户称从未签字",
    )
    upload = SimpleUploadedFile(
        "每日维护.csv", "\n".join([*rows, ""]).encode("gb18030"), content_type="text/csv"
    )
    client = over_http.person(bank, "vendor_manager")
    kept = client.post(SEND, {"file": upload, "currency": "USD"})
    with scope(bank.actor("vendor_manager")) as actor:
        made = LoanImport.objects.get(kind="maintenance")
        guessed = Mapping.from_dict(made.mapping)
        assert guessed.columns["event"] == "事件类型"
        assert guessed.columns["payment_reference"] == "交易流水号"
        imports.choose_mapping(actor=actor, import_id=made.pk, mapping=guessed)
    tasks.move_imports()
    client.post(f"{kept.url}decide/", {"policy": "all_or_nothing"})
    tasks.move_imports()
    assert changed(bank) == (1, 1)


def test_a_program_sends_a_file_and_is_answered_in_json(bank, content):
    client = over_http.person(bank, "vendor_manager")
    json = {"accept": "application/json"}
    given = {"file": upload_of(content), "currency": "USD"}
    made = client.post(SEND, given, headers=json)
    assert made.status_code == 201
    with scope(bank.actor("vendor_manager")):
        assert made.json() == {
            "loanImport": {"id": str(LoanImport.objects.get(kind="maintenance").pk)}
        }
    again = client.post(SEND, given | {"file": upload_of(content)}, headers=json)
    assert again.status_code == 422
    assert [error["code"] for error in again.json()["errors"]] == ["SAME_FILE"]


def test_a_file_goes_through_over_graphql(bank, house, content):
    manager = over_http.person(bank, "vendor_manager")
    file = base64.b64encode(content).decode()
    given = {"currency": "USD", "file": file, "fileName": "news.csv", "expectedRows": 3}
    for outsider in (over_http.person(bank, "auditor"), over_http.person(house, "collector")):
        answer = over_http.do(outsider, "maintenanceReceive", "loanImport { id }", **given)
        assert [error["code"] for error in answer["errors"]] == ["NOT_ALLOWED"]
    wrong = over_http.do(
        manager, "maintenanceReceive", "loanImport { id }", **given | {"currency": "ABC"}
    )
    assert [(e["code"], e["field"]) for e in wrong["errors"]] == [("UNKNOWN_CURRENCY", "currency")]
    received = over_http.do(
        manager,
        "maintenanceReceive",
        "loanImport { id kind currency mapping portfolio { id } }",
        **given,
    )["loanImport"]
    assert (received["kind"], received["currency"]) == ("MAINTENANCE", "USD")
    assert received["portfolio"] is None
    one = {"importId": received["id"]}
    # A mapping of loans is none for this, neither by its name nor as JSON.
    loans = over_http.do(
        manager, "loanImportMap", "loanImport { id }", mapping="lendingclub", **one
    )
    assert [error["code"] for error in loans["errors"]] == ["UNKNOWN_MAPPING"]
    over_http.do(manager, "loanImportMap", "loanImport { id }", mapping="standard", **one)
    tasks.move_imports()
    over_http.do(manager, "loanImportDecide", "loanImport { id }", policy="GOOD_ROWS_ONLY", **one)
    tasks.move_imports()
    done = over_http.ask(
        manager,
        "query($id: ID!) { loanImport(id: $id) { state rowsImported outcome"
        " { event changedCount unchangedCount } } }",
        id=received["id"],
    )["loanImport"]
    assert done == {
        "state": "IMPORTED",
        "rowsImported": 2,
        "outcome": [
            {"event": "direct_payment", "changedCount": 1, "unchangedCount": 0},
            {"event": "dispute", "changedCount": 1, "unchangedCount": 0},
        ],
    }
    assert changed(bank) == (1, 1)


def test_the_command_does_what_a_file_says(bank, references, content, tmp_path, capsys):
    file, rejected = tmp_path / "news.csv", tmp_path / "rejected.csv"
    file.write_bytes(content)
    given = {
        "institution": bank.institution.slug,
        "user": bank.users["vendor_manager"].email,
        "currency": "USD",
    }
    with pytest.raises(CommandError, match="row 4"):
        call_command("update_loans", str(file), **given)
    with pytest.raises(CommandError, match="TOTALS_DIFFER"):
        call_command("update_loans", str(file), sum_minor=1, policy="good_rows_only", **given)
    assert changed(bank) == (0, 0)
    call_command(
        "update_loans",
        str(file),
        policy="good_rows_only",
        mapping="standard",
        sum_minor=15_00,
        rejected=rejected,
        **given,
    )
    assert "2 of 3 rows applied: 2 changed something, 0 said" in capsys.readouterr().out
    assert "L-0-0" in rejected.read_text()
    assert changed(bank) == (1, 1)
