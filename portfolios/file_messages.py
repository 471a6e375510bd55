"""What is told about files: each code's sentence, and the errors that carry them.

The sentences are English and marked for the catalogue; whoever shows one translates the template
of its code and fills in `params`. Engines know no Django, so the mark is a function of this file.
"""

from dataclasses import dataclass, field
from typing import Any

from config import errors

LONGEST_SHOWN = 80


def gettext_noop(sentence: str) -> str:
    """The sentence itself; the name tells `make messages` to collect it."""
    return sentence


TEMPLATES: dict[str, str] = {
    # The whole file
    "EMPTY_FILE": gettext_noop("The file is empty."),
    "UNREADABLE_FILE": gettext_noop(
        "From this row on the file cannot be read: it is damaged, not a table, or a quotation "
        "mark is not closed."
    ),
    "WRONG_ENCODING": gettext_noop(
        "From this row on the file is not in %(encoding)s. Save it as CSV UTF-8."
    ),
    "TOO_MANY_ROWS": gettext_noop(
        "A workbook has at most %(rows)s rows. Save a larger one as CSV."
    ),
    "WORKBOOK_TOO_LARGE": gettext_noop("This workbook is too large. Save it as CSV."),
    "TOO_MANY_COLUMNS": gettext_noop("A file has at most %(columns)s columns."),
    "MISSING_COLUMNS": gettext_noop("The file has no column %(columns)s."),
    "DUPLICATE_COLUMNS": gettext_noop("The file has two columns %(columns)s."),
    "WRONG_CURRENCY": gettext_noop("This is in %(given)s, not in %(expected)s."),
    "UNKNOWN_CURRENCY": gettext_noop("The currency is not a code of ISO 4217 such as EUR."),
    # A row
    "WRONG_COLUMN_COUNT": gettext_noop(
        "The header has %(expected)s columns, this row has %(given)s."
    ),
    "MISSING_VALUE": gettext_noop("This must not be blank."),
    "TOO_LONG": gettext_noop("This has more than %(longest)s characters."),
    "INVALID_NUMBER": gettext_noop(
        "This is not a plain number: digits and one “%(decimal_mark)s” are read, and thousands "
        "separators only where the mapping names them."
    ),
    "INVALID_WHOLE_NUMBER": gettext_noop(
        "This is not a whole number from %(lowest)s to %(highest)s."
    ),
    "TOO_MANY_DECIMALS": gettext_noop(
        "An amount in %(currency)s has at most %(decimals)s decimals."
    ),
    "MINOR_UNITS_ARE_WHOLE": gettext_noop("An amount in minor units has no decimals."),
    "AMOUNT_TOO_LARGE": gettext_noop("No amount is as large as this."),
    "NEGATIVE_AMOUNT": gettext_noop("An amount must not be negative."),
    "NOT_POSITIVE": gettext_noop("This must be an amount above zero."),
    "NOTHING_OWED": gettext_noop("Nothing is owed on this loan."),
    "INVALID_RATE": gettext_noop("A rate is between 0 and 100 %%."),
    "INVALID_DATE": gettext_noop("This is not a date as expected, such as %(example)s."),
    "FUTURE_DATE": gettext_noop("This date is after %(as_of)s."),
    "DATES_OUT_OF_ORDER": gettext_noop("The last payment is before the loan was opened."),
    "UNKNOWN_CHOICE": gettext_noop("This is not one of %(choices)s."),
    "NO_RESULT": gettext_noop("The formula has no result for this row."),
    "DUPLICATE_REFERENCE": gettext_noop("Row %(first)s of this file has the same reference."),
    "ALREADY_THERE": gettext_noop("You have a loan with this reference already."),
    "NOTHING_TO_CHANGE": gettext_noop("This row says nothing that could be changed."),
    "UNKNOWN_LOAN": gettext_noop("You have no loan with this reference."),
    "NOBODY_NAMED": gettext_noop("Nobody is known to owe this loan."),
    "DUPLICATE_PAYMENT": gettext_noop("Row %(first)s of this file has the same payment."),
    "OTHER_PAYMENT": gettext_noop(
        "A payment with this reference was recorded before, for another loan, amount or day."
    ),
    "CARD_NUMBER": gettext_noop(
        "This looks like a card number. Never write one down; take it out."
    ),
    # Warnings: the row is taken
    "OLD_DATE": gettext_noop("This date is before 1950."),
    "DEFAULT_BEFORE_OPENING": gettext_noop("The default is before the loan was opened."),
    "MORE_DAYS_THAN_OPEN": gettext_noop("The loan was opened only %(days)s days ago."),
    "FEWER_DAYS_THAN_DEFAULT": gettext_noop("The loan has been in default for %(days)s days."),
    "PARTS_DIFFER": gettext_noop("Principal, interest and fees do not add up to the balance."),
    "UNUSUAL_SCORE": gettext_noop("This score is far from the others of this file."),
    "IMPROBABLE_LENGTH": gettext_noop("This is too short or too long for what the column holds."),
    "WRONG_CHECK_DIGIT": gettext_noop("The check digit of this identifier is wrong."),
    # A mapping
    "INVALID_MAPPING": gettext_noop("This mapping cannot be read."),
    "UNKNOWN_FIELD": gettext_noop("There is no field %(name)s."),
    "MISSING_FIELD": gettext_noop("Say where %(name)s comes from."),
    "TWO_SOURCES": gettext_noop("%(name)s comes from two places."),
    "NO_CONSTANT": gettext_noop("%(name)s cannot be the same for every row."),
    "NO_FORMULA": gettext_noop("%(name)s cannot be computed."),
    "INVALID_FORMULA": gettext_noop(
        "A formula has column names, numbers, + - * / and parentheses, nothing else; other "
        "column names than single words stand in backquotes."
    ),
    "UNKNOWN_UNIT": gettext_noop("This is not one of the units %(choices)s."),
    "INVALID_MARKS": gettext_noop("The decimal mark is . or , and not the thousands separator."),
    "INVALID_DATE_FORMAT": gettext_noop("A date format has a year, a month and plain separators."),
    "PERSONAL_ATTRIBUTE": gettext_noop(
        "The column %(name)s is personal: it is kept encrypted only."
    ),
}


def sentence(code: str, params: dict[str, Any]) -> str:
    """The English sentence of a code."""
    return TEMPLATES[code] % params


class FileRefused(errors.InvalidInput):
    """A whole file or mapping, or one cell, that cannot be taken; `params` fill the template."""

    def __init__(
        self, code: str, *, field: str | None = None, row: int | None = None, **params: Any
    ):
        super().__init__(code, sentence(code, params), field=field, row=row)
        self.params = params


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with a row. `value` is cut to 80 characters, and empty for personal data.

    `message` is the sentence in English; for the codes of `TEMPLATES`, `params` fill it in any
    language.
    """

    row: int
    column: str
    value: str
    code: str
    message: str
    params: dict[str, Any] = field(default_factory=dict)


def row_error(row: int, column: str, value: str, code: str, params: dict[str, Any]) -> RowError:
    """The error of a row with the sentence of its code; column and value are cut."""
    return RowError(
        row,
        column[:LONGEST_SHOWN],
        value[:LONGEST_SHOWN],
        code,
        sentence(code, params),
        params,
    )
