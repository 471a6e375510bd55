"""Tables: encodings, delimiters, workbooks, ragged rows, trailers, and files that are none."""

import datetime
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import errors
from portfolios import tables, text_files, workbooks
from portfolios.file_messages import RowError
from tests import workbook_files
from tests.workbook_files import (
    COLOURED_PERCENT_STYLE,
    LITERAL_SIGN_STYLE,
    PERCENT_STYLE,
    packed,
    workbook,
)


def opened(content, **options):
    content = content if isinstance(content, bytes) else content.encode()
    return tables.open_table(io.BytesIO(content), **options)


def everything(table, **options):
    """(numbers, rows, problems) of all batches."""
    batches = list(table.batches(**options))
    return (
        [number for batch in batches for number in batch.numbers],
        [row for batch in batches for row in batch.rows],
        [problem for batch in batches for problem in batch.problems],
    )


def refusal(content, **options):
    with pytest.raises(errors.InvalidInput) as caught:
        list(opened(content, **options).batches())
    assert caught.value.message
    return caught.value.code, caught.value.row


CHINESE = "贷款编号,客户姓名,本金余额\nDK1,王芳,100.00\nDK2,张伟,200.50\n"
WESTERN = "Nr,Name,Straße\n1,Ångström,Königsallee 1\n2,Müller,Rue de l’Église – 2\n"


@pytest.mark.parametrize(
    ("text", "python_name", "mark", "encoding"),
    [
        (CHINESE, "utf-8", b"", "utf-8"),
        (CHINESE, "utf-8", b"\xef\xbb\xbf", "utf-8"),
        (CHINESE, "utf-16-le", b"\xff\xfe", "utf-16-le"),
        (CHINESE, "utf-16-be", b"\xfe\xff", "utf-16-be"),
        (CHINESE, "gb18030", b"", "gb18030"),
        ("id,name\n1,王芳\n", "gb18030", b"", "gb18030"),
        ("id,姓名\n1,O'Neill\n2,Smith\n", "gbk", b"", "gb18030"),
        ("编号,姓名\n1,王喆\n2,朱镕基\n3,㐀\n", "gb18030", b"", "gb18030"),
        (WESTERN, "cp1252", b"", "cp1252"),
        ("Nr,Größe\n1,5 €\n", "cp1252", b"", "cp1252"),
        ("nr,name\n1,José\n", "cp1252", b"", "cp1252"),
        ("nr,name\n1,GRÖßER\n2,ÄÖÜ\n", "cp1252", b"", "cp1252"),
        ("nr,name\n1,GRÖßE\n", "cp1252", b"", "cp1252"),
        ("nr,name\n1,Él\n2,20°C\n3,Ödön\n", "cp1252", b"", "cp1252"),
        ("編號,姓名\n1,張偉\n2,劉銀\n", "gb18030", b"", "gb18030"),
        (WESTERN, "utf-8", b"", "utf-8"),
        ("nr,name\n1,Ann\n", "ascii", b"", "utf-8"),
    ],
)
def test_encodings(text, python_name, mark, encoding):
    content = mark + text.encode(python_name)
    table = opened(content)
    assert table.encoding == encoding
    [*batches] = table.batches()
    header, *lines = [line.split(",") for line in text.splitlines()]
    assert table.columns == header
    assert [row for batch in batches for row in batch.rows] == lines
    assert batches[-1].bytes_read == len(content)


LONG = "贷款编号,客户姓名\n" + "DK1,王芳\n" * 100_000


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (LONG.encode() + b"DK2,\xff\n", 100_002),
        (LONG.encode("gb18030") + b"DK2,\xff\xff\n", 100_002),
        (LONG.encode("gb18030") * 2 + b"DK2,\xff\xff\n", 200_003),
        (b"\xff\xfe" + "a,b\n1,2\n".encode("utf-16-le") + b"\x00\xdc\x00\xd8", 3),
        (CHINESE.encode() + b"DK3,\xcd\xf5\xb7\xbc,1\n" + CHINESE.encode() * 9, 4),
        (b"a,b\n1,\x81\n", 2),
        (CHINESE.encode()[:-12] + b"\xe5\xbc", 3),
    ],
)
def test_a_byte_of_another_encoding_is_never_taken_for_something_else(content, row):
    assert refusal(content) == ("WRONG_ENCODING", row)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_delimiters_and_line_ends(delimiter, line_end):
    text = line_end.join([delimiter.join(row) for row in (["a", "b"], ["1", "2"])])
    table = opened(text)
    assert (table.delimiter, table.columns) == (delimiter, ["a", "b"])
    assert everything(table) == ([2], [["1", "2"]], [])


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("name, first;amount;note\nA;1,5;x\nB;2,5;y\n", ";"),
        ("a,b;c\n1,2;3\n", ","),
        ('"a;b;c",d\n"1;2;3",4\n', ","),
        ("name|amount\nLee, Ann|5\nRay, Bob|6\n", "|"),
        ("only\nword\n", ","),
    ],
)
def test_a_delimiter_is_found_in_the_rows_as_well(text, delimiter):
    assert opened(text).delimiter == delimiter


