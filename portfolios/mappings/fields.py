"""The fields that a file can fill, of what kind each is, and what a mapping may say about it."""

from dataclasses import dataclass
from typing import Any

AMOUNT = "amount"
RATE = "rate"
TEXT = "text"
DAY = "day"
WHOLE = "whole"
TRUTH = "truth"
CURRENCY = "currency"
EVENT = "event"

LOANS = "loans"
MAINTENANCE = "maintenance"


@dataclass(frozen=True)
class Field:
    """`longest` is in characters, `lowest` and `highest` bound whole numbers.

    A personal field's values are shown in no error, are never a constant and never guessed from
    values. `default` is what a blank cell and a field without a source stand for.
    """

    name: str
    kind: str
    longest: int = 0
    lowest: int = 0
    highest: int = 0
    is_personal: bool = False
    may_be_blank: bool = True
    may_be_constant: bool = True
    may_be_future: bool = False
    default: Any = None

    @property
    def is_computable(self) -> bool:
        return self.kind in (AMOUNT, RATE)


def _personal(name: str, longest: int) -> Field:
    return Field(name, TEXT, longest=longest, is_personal=True, may_be_constant=False, default="")


_LOAN_FIELDS = (
    Field("reference", TEXT, longest=60, may_be_blank=False, may_be_constant=False, default=""),
    Field("balance", AMOUNT, may_be_blank=False, may_be_constant=False),
    Field("principal", AMOUNT, may_be_constant=False),
    Field("interest", AMOUNT, may_be_constant=False),
    Field("fees", AMOUNT, may_be_constant=False),
    Field("rate", RATE, may_be_blank=False, default=0),
    Field("product", TEXT, longest=60, default=""),
    Field("is_secured", TRUTH, default=False),
    Field("collateral", TEXT, longest=60, default=""),
    Field("opened_on", DAY, may_be_blank=False),
    Field("defaulted_on", DAY),
    Field("days_past_due", WHOLE, highest=36_500, may_be_constant=False),
    Field("last_payment_on", DAY, may_be_constant=False),
    Field("region", TEXT, longest=20, default=""),
    Field("jurisdiction", TEXT, longest=10, default=""),
    Field("grade", TEXT, longest=10, default=""),
    Field("score", WHOLE, lowest=-1_000_000, highest=1_000_000, may_be_constant=False),
    Field("expected_recovery", RATE),
    Field("earlier_placements", WHOLE, highest=1_000, default=0),
    Field("limitation_on", DAY, may_be_future=True),
    Field("customer_reference", TEXT, longest=60, may_be_constant=False, default=""),
    _personal("borrower_name", 200),
    _personal("phone", 60),
    _personal("email", 254),
    _personal("address", 500),
    _personal("national_id", 60),
    Field("currency", CURRENCY),
)
_MAINTENANCE_FIELDS = (
    Field("reference", TEXT, longest=60, may_be_blank=False, may_be_constant=False, default=""),
    Field("event", EVENT, may_be_blank=False),
    Field("amount", AMOUNT, may_be_constant=False),
    Field("value_on", DAY),
    Field("payment_reference", TEXT, longest=60, may_be_constant=False, default=""),
    Field("balance", AMOUNT, may_be_constant=False),
    _personal("name", 200),
    _personal("phone", 60),
    _personal("email", 254),
    _personal("address", 500),
    _personal("note", 500),
    Field("currency", CURRENCY),
)

FIELDS: dict[str, dict[str, Field]] = {
    LOANS: {one.name: one for one in _LOAN_FIELDS},
    MAINTENANCE: {one.name: one for one in _MAINTENANCE_FIELDS},
}
"""Kind of file → field by name, in the order in which a row is read and errors are told."""

REQUIRED = {LOANS: ("reference", "balance", "opened_on"), MAINTENANCE: ("reference", "event")}
PARTS_OF_BALANCE = ("principal", "interest", "fees")

AMOUNT_UNITS = ("major", "minor")
RATE_UNITS = ("fraction", "percent", "ppm")

DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%Y年%m月%d日",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%b-%Y",
    "%Y-%m",
    "%Y年%m月",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
)
"""The date formats that are tried when a mapping is guessed; a mapping may name others."""
