"""Loan files at rest: in pieces, compressed and sealed, read as one stream.

A file of millions of rows never stands in memory or in clear on a disk: it is a row per megabyte
in its bank's own part of the database, where every machine that works on it finds it.
"""

import hashlib
import io
import zlib
from collections.abc import Iterable
from typing import IO

from django.db.models import Max

from agencies.actors import Actor
from agencies.scope import scope
from config import encryption, ids
from portfolios.models import LoanFilePart, LoanImport
from portfolios.selectors import visible_file_parts

PART_BYTES = 1 << 20
PARTS_AT_ONCE = 32
"""So many are fetched by one statement: a reader seldom has to wait for the database."""
_FASTEST = 1


def sha256_of(file: IO[bytes]) -> tuple[str, int]:
    """The digest and the length of a file, which is then back at its beginning."""
    digest = hashlib.sha256()
    length = 0
    while piece := file.read(PART_BYTES):
        digest.update(piece)
        length += len(piece)
    file.seek(0)
    return digest.hexdigest(), length


def keep(loan_import: LoanImport, kind: str, pieces: Iterable[bytes]) -> None:
    """Add pieces to what is kept of this kind; each becomes one part."""
    parts = LoanFilePart.objects.filter(loan_import=loan_import, kind=kind)
    last = parts.aggregate(last=Max("number"))["last"]
    for number, piece in enumerate(pieces, 0 if last is None else last + 1):
        part_id = ids.uuid7()
        sealed = encryption.seal_bytes(
            zlib.compress(piece, _FASTEST),
            table=LoanFilePart._meta.db_table,
            column="content",
            primary_key=part_id,
        )
        LoanFilePart.objects.create(
            id=part_id,
            institution_id=loan_import.institution_id,
            loan_import=loan_import,
            kind=kind,
            number=number,
            content=sealed,
        )


def pieces_of(file: IO[bytes]) -> Iterable[bytes]:
    """A file cut into parts."""
    return iter(lambda: file.read(PART_BYTES), b"")


def forget(loan_import: LoanImport, *kinds: str) -> None:
    LoanFilePart.objects.filter(loan_import=loan_import, kind__in=kinds).delete()


class Stream(io.RawIOBase):
    """What is kept of one kind, as a file to be read.

    A few parts at a time are fetched in a scope of their own, so a reader may take hours, and no
    longer than the actor may see them. The uploaded file can seek: its parts are of one size.
    """

    def __init__(self, actor: Actor, loan_import: LoanImport, kind: str):
        self._actor, self._import_id, self._kind = actor, loan_import.pk, kind
        self._length = loan_import.file_bytes if kind == LoanFilePart.Kind.FILE else None
        self._number = 0
        self._fetched: dict[int, LoanFilePart] = {}
        self._piece = memoryview(b"")
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._length is not None

    def readinto(self, buffer) -> int:
        if not self._piece:
            self._piece = memoryview(self._next())
        taken = min(len(buffer), len(self._piece))
        buffer[:taken] = self._piece[:taken]
        self._piece = self._piece[taken:]
        self._position += taken
        return taken

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if self._length is None:
            raise io.UnsupportedOperation("only the uploaded file can seek")
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}
        self._position = max(0, starts[whence] + offset)
        self._number, within = divmod(self._position, PART_BYTES)
        self._piece = memoryview(self._next())[within:] if within else memoryview(b"")
        return self._position

    def tell(self) -> int:
        return self._position

    def _next(self) -> bytes:
        if self._length is not None and self._number * PART_BYTES >= self._length:
            return b""
        if self._number not in self._fetched:
            self._fetched = self._fetch()
        part = self._fetched.pop(self._number, None)
        if part is None:
            return b""
        self._number += 1
        return zlib.decompress(
            encryption.unseal_bytes(
                bytes(part.content),
                table=part._meta.db_table,
                column="content",
                primary_key=part.pk,
            )
        )

    def _fetch(self) -> dict[int, LoanFilePart]:
        """The next parts, by their numbers."""
        with scope(self._actor):
            parts = visible_file_parts(self._actor).filter(
                loan_import=self._import_id,
                kind=self._kind,
                number__range=(self._number, self._number + PARTS_AT_ONCE - 1),
            )
            return {part.number: part for part in parts}


def open_kept(
    actor: Actor, loan_import: LoanImport, kind: str = LoanFilePart.Kind.FILE
) -> io.BufferedReader:
    """What is kept of an import, to be read as a stream; empty where nothing is."""
    return io.BufferedReader(Stream(actor, loan_import, kind), PART_BYTES)