def test_the_columns_that_are_needed_decide_the_delimiter():
    text = "loan;id,a;b,c;d\n1;2,3;4,5;6\n"
    assert opened(text).delimiter == ";"
    assert opened(text, required=["loan;id"]).delimiter == ","


def test_any_single_delimiter_can_be_given():
    table = opened("a~b\n1,5~2\n", delimiter="~")
    assert everything(table) == ([2], [["1,5", "2"]], [])


def test_quotes_blank_rows_and_spaces():
    text = '\n  \n a ,"b"\n"1, ""x""\nline"," 2 "\n\n,\n\u30003\u3000,"4"\n'
    table = opened(text)
    assert table.columns == ["a", "b"]
    assert everything(table) == ([4, 7], [['1, "x"\nline', "2"], ["3", "4"]], [])


def test_separators_of_unicode_are_no_line_ends():
    assert everything(opened("a,b\n1,x\u2028y\x85z\x0bw\n"))[1] == [["1", "x\u2028y\x85z\x0bw"]]


def test_ragged_rows_are_told_with_their_cells():
    table = opened("a,b\n1\n1,2\n1,2,3\n")
    [batch] = table.batches()
    assert (batch.numbers, batch.rows) == ([3], [["1", "2"]])
    assert batch.ragged == {2: ["1"], 4: ["1", "2", "3"]}
    message = "The header has 2 columns, this row has %s."
    assert batch.problems == [
        RowError(
            row,
            "",
            str(given_),
            "WRONG_COLUMN_COUNT",
            message % given_,
            {"expected": 2, "given": given_},
        )
        for row, given_ in ((2, 1), (4, 3))
    ]


@pytest.mark.parametrize(
    "line",
    ["TRAILER,2,350.00", "Total:,2,,350.00", "合计,2,350.00,,", "TOTAL,,350.00", "total,1,350"],
)
def test_a_trailer_is_no_row_and_not_ragged(line):
    table = opened(f"a,b,c\n1,2,3\n4,5,6\n{line}\n\n,,\n")
    assert everything(table) == ([2, 3], [["1", "2", "3"], ["4", "5", "6"]], [])
    assert table.trailer == (4, line.split(","))


@pytest.mark.parametrize("line", ["TOTAL,X,3", "TOTAL,1,2", "TOTALLY,5,", "TOTAL,,"])
def test_only_the_last_row_with_figures_alone_is_a_trailer(line):
    after = "" if line != "TOTAL,1,2" else "7,8,9\n"
    table = opened(f"a,b,c\n1,2,3\n{line}\n{after}")
    assert len(everything(table)[1]) == (3 if after else 2)
    assert table.trailer is None


def test_a_sample_takes_nothing_away():
    table = opened("a,b\n1,2\n\n3\n4,5\n6,7\nTOTAL,3\n")
    assert table.sample(1) == [["1", "2"]]
    assert table.sample(2) == [["1", "2"], ["4", "5"]]
    assert table.sample() == [["1", "2"], ["4", "5"], ["6", "7"]]
    numbers, rows, problems = everything(table)
    assert (numbers, rows) == ([2, 5, 6], [["1", "2"], ["4", "5"], ["6", "7"]])
    assert [problem.row for problem in problems] == [4]
    assert table.trailer == (7, ["TOTAL", "3"])


