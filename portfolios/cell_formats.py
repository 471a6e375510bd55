"""Which cells of a workbook are formatted as per cent: they show 12.5% and hold 0.125.

What reads the cells tells nothing of their formats, so the parts of the workbook that do are read
beside it (ECMA-376, part 1: 18.3.1.4 `c`, 18.8.30 `numFmt`, 18.8.10 `cellXfs`), a block at a time.
The sheet itself is read only where the workbook has such a format at all.
"""

import posixpath
import re
import zipfile
from collections.abc import Callable
from xml.parsers import expat

Masks = dict[int, int]
"""Row, from 0 on → a bit for each column, from 0 on."""

_BLOCK_BYTES = 1 << 20
_LONGEST_NAME = 3
_MOST_COLUMNS = 1 << 14
_BUILT_IN = frozenset({"9", "10"})
_LISTS = frozenset({"cellStyleXfs", "cellXfs", "cellStyles", "dxfs"})
_LITERAL = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]')
"""What a format shows as it stands, and colours and conditions: a sign in it multiplies nothing."""

Started = Callable[[str, dict[str, str]], None]


def percent_cells(archive: zipfile.ZipFile, *, most_rows: int) -> Masks:
    """The cells of the first sheet that are formatted as per cent, in the first `most_rows` rows.

    Raises `expat.ExpatError` for parts that are no XML.
    """
    parts = {member.filename.lower().lstrip("/"): member for member in archive.infolist()}
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"} <= parts.keys():
        return {}
    styles = _percent_styles(archive, parts["xl/styles.xml"])
    sheet = parts.get(_first_sheet(archive, parts)) if styles else None
    return _cells_of(archive, sheet, styles, most_rows) if sheet else {}


def _percent_styles(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> frozenset[str]:
    """The styles of cells, by their number as the sheet writes it, with a format of per cent."""
    formats = set(_BUILT_IN)
    found: list[str] = []
    is_inside = False
    count = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal count, is_inside
        name = _local(name)
        if name == "numFmt" and "%" in _LITERAL.sub("", attributes.get("formatCode", "")):
            formats.add(attributes.get("numFmtId", ""))
        elif name == "xf" and is_inside:
            if attributes.get("numFmtId") in formats:
                found.append(str(count))
            count += 1
        elif name in _LISTS:
            is_inside = name == "cellXfs"

    _read(archive, part, started)
    return frozenset(found)


def _first_sheet(archive: zipfile.ZipFile, parts: dict[str, zipfile.ZipInfo]) -> str:
    """The path of the part in which the first sheet is, in lower case."""
    sheets: list[str] = []
    targets: dict[str, str] = {}

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "sheet":
            ids = [value for key, value in attributes.items() if _local(key) == "id"]
            sheets.extend(ids[:1])

    def relationship(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _read(archive, parts["xl/workbook.xml"], sheet)
    _read(archive, parts["xl/_rels/workbook.xml.rels"], relationship)
    target = targets.get(sheets[0], "") if sheets else ""
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/").lower()


def _cells_of(
    archive: zipfile.ZipFile, part: zipfile.ZipInfo, styles: frozenset[str], most_rows: int
) -> Masks:
    masks: Masks = {}
    same: dict[int, int] = {}
    row, column = -1, -1

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column
        name = _local(name)
        if name == "c":
            letters = attributes.get("r", "").rstrip("0123456789")[:_LONGEST_NAME]
            column = column_number(letters) if letters else column + 1
            is_inside = 0 <= row < most_rows and 0 <= column < _MOST_COLUMNS
            if is_inside and attributes.get("s", "0") in styles:
                masks[row] = masks.get(row, 0) | 1 << column
        elif name == "row":
            if row in masks:
                # Most rows are formatted alike: one number in memory stands for all of them.
                masks[row] = same.setdefault(masks[row], masks[row])
            row, column = int(attributes["r"]) - 1 if "r" in attributes else row + 1, -1

    _read(archive, part, started)
    return masks


def column_number(name: str) -> int:
    """The place of a column from 0 on: A is 0, AA is 26."""
    number = 0
    for letter in name.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def _local(name: str) -> str:
    """A name without the prefix of its namespace."""
    return name[name.find(":") + 1 :]


def _read(archive: zipfile.ZipFile, part: zipfile.ZipInfo, started: Started) -> None:
    """Go through the elements of a part."""

    def refuse(*_given: object) -> None:
        # Entities could make a small part large, and a workbook has none.
        raise ValueError("a part of a workbook declares a document type")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = started
    with archive.open(part) as file:
        while block := file.read(_BLOCK_BYTES):
            parser.Parse(block, False)
        parser.Parse(b"", True)
