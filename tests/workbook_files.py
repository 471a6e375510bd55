"""XLSX workbooks for tests: the least that is one, written by hand."""

import datetime
import io
import zipfile
from xml.sax.saxutils import escape

DAY_STYLE, MOMENT_STYLE = 1, 2
PERCENT_STYLE, COLOURED_PERCENT_STYLE, LITERAL_SIGN_STYLE = 3, 4, 5
_EPOCH = datetime.datetime(1899, 12, 30)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Loans" sheetId="1" r:id="r1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" '
        f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
        '<numFmt numFmtId="164" formatCode="0.0#%;[Red]\\-0.0#%"/>'
        '<numFmt numFmtId="165" formatCode="0.0&quot;%&quot;\\%"/></numFmts>'
        '<cellStyleXfs count="2"><xf numFmtId="0"/><xf numFmtId="9"/></cellStyleXfs>'
        '<cellXfs count="6"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="22" applyNumberFormat="1"/>'
        '<xf numFmtId="10"/><xf numFmtId="164"/><xf numFmtId="165"/>'
        "</cellXfs></styleSheet>"
    ),
}


class Percent(float):
    """A number in a cell that is formatted as per cent: 0.125 shows 12.50%."""


def workbook(rows, *, first_row: int = 1) -> bytes:
    """An XLSX file with these rows (lists of None, str, bool, number, date or datetime)."""
    lines = [
        f'<row r="{number}">{"".join(map(_cell, _references(number), row))}</row>'
        for number, row in enumerate(rows, start=first_row)
    ]
    return packed(f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>')


def packed(sheet: str) -> bytes:
    """An XLSX file with this XML as its sheet."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (PARTS | {"xl/worksheets/sheet1.xml": sheet}).items():
            archive.writestr(name, text)
    return file.getvalue()


def _references(number: int):
    for index in range(26 * 27):
        letters = chr(65 + index % 26)
        yield (chr(64 + index // 26) if index >= 26 else "") + letters + str(number)


def _cell(reference: str, value) -> str:
    match value:
        case None:
            return ""
        case str():
            text = escape(value)
            return (
                f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
            )
        case bool():
            return f'<c r="{reference}" t="b"><v>{int(value)}</v></c>'
        case datetime.datetime():
            days = (value - _EPOCH) / datetime.timedelta(days=1)
            return f'<c r="{reference}" s="{MOMENT_STYLE}"><v>{days!r}</v></c>'
        case datetime.date():
            days = (value - _EPOCH.date()).days
            return f'<c r="{reference}" s="{DAY_STYLE}"><v>{days}</v></c>'
        case Percent():
            return f'<c r="{reference}" s="{PERCENT_STYLE}"><v>{float(value)!r}</v></c>'
    return f'<c r="{reference}"><v>{value!r}</v></c>'