def test_progress_never_falls_and_ends_at_the_end():
    content = b"a,b\n" + b"1,2\n" * 500_000
    read = [batch.bytes_read for batch in opened(content).batches()]
    assert read == sorted(read)
    assert len(set(read)) > 2
    assert read[-1] == len(content)


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@given(
    st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=25),
    st.integers(1, 9),
    st.integers(0, 30),
)
def test_batches_of_any_size_give_the_same_rows_and_after_row_their_end(lines, size, after_row):
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines]
    content = "\n".join(["a,b", *quoted])
    whole = everything(opened(content))
    assert everything(opened(content), rows=size) == whole
    numbers, rows, problems = everything(opened(content), rows=size, after_row=after_row)
    start = sum(number <= after_row for number in whole[0])
    assert (numbers, rows) == (whole[0][start:], whole[1][start:])
    assert problems == [problem for problem in whole[2] if problem.row > after_row]


@given(st.binary(max_size=400), st.sampled_from([b"", b"a,b\n", b"\xff\xfe", b"PK\x03\x04"]))
def test_any_bytes_are_a_table_or_refused(content, start):
    try:
        _, rows, _ = everything(opened(start + content))
    except errors.InvalidInput:
        return
    assert all(any(row) for row in rows)


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [
        (b"", "EMPTY_FILE", None),
        (b"\xef\xbb\xbf", "EMPTY_FILE", None),
        (b"\n \n,,\n", "EMPTY_FILE", None),
        ("a,b\n1,2\n".encode("utf-16-le"), "UNREADABLE_FILE", 1),
        (b"a,b\n1,2\n3,\x00\n", "UNREADABLE_FILE", 3),
        (b'a,b\n1,2\n"3,4\n', "UNREADABLE_FILE", 3),
        (b'a,b\n1,2\n"3"x,4\n', "UNREADABLE_FILE", 3),
        (b"x" * (3 << 20), "UNREADABLE_FILE", 1),
        (b"x" * 200_000, "UNREADABLE_FILE", 1),
        (b"a,b\n" + b"1," + b"x" * (3 << 20), "UNREADABLE_FILE", 2),
        (b"a,b\r1,2\r", "UNREADABLE_FILE", 1),
        (b"a,b\n1,a\r2,b\n", "UNREADABLE_FILE", 2),
        (b"a,b,a\n1,2,3\n", "DUPLICATE_COLUMNS", 1),
        (b"a" + b"," * 1_000, "TOO_MANY_COLUMNS", 1),
        (b"PK\x03\x04\x00\x00\x00", "UNREADABLE_FILE", 1),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "UNREADABLE_FILE", 1),
    ],
)
def test_a_file_that_cannot_be_read(content, code, row):
    assert refusal(content) == (code, row)


def test_every_missing_column_is_named_once():
    with pytest.raises(errors.InvalidInput) as refused:
        opened("b,c\n", required=["a", "b", "d", "a"])
    assert (refused.value.code, refused.value.row) == ("MISSING_COLUMNS", 1)
    assert refused.value.message == "The file has no column a, d."


def test_a_workbook():
    table = opened(
        workbook(
            [
                ["loan", "balance", "opened", "seen", "secured", None],
                ["L1", 1234.5, datetime.date(2024, 1, 31), None, True],
                [None, None],
                [
                    7,
                    0.1 + 0.2,
                    datetime.date(1999, 12, 31),
                    datetime.datetime(2024, 1, 2, 3, 4, 5),
                    False,
                ],
                [123456789012345678, 1e-7, " x ", 1e16, None],
            ]
        )
    )
    assert (table.encoding, table.delimiter) == ("", "")
    assert table.columns == ["loan", "balance", "opened", "seen", "secured"]
    assert table.sample(1) == [["L1", "1234.5", "2024-01-31", "", "true"]]
    [batch] = table.batches()
    assert batch.numbers == [2, 4, 5]
    assert batch.rows[1:] == [
        ["7", "0.3", "1999-12-31", "2024-01-02 03:04:05", "false"],
        ["123456789012345680", "0.0000001", "x", "10000000000000000", ""],
    ]
    assert batch.problems == []


def test_rows_of_a_workbook_are_numbered_as_it_shows_them():
    content = workbook([["a", "b"], [1, 2], [1, 2, 3]], first_row=5)
    table = opened(content)
    [batch] = table.batches()
    assert (batch.numbers, batch.ragged) == ([6], {7: ["1", "2", "3"]})
    assert batch.bytes_read == len(content)


