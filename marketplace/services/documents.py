"""Documents of a listing: files for all bidders, known by what is in them and not by their name."""

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from config import clock, errors
from marketplace.models import Listing, ListingDocument, RoomVisit
from marketplace.selectors import visible_listing_documents, visible_listings
from marketplace.services import rooms

MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 20
LONGEST_NAME = 120
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENDINGS = {"application/pdf": ".pdf", XLSX: ".xlsx", "text/csv": ".csv", "text/plain": ".txt"}
"""The types of files that are taken, and how their names end whatever they were called."""

CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")

File = tuple[str, bytes]
"""A name and a content."""


def add(*, actor: Actor, listing_id, files: Sequence[File]) -> list[ListingDocument]:
    """Add files for all bidders while the listing is open; all of them or none.

    Raises `InvalidInput` naming the file by its row, `InvalidState` `CLOSED` from the closing on.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    listing = selectors.find(visible_listings(actor), pk=listing_id)
    rooms.demand_open(listing)
    if not files:
        raise errors.InvalidInput("REQUIRED", _("Choose a file."), field="files")
    with transaction.atomic():
        # Two people who add at once must not pass the limit together.
        Listing.objects.select_for_update().get(pk=listing.pk)
        return write(actor, listing, files)


def write(actor: Actor, listing: Listing, files: Sequence[File]) -> list[ListingDocument]:
    """Keep the files of a listing, with an entry in the trail. Raises as `add`."""
    manager: Any = actor.user_id
    present = ListingDocument.objects.filter(listing=listing).count()
    if present + len(files) > MOST_FILES:
        raise errors.InvalidInput(
            "TOO_MANY", _("A listing has at most twenty documents."), field="files"
        )
    moment = clock.now()
    documents = []
    for row, (name, content) in enumerate(files, 1):
        content_type = _type_of(content, row)
        documents.append(
            ListingDocument(
                institution_id=listing.institution_id,
                listing=listing,
                file_name=_name(name, ENDINGS[content_type]),
                content_type=content_type,
                content=content,
                size_bytes=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                uploaded_at=moment,
                uploaded_by_id=manager,
            )
        )
    try:
        with transaction.atomic():
            ListingDocument.objects.bulk_create(documents)
    except IntegrityError:
        raise errors.InvalidInput(
            "TWICE", _("This file is in the room already."), field="files"
        ) from None
    if documents:
        audit.record(
            actor,
            "listing.add_documents",
            listing,
            changes={"documents": [document.file_name for document in documents]},
        )
    return documents


def _name(name: str, ending: str) -> str:
    """The last part of a path, without what could be taken for another kind of file."""
    plain = re.split(r"[\\/]", name)[-1]
    plain = "".join(one for one in plain if one.isprintable()).strip()
    stem = plain.rsplit(".", 1)[0] if "." in plain else plain
    return (stem or "document")[: LONGEST_NAME - len(ending)] + ending


def _type_of(content: bytes, row: int) -> str:
    if len(content) > MOST_BYTES:
        raise errors.InvalidInput(
            "BAD_DOCUMENT", _("A document may have at most 10 MB."), field="files", row=row
        )
    found = _known_type(content)
    if found is None:
        raise errors.InvalidInput(
            "BAD_DOCUMENT",
            _("Documents are PDF, text, CSV or XLSX files, without macros."),
            field="files",
            row=row,
        )
    return found


def _known_type(content: bytes) -> str | None:
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content.startswith(b"PK\x03\x04"):
        return XLSX if _is_workbook(content) else None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if not text.strip() or CONTROLS.search(text):
        return None
    return "text/csv" if _is_table(text) else "text/plain"


def _is_workbook(content: bytes) -> bool:
    """A workbook without macros; nothing of it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = {name.lower() for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, OSError):
        return False
    has_macros = any("vbaproject" in name or "/macrosheets/" in name for name in names)
    return {"[content_types].xml", "xl/workbook.xml"} <= names and not has_macros


def _is_table(text: str) -> bool:
    """Whether the first lines have the same two or more columns."""
    lines = text.splitlines()[:20]
    for delimiter in ",;\t|":
        try:
            widths = {len(row) for row in csv.reader(lines, delimiter=delimiter) if row}
        except csv.Error:
            continue
        if len(lines) > 1 and len(widths) == 1 and widths.pop() > 1:
            return True
    return False


def take(*, actor: Actor, document_id) -> ListingDocument:
    """A document with its content; that a bidder took it is written down."""
    rows = visible_listing_documents(actor).select_related("listing")
    document = selectors.find(rows, pk=document_id)
    rooms.note(actor, [document.listing], RoomVisit.Part.DOCUMENT, document)
    return document
