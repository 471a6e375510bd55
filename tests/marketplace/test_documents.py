"""Documents of a listing: files that are what is in them, for all bidders at once."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from agencies.models import AuditEntry
from agencies.scope import scope
from marketplace.models import ListingDocument
from marketplace.services import documents
from tests import world
from tests.marketplace import market
from tests.marketplace.room import PDF, add_document, refused
from tests.portfolios.over_http import person


def workbook(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in ("[Content_Types].xml", *names):
            archive.writestr(name, "<xml/>")
    return written.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kept", "content_type"),
    [
        ("agreement.pdf", PDF, "agreement.pdf", "application/pdf"),
        ("page.html", b"<script>alert(1)</script>", "page.txt", "text/plain"),
        ("../../etc/rates.pdf", b"age,rate\n90,20\n180,25\n", "rates.csv", "text/csv"),
        ("rates.xlsx", workbook("xl/workbook.xml"), "rates.xlsx", documents.XLSX),
    ],
)
def test_a_document_is_what_is_in_it_whatever_it_is_called(
    early, name, content, kept, content_type
):
    made = add_document(early, name, content)
    assert (made.file_name, made.content_type) == (kept, content_type)
    house = early.houses[0]
    world.accept_terms(house, early.listing)
    answered = person(house, "collector").get(f"/listings/documents/{made.pk}/")
    assert answered.content == content
    assert answered.headers["Content-Type"] == content_type
    assert answered.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answered.headers["X-Content-Type-Options"] == "nosniff"
    assert answered.headers["Cache-Control"] == "no-store"
    assert "sandbox" in answered.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00 a program",
        b"GIF89a\x00\x01",
        "größe".encode("latin-1"),
        workbook("xl/workbook.xml", "xl/vbaProject.bin"),
        workbook("word/document.xml"),
        b"PK\x03\x04 broken",
        b"%PDF-" + b"x" * documents.MOST_BYTES,
    ],
    ids=["empty", "program", "picture", "latin", "macros", "word", "broken", "large"],
)
def test_other_files_are_refused_and_none_of_the_batch_is_kept(early, room, content):
    manager = person(early.bank, "vendor_manager")
    files = [SimpleUploadedFile("good.pdf", PDF), SimpleUploadedFile("bad.pdf", content)]
    answered = manager.post(f"{room}documents/", {"files": files})
    assert answered.status_code == 422
    with scope(early.bank.actor("auditor")):
        assert not ListingDocument.objects.exists()


def test_documents_are_added_by_a_vendor_manager_until_the_closing(early, room, clock):
    house = early.houses[0]
    world.accept_terms(house, early.listing)
    manager = person(early.bank, "vendor_manager")
    files = [SimpleUploadedFile("one.pdf", PDF), SimpleUploadedFile("two.txt", b"Two words")]
    page = manager.post(f"{room}documents/", {"files": files}, follow=True).content.decode()
    assert "2 documents are in the room" in page
    shown = person(house, "collector").get(room).content.decode()
    assert "one.pdf" in shown
    assert "two.txt" in shown
    again = manager.post(f"{room}documents/", {"files": SimpleUploadedFile("three.pdf", PDF)})
    assert "This file is in the room already." in again.content.decode()
    assert manager.post(f"{room}documents/", {}).status_code == 422
    given = {"files": SimpleUploadedFile("four.pdf", b"%PDF-four")}
    assert person(house, "collector").post(f"{room}documents/", given).status_code == 403
    clock.set(market.CLOSES_AT)
    late = {"files": SimpleUploadedFile("late.pdf", b"%PDF-late")}
    assert manager.post(f"{room}documents/", late).status_code == 409
    with scope(early.bank.actor("auditor")):
        assert ListingDocument.objects.count() == 2
        assert AuditEntry.objects.filter(action="listing.add_documents").count() == 1


def test_a_listing_has_at_most_twenty_documents(early):
    with scope(early.bank.actor("vendor_manager")) as actor:
        many = [(f"{n}.txt", f"Document {n}".encode()) for n in range(21)]
        given = {"actor": actor, "listing_id": early.listing.pk}
        assert refused(documents.add, files=many, **given) == "TOO_MANY"
        documents.add(files=many[:20], **given)
        assert refused(documents.add, files=many[20:], **given) == "TOO_MANY"
        assert ListingDocument.objects.count() == 20
