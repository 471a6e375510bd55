"""Reading loan files: CSV rows in, loans or clear errors out, one row at a time.

What is wrong with the whole file raises `InvalidInput` when the reading comes to it; what is wrong
with a row is yielded as `RowError`, one for each bad column, and that row gives no loan. Rows are
numbered as a spreadsheet shows them: the header is row 1.
"""

import csv
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from config import errors, money
from portfolios.mappings import Mapping

LARGEST_BALANCE_MINOR = 10**13
EARLIEST_YEAR = 1900
DELIMITERS = ",;\t|"

_LONGEST_LINE = 1 << 20
_LONGEST_SHOWN = 80
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row cannot be taken. `value` is cut to 80 characters, and empty for personal data."""

    row: int
    column: str
    value: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class LoanRow:
    """One loan of a file. `days_past_due` is counted on the day of the import."""

    row: int
    reference: str
    balance_minor: int
    rate_ppm: int
    opened_on: date
    last_payment_on: date | None
    days_past_due: int
    region: str
    grade: str
    product: str
    borrower_name: str
    phone: str
    email: str
    address: str
    national_id: str


class Row:
    """The cells of one row by column, read one by one; what is wrong gathers in `problems`."""

    def __init__(self, number: int, cells: dict[str, str]):
        self.number = number
        self.cells = cells
        self.problems: list[RowError] = []

    def take(
        self,
        column: str,
        parse: Callable[[str], Any],
        *,
        value: str | None = None,
        is_personal: bool = False,
    ) -> Any:
        """`parse` of the cell (or of `value`); None, and one more problem, where it refuses."""
        text = self.cells.get(column, "") if value is None else value
        try:
            return parse(text)
        except errors.InvalidInput as error:
            shown = "" if is_personal else text[:_LONGEST_SHOWN]
            self.problems.append(
                RowError(self.number, column[:_LONGEST_SHOWN], shown, error.code, error.message)
            )
            return None


def read(
    file: IO[bytes], mapping: Mapping, *, currency: str, as_of: date
) -> Iterator[LoanRow | RowError]:
    """The loans of a CSV file (UTF-8; comma, semicolon, tab or bar) and the errors in its rows.

    `currency` is the portfolio's, `as_of` today where the bank is: no date may be later, and days
    past due run to it from the last payment, or from the opening of a loan never paid.

    Raises `WRONG_CURRENCY`, `UNKNOWN_CURRENCY`, `EMPTY_FILE`, `WRONG_ENCODING`,
    `UNREADABLE_FILE`, `MISSING_COLUMNS`, `DUPLICATE_COLUMNS`.
    """
    money.exponent(currency)
    if mapping.currency not in (None, currency):
        raise errors.InvalidInput(
            "WRONG_CURRENCY", f"This kind of file is in {mapping.currency}, not in {currency}."
        )
    seen: dict[str, int] = {}
    for row in open_table(file, required=mapping.required_columns()):
        if isinstance(row, RowError):
            yield row
            continue
        loan = _loan(row, mapping, currency=currency, as_of=as_of, seen=seen)
        yield from [loan] if loan else row.problems


def open_table(file: IO[bytes], *, required: Iterable[str]) -> Iterator[Row | RowError]:
    """The rows of a CSV file by column name; blank rows are passed over, ragged ones are errors.

    Any table with a header is read this way; see `read` for what is raised.
    """
    required = list(required)
    lines = _lines(file)
    header_line = next(lines, None)
    if header_line is None:
        raise errors.InvalidInput("EMPTY_FILE", "The file is empty.")

    delimiter = delimiter_of(header_line, required)
    header = _columns(header_line, delimiter)
    _check_header(header, required)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    for number in itertools.count(2):
        try:
            values = next(reader, None)
        except csv.Error as error:
            raise _not_csv(number) from error
        if values is None:
            return
        if not any(value.strip() for value in values):
            continue
        if len(values) == len(header):
            yield Row(number, dict(zip(header, map(str.strip, values), strict=True)))
        else:
            yield RowError(
                number,
                "",
                str(len(values)),
                "WRONG_COLUMN_COUNT",
                f"The header has {len(header)} columns, this row has {len(values)}.",
            )


def delimiter_of(header_line: str, required: Iterable[str]) -> str:
    """The mark that makes the most of the `required` columns out of the first line."""
    return max(DELIMITERS, key=lambda mark: len(set(_columns(header_line, mark)) & set(required)))


def _columns(header_line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([header_line], delimiter=delimiter), [])]
    except csv.Error as error:
        raise _not_csv(1) from error


def _not_csv(row: int) -> errors.InvalidInput:
    return errors.InvalidInput(
        "UNREADABLE_FILE",
        "From this row on the file is not CSV; is a quotation mark not closed?",
        row=row,
    )


def present(text: str) -> str:
    """The text, unless it is blank: `MISSING_VALUE`."""
    if not text:
        raise errors.InvalidInput("MISSING_VALUE", "This must not be blank.")
    return text


def reference_text(text: str) -> str:
    """A reference: 1 to 60 characters. Raises `MISSING_VALUE`, `TOO_LONG`."""
    return short_text(present(text), 60)


def short_text(text: str, longest: int) -> str:
    """A text of at most `longest` characters, else `TOO_LONG`."""
    if len(text) > longest:
        raise errors.InvalidInput("TOO_LONG", f"This has more than {longest} characters.")
    return text


def unique(reference: str, row: int, seen: dict[str, int]) -> str:
    """The reference, kept in `seen`; `DUPLICATE_REFERENCE` if an earlier row has it."""
    first = seen.setdefault(reference, row)
    if first != row:
        raise errors.InvalidInput(
            "DUPLICATE_REFERENCE", f"Row {first} of this file has the same reference."
        )
    return reference


@functools.lru_cache(maxsize=8192)
def past_date(text: str, formats: tuple[str, ...], as_of: date) -> date:
    """A date from 1900 on. Raises `MISSING_VALUE`, `INVALID_DATE`, `FUTURE_DATE`."""
    for format_ in formats:
        try:
            day = datetime.strptime(present(text), format_).date()
        except ValueError:
            continue
        if day > as_of:
            raise errors.InvalidInput("FUTURE_DATE", f"This date is after {as_of.isoformat()}.")
        if day.year >= EARLIEST_YEAR:
            return day
    raise errors.InvalidInput(
        "INVALID_DATE", f"This is not a date as expected, such as {as_of.strftime(formats[0])}."
    )


def _lines(file: IO[bytes]) -> Iterator[str]:
    """Decoded lines; a line is bounded so that a file of another kind cannot fill the memory."""
    for number in itertools.count(1):
        line = file.readline(_LONGEST_LINE + 1)
        if not line:
            return
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if len(line) > _LONGEST_LINE:
            raise errors.InvalidInput(
                "UNREADABLE_FILE", "This is not a CSV file: a line is too long.", row=number
            )
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise errors.InvalidInput(
                "WRONG_ENCODING", "The file is not in UTF-8. Save it as CSV UTF-8.", row=number
            ) from error
        if "\0" in text:
            raise errors.InvalidInput(
                "UNREADABLE_FILE", "This is not a text file, or it is in UTF-16.", row=number
            )
        yield text


def _check_header(header: list[str], required: list[str]) -> None:
    missing = [column for column in required if column not in header]
    if missing:
        raise errors.InvalidInput(
            "MISSING_COLUMNS", f"The file has no column {', '.join(missing)}.", row=1
        )
    repeated = sorted({column for column in header if column and header.count(column) > 1})
    if repeated:
        raise errors.InvalidInput(
            "DUPLICATE_COLUMNS", f"The file has two columns {', '.join(repeated)}.", row=1
        )


def _loan(
    row: Row, mapping: Mapping, *, currency: str, as_of: date, seen: dict[str, int]
) -> LoanRow | None:
    """The loan of a row, or None with `row.problems` filled."""
    columns = mapping.columns

    def text(name: str, longest: int, *, is_personal: bool = False) -> Any:
        if name not in columns:
            return mapping.constants.get(name, "")
        return row.take(
            columns[name], lambda value: short_text(value, longest), is_personal=is_personal
        )

    def day(text: str) -> date:
        return past_date(text, mapping.date_formats, as_of)

    def last_payment(text: str) -> date | None:
        paid_on = day(text) if text else None
        if paid_on and opened_on and paid_on < opened_on:
            raise errors.InvalidInput(
                "DATES_OUT_OF_ORDER", "The last payment is before the loan was opened."
            )
        return paid_on

    reference = row.take(
        columns["reference"], lambda value: unique(reference_text(value), row.number, seen)
    )
    balance_minor = _balance(row, mapping, currency)
    rate_ppm = row.take(columns["rate"], lambda value: _rate(value, mapping))
    opened_on = row.take(columns["opened_on"], day)
    last_payment_on = row.take(columns["last_payment_on"], last_payment)
    texts = {
        "region": text("region", 20),
        "grade": text("grade", 10),
        "product": text("product", 60),
        "borrower_name": text("borrower_name", 200, is_personal=True),
        "phone": text("phone", 60, is_personal=True),
        "email": text("email", 254, is_personal=True),
        "address": text("address", 500, is_personal=True),
        "national_id": text("national_id", 60, is_personal=True),
    }
    if row.problems:
        return None
    return LoanRow(
        row=row.number,
        reference=reference,
        balance_minor=balance_minor,
        rate_ppm=rate_ppm,
        opened_on=opened_on,
        last_payment_on=last_payment_on,
        days_past_due=max(0, (as_of - (last_payment_on or opened_on)).days),
        **texts,
    )


def _balance(row: Row, mapping: Mapping, currency: str) -> Any:
    """The unpaid balance in minor units, given exactly or computed and rounded once."""

    def number(text: str) -> Decimal:
        value = money.parse_number(present(text), decimal_mark=mapping.decimal_mark)
        if value < 0:
            raise errors.InvalidInput("NEGATIVE_AMOUNT", "An amount must not be negative.")
        return value

    def balance(value: Decimal, *, rounding: bool) -> int:
        balance_minor = money.minor_units(value, currency, rounding=rounding)
        if balance_minor <= 0:
            raise errors.InvalidInput("NOTHING_OWED", "Nothing is owed on this loan.")
        if balance_minor > LARGEST_BALANCE_MINOR:
            raise errors.InvalidInput("AMOUNT_TOO_LARGE", "No loan is as large as this.")
        return balance_minor

    formula = mapping.balance_formula
    if formula is None:
        column = mapping.columns["balance"]
        return row.take(column, lambda text: balance(number(text), rounding=False))
    numbers = {name: row.take(name, number) for name in formula.names}
    if None in numbers.values():
        return None
    return row.take(
        mapping.computed["balance"],
        lambda _: balance(formula.value(numbers), rounding=True),
        value=" ; ".join(row.cells[name] for name in formula.names),
    )


def _rate(text: str, mapping: Mapping) -> int:
    """A yearly rate in ppm, 0 to 100 %, from a fraction or a percentage; `INVALID_RATE`."""
    value = money.parse_number(present(text), decimal_mark=mapping.decimal_mark)
    numerator, denominator = value.as_integer_ratio()
    whole = {"fraction": 1, "percent": 100}[mapping.rate_unit]
    rate_ppm = money.round_half_away(numerator * money.PPM, denominator * whole)
    if not 0 <= rate_ppm <= money.PPM:
        raise errors.InvalidInput("INVALID_RATE", "A rate is between 0 and 100 %.")
    return rate_ppm
