"""Text files as lines: which encoding and delimiter they have, decoded in bounded memory."""

import codecs
import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import IO

from portfolios.file_messages import FileRefused

DELIMITERS = ",;\t|"
LINES_LOOKED_AT = 20
_BLANK = DELIMITERS + '" \r\n\ufeff'
_HEAD_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 18
_LONGEST_LINE = 1 << 20

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "gb18030": "GB18030",
    "cp1252": "Windows-1252",
}
_UTF_8_CHARACTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
# Hanzi and full-width marks of GB 2312, two bytes each: what nearly all simplified text is made of.
_GB_2312_RUN = re.compile(rb"(?:[\xa1-\xa9\xb0-\xf7][\xa1-\xfe])+")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_FOREIGN_RUN = re.compile(r"([A-Za-z]?)([^\x00-\x7f]+)(?=([A-Za-z]?))")


class Text:
    """A text file: its encoding, its lines and how many bytes of it have been read."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._head = file.read(_HEAD_BYTES)
        self.bytes_read = 0
        for mark, encoding in _BYTE_ORDER_MARKS:
            if self._head.startswith(mark):
                self.encoding = encoding
                self.bytes_read = len(mark)
                self._head = self._head[len(mark) :]
                break
        else:
            self.encoding = encoding_of(self._head)
        self.is_empty = not self._head

    def first_lines(self) -> list[str]:
        """The lines by which the delimiter is found, without consuming them."""
        text = self._head.decode(self.encoding, errors="replace")
        return list(itertools.islice(io.StringIO(text, newline="\n"), LINES_LOOKED_AT))

    def lines(self) -> Iterator[str]:
        """The lines with their ends; to be called once.

        Raises `WRONG_ENCODING` and `UNREADABLE_FILE`, without a row, in place of the line where
        the reading breaks off.
        """
        return itertools.chain.from_iterable(self._parts())

    def _parts(self) -> Iterator[Iterable[str]]:
        decoder = codecs.getincrementaldecoder(self.encoding)()
        refused = None
        rest = ""
        block = self._head
        self._head = b""
        while refused is None:
            self.bytes_read += len(block)
            try:
                text = rest + decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                refused = FileRefused("WRONG_ENCODING", encoding=_ENCODING_NAMES[self.encoding])
                text = rest + error.object[: error.start].decode(self.encoding)
            if "\0" in text:
                refused = FileRefused("UNREADABLE_FILE")
                text = text[: text.index("\0")]
            end = text.rfind("\n") + 1
            rest = text[end:]
            yield io.StringIO(text[:end], newline="\n")
            # Bounded so that a file of another kind cannot fill the memory.
            if len(rest) > _LONGEST_LINE:
                refused = FileRefused("UNREADABLE_FILE")
            if not block and refused is None:
                yield [rest] if rest else []
                return
            block = self._file.read(_BLOCK_BYTES)
        raise refused


def encoding_of(head: bytes) -> str:
    """The encoding of a text without byte order mark, from its first bytes.

    UTF-8 if it is valid or hardly anything else; then GB18030 if it looks Chinese; else
    Windows-1252.
    """
    if _decoded(head, "utf-8") is not None:
        return "utf-8"
    high_bytes = sum(map(len, _HIGH_RUN.findall(head)))
    if sum(map(len, _UTF_8_CHARACTER.findall(head))) > 0.9 * high_bytes:
        return "utf-8"
    text = _decoded(head, "gb18030")
    if text is None:
        # With hardly anything but hanzi in it, a broken character does not make it Western.
        is_chinese = sum(map(len, _GB_2312_RUN.findall(head))) > 0.9 * high_bytes
    else:
        is_chinese = _looks_chinese(text)
    return "gb18030" if is_chinese else "cp1252"


def _looks_chinese(text: str) -> bool:
    """Whether a text read as GB18030 makes sense.

    Western letters beyond ASCII, read so, are rare hanzi that touch ASCII letters; in Chinese text
    hanzi stand together, between delimiters and digits, and usual ones are among them.
    """
    chinese = western = 0
    for before, run, after in _FOREIGN_RUN.findall(text):
        if before or after:
            western += len(run)
        elif run.encode("gb2312", errors="ignore"):
            chinese += len(run)
    return chinese > western


def _decoded(head: bytes, encoding: str) -> str | None:
    """The text, but for a character that is cut at the end; None if it is not of the encoding."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None


def delimiter_of(lines: list[str], required: Iterable[str]) -> str:
    """The mark that makes the most of the first lines of a table.

    That is: most of the `required` columns, then several columns at all, then rows as long as the
    header, then many columns.
    """
    wanted = set(required)
    lines = lines[next((i for i, line in enumerate(lines) if line.strip(_BLANK)), 0) :]

    def merit(mark: str) -> tuple:
        header, *others = _rows(lines, mark) or [[]]
        alike = sum(len(row) == len(header) for row in others)
        found = len({name.strip() for name in header} & wanted)
        return found, len(header) > 1, alike, len(header)

    return max(DELIMITERS, key=merit)


def _rows(lines: list[str], mark: str) -> list[list[str]]:
    """The rows as far as they are CSV with this mark."""
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):
        rows.extend(csv.reader(lines, delimiter=mark))
    return rows