def test_a_number_that_a_workbook_shows_as_per_cent_has_the_sign():
    plain, coloured, literal = PERCENT_STYLE, COLOURED_PERCENT_STYLE, LITERAL_SIGN_STYLE
    sheet = SHEET.format(
        '<row r="2"><c r="C2" t="str"><v>a</v></c><c t="str"><v>b</v></c><c t="str"><v>c</v></c>'
        f'</row><row><c r="C3" s="{plain}"><v>0.125</v></c><c s="{coloured}"><v>-0.07</v></c>'
        f'<c s="{literal}"><v>12.5</v></c></row>'
        f'<row r="5"><c r="C5"><v>0.125</v></c><c r="D5" s="{plain}"><v>1</v></c>'
        f'<c r="E5" s="{plain}" t="b"><v>1</v></c></row>'
        f'<row r="6"><c r="C6" s="{plain}" t="str"><v>n/a</v></c><c r="D6" s="{plain}"/>'
        f'<c r="E6" s="{plain}"><v>1.23456789e-7</v></c></row>'
    )
    [batch] = opened(packed(sheet)).batches()
    assert batch.numbers == [3, 5, 6]
    assert batch.rows == [
        ["12.5%", "-7%", "12.5"],
        ["0.125", "100%", "true"],
        ["n/a", "", "0.0000123456789%"],
    ]


def test_a_workbook_declares_no_document_type():
    entities = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    sheet = SHEET.format(f'<row r="1"><c r="A1" s="{PERCENT_STYLE}"><v>1</v></c></row>')
    assert refusal(packed(entities + sheet))[0] == "UNREADABLE_FILE"


def test_a_trailer_in_a_workbook():
    table = opened(workbook([["a", "b", "c"], ["1", 2, 3], ["合计", 1, 3.5]]))
    assert everything(table) == ([2], [["1", "2", "3"]], [])
    assert table.trailer == (3, ["合计", "1", "3.5"])


def declared(content, size_bytes):
    """The workbook with another size of its sheet in the list of its parts."""
    content = bytearray(content)
    entry = content.rfind(b"PK\x01\x02")
    assert b"sheet1.xml" in content[entry : entry + 80]
    content[entry + 24 : entry + 28] = size_bytes.to_bytes(4, "little")
    return bytes(content)


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}'
SHEET += "</sheetData></worksheet>"
FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="{0}"><c {1}r = "{2}{0}"><v>1</v></c></row>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (workbook([["a"]])[:200], "UNREADABLE_FILE"),
        (workbook([["a", "b"]] * 3)[:-30], "UNREADABLE_FILE"),
        (packed("<worksheet"), "UNREADABLE_FILE"),
        (packed(SHEET.format("")), "EMPTY_FILE"),
        (packed(SHEET.format(FAR.format(100_002, "", "A"))), "TOO_MANY_ROWS"),
        (packed(SHEET.format(FAR.format(1_048_576, "s='0'  ", "XFD"))), "TOO_MANY_ROWS"),
        (packed(SHEET.format(FAR.format(90_000, "", "xfd"))), "WORKBOOK_TOO_LARGE"),
        (declared(packed(SHEET.format(" ")), 600 << 20), "WORKBOOK_TOO_LARGE"),
        (declared(packed(SHEET.format(" " * (8 << 20))), 1 << 20), "UNREADABLE_FILE"),
    ],
    ids=range(9),
)
def test_a_workbook_that_cannot_be_read(content, code):
    assert refusal(content)[0] == code


def test_a_hundred_thousand_rows_are_the_most_of_a_workbook():
    rows = [["a", "b"], *([number, 1] for number in range(workbooks.LARGEST_SHEET_ROWS))]
    batches = list(opened(workbook(rows)).batches())
    assert sum(len(batch.rows) for batch in batches) == 100_000
    assert batches[-1].numbers[-1] == 100_001
    assert refusal(workbook([*rows, ["x", 1]]))[0] == "TOO_MANY_ROWS"


def test_the_made_workbooks_are_what_zipfile_reads():
    with zipfile.ZipFile(io.BytesIO(workbook([["a"]]))) as archive:
        assert archive.testzip() is None
        assert set(workbook_files.PARTS) < set(archive.namelist())


def test_the_encoding_is_decided_by_what_there_is_most_of():
    assert text_files.encoding_of("编号,姓名,Größe".encode("gb18030")) == "gb18030"
    assert text_files.encoding_of(b"") == "utf-8"
