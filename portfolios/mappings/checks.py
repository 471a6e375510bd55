"""Whether stored or sent data are a mapping."""

import re
from datetime import date
from typing import Any

from config import money
from portfolios.file_messages import FileRefused
from portfolios.mappings import fields
from portfolios.mappings.fields import AMOUNT_UNITS, FIELDS, RATE_UNITS, REQUIRED
from portfolios.mappings.formulas import Formula

LONGEST_NAME = 200
ATTRIBUTES_MAX = 50
GROUPINGS = ("", ",", ".", " ", "'")
_DIRECTIVES = frozenset("Y m d b B H M S".split())
_DIRECTIVE = re.compile("%(.?)")
_UNKEPT = re.compile("[\0\ud800-\udfff]")
_EXAMPLE = date(2001, 2, 3)

_SHAPES: dict[str, type] = {
    "columns": dict,
    "computed": dict,
    "constants": dict,
    "units": dict,
    "optional": list,
    "date_formats": list,
    "true_words": list,
    "false_words": list,
    "attributes": list,
    "name": str,
    "kind": str,
    "rate_unit": str,
    "decimal_mark": str,
    "grouping": str,
}


def checked(data: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a `Mapping` from its data as JSON has them.

    Raises, with the field's path such as `columns.balance`: `INVALID_MAPPING` for another shape,
    `UNKNOWN_FIELD`, `MISSING_FIELD`, `TWO_SOURCES`, `NO_CONSTANT`, `NO_FORMULA`,
    `INVALID_FORMULA`, `UNKNOWN_UNIT`, `INVALID_MARKS`, `INVALID_DATE_FORMAT`,
    `UNKNOWN_CURRENCY`, `PERSONAL_ATTRIBUTE`.
    """
    _check_shape(data)
    kind = data.get("kind", fields.LOANS)
    if kind not in FIELDS:
        raise FileRefused("INVALID_MAPPING", field="kind")
    columns = data["columns"]
    computed, constants = data.get("computed", {}), data.get("constants", {})
    _check_sources(kind, columns, computed, constants)
    _check_units(kind, data)
    _check_marks(data)
    _check_attributes(kind, columns, data.get("attributes", []))
    lists = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
    if "optional" in lists:
        lists["optional"] = frozenset(lists["optional"])  # type: ignore[assignment]
    return {**data, **lists}


def _check_shape(data: Any) -> None:
    if not isinstance(data, dict) or not {"name", "columns"} <= data.keys() <= _SHAPES.keys():
        raise FileRefused("INVALID_MAPPING")
    for name, value in data.items():
        if not isinstance(value, dict | list | str) or not isinstance(value, _SHAPES[name]):
            raise FileRefused("INVALID_MAPPING", field=name)
        texts = [*value, *value.values()] if isinstance(value, dict) else list(value)
        if not all(map(_is_text, texts)):
            raise FileRefused("INVALID_MAPPING", field=name)


def _is_text(text: Any) -> bool:
    """Whether this is a text that a header could have and PostgreSQL can keep."""
    is_short = isinstance(text, str) and len(text) <= LONGEST_NAME
    return is_short and not _UNKEPT.search(text)


def _check_sources(kind: str, columns: dict, computed: dict, constants: dict) -> None:
    known = FIELDS[kind]
    seen: set[str] = set()
    for part, sources in (("columns", columns), ("computed", computed), ("constants", constants)):
        for name, source in sources.items():
            path = f"{part}.{name}"
            if name not in known:
                raise FileRefused("UNKNOWN_FIELD", field=path, name=name)
            if name in seen:
                raise FileRefused("TWO_SOURCES", field=path, name=name)
            if not source:
                raise FileRefused("MISSING_FIELD", field=path, name=name)
            seen.add(name)
    for name, text in computed.items():
        if not known[name].is_computable:
            raise FileRefused("NO_FORMULA", field=f"computed.{name}", name=name)
        try:
            Formula(text)
        except FileRefused as error:
            error.field = f"computed.{name}"
            raise
    for name in constants:
        if not known[name].may_be_constant:
            raise FileRefused("NO_CONSTANT", field=f"constants.{name}", name=name)
    if constants.get("currency", "EUR") not in money.CURRENCIES:
        raise FileRefused("UNKNOWN_CURRENCY", field="constants.currency")
    if seen & set(fields.PARTS_OF_BALANCE):
        seen.add("balance")
    for name in REQUIRED[kind]:
        if name not in seen:
            raise FileRefused("MISSING_FIELD", field=f"columns.{name}", name=name)


def _check_units(kind: str, data: dict) -> None:
    for name, unit in data.get("units", {}).items():
        known = FIELDS[kind].get(name)
        if known is None or not known.is_computable:
            raise FileRefused("UNKNOWN_FIELD", field=f"units.{name}", name=name)
        units = AMOUNT_UNITS if known.kind == fields.AMOUNT else RATE_UNITS
        if unit not in units:
            raise FileRefused("UNKNOWN_UNIT", field=f"units.{name}", choices=", ".join(units))
    if data.get("rate_unit", RATE_UNITS[0]) not in RATE_UNITS:
        raise FileRefused("UNKNOWN_UNIT", field="rate_unit", choices=", ".join(RATE_UNITS))
    for name in data.get("optional", []):
        if name not in FIELDS[kind]:
            raise FileRefused("UNKNOWN_FIELD", field="optional", name=name)


def _check_marks(data: dict) -> None:
    mark, grouping = data.get("decimal_mark", "."), data.get("grouping", "")
    if mark not in (".", ",") or grouping not in GROUPINGS or mark == grouping:
        raise FileRefused("INVALID_MARKS", field="decimal_mark")
    formats = data.get("date_formats", ["%Y-%m-%d"])
    if not formats or not all(map(_is_date_format, formats)):
        raise FileRefused("INVALID_DATE_FORMAT", field="date_formats")


def _is_date_format(text: str) -> bool:
    """Whether a format names year and month once each, and nothing that no date has."""
    directives = _DIRECTIVE.findall(text)
    return (
        set(directives) <= _DIRECTIVES
        and len(directives) == len(set(directives))
        and "Y" in directives
        and len({"m", "b", "B"} & set(directives)) == 1
        and len(_EXAMPLE.strftime(text)) <= LONGEST_NAME
    )


def _check_attributes(kind: str, columns: dict, attributes: list[str]) -> None:
    personal = {column for name, column in columns.items() if FIELDS[kind][name].is_personal}
    if len(attributes) > ATTRIBUTES_MAX or len(set(attributes)) < len(attributes):
        raise FileRefused("INVALID_MAPPING", field="attributes")
    for column in attributes:
        if column in personal:
            raise FileRefused("PERSONAL_ATTRIBUTE", field="attributes", name=column)
