"""Second step of an import: which columns of the file hold what."""

import dataclasses
import datetime

from django import forms as django_forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config import errors
from frontend import forms
from portfolios import masks
from portfolios.mappings import Mapping, fields, guessing
from portfolios.tables import Table

NOWHERE = ""
WRITTEN = "="
COLUMN = "column:"
EXAMPLES = 3
EXAMPLE_DAY = datetime.date(2024, 1, 31)

LABELS = {
    "reference": gettext_lazy("Reference"),
    "balance": gettext_lazy("Balance"),
    "principal": gettext_lazy("Principal"),
    "interest": gettext_lazy("Interest"),
    "fees": gettext_lazy("Fees"),
    "rate": gettext_lazy("Interest rate"),
    "product": gettext_lazy("Product"),
    "is_secured": gettext_lazy("Secured"),
    "collateral": gettext_lazy("Collateral"),
    "opened_on": gettext_lazy("Opened on"),
    "defaulted_on": gettext_lazy("Defaulted on"),
    "days_past_due": gettext_lazy("Days past due"),
    "last_payment_on": gettext_lazy("Last payment on"),
    "region": gettext_lazy("Region"),
    "jurisdiction": gettext_lazy("Jurisdiction"),
    "grade": gettext_lazy("Grade"),
    "score": gettext_lazy("Score"),
    "expected_recovery": gettext_lazy("Expected recovery"),
    "earlier_placements": gettext_lazy("Earlier placements"),
    "limitation_on": gettext_lazy("Past limitation on"),
    "customer_reference": gettext_lazy("Customer reference"),
    "borrower_name": gettext_lazy("Borrower's name"),
    "phone": gettext_lazy("Phone"),
    "email": gettext_lazy("E-mail"),
    "address": gettext_lazy("Address"),
    "national_id": gettext_lazy("National identifier"),
    "currency": gettext_lazy("Currency"),
    "event": gettext_lazy("Event"),
    "value_on": gettext_lazy("On which day"),
    "amount": gettext_lazy("Amount paid"),
    "payment_reference": gettext_lazy("Payment reference"),
    "name": gettext_lazy("Borrower's name"),
    "note": gettext_lazy("Note"),
}
LOAN_GROUPS = (
    (
        gettext_lazy("What is owed"),
        ("reference", "balance", "principal", "interest", "fees", "rate", "currency"),
    ),
    (
        gettext_lazy("What kind of loan"),
        ("product", "is_secured", "collateral", "region", "jurisdiction", "grade", "score"),
    ),
    (
        gettext_lazy("Since when"),
        ("opened_on", "defaulted_on", "days_past_due", "last_payment_on", "limitation_on"),
    ),
    (gettext_lazy("What can be expected"), ("expected_recovery", "earlier_placements")),
    (
        gettext_lazy("Who owes it"),
        ("customer_reference", "borrower_name", "phone", "email", "address", "national_id"),
    ),
)
NEWS_GROUPS = (
    (gettext_lazy("What happened to which loan"), ("reference", "event", "value_on", "note")),
    (
        gettext_lazy("What is owed and what was paid"),
        ("balance", "amount", "payment_reference", "currency"),
    ),
    (gettext_lazy("What is new about who owes it"), ("name", "phone", "email", "address")),
)
GROUPS = {fields.LOANS: LOAN_GROUPS, fields.MAINTENANCE: NEWS_GROUPS}
"""Kind of file → its fields as people look for them."""

SURENESS = {
    "exact": gettext_lazy("by its name"),
    "synonym": gettext_lazy("by another name of it"),
    "saved": gettext_lazy("as saved"),
    "values": gettext_lazy("by its values: please look"),
}


@dataclasses.dataclass(frozen=True)
class FieldRow:
    """One field on the page: its two inputs, why they are as they are, examples."""

    label: str
    source: object
    text: object
    reason: str
    examples: list[str]


class ColumnsForm(forms.Form):
    """A mapping for one file. `mapping()` is what was chosen."""

    rate_unit = django_forms.ChoiceField(
        label=gettext_lazy("Rates are written as"),
        choices=[
            ("percent", gettext_lazy("per cent: 12.5")),
            ("fraction", gettext_lazy("fractions: 0.125")),
            ("ppm", gettext_lazy("parts per million: 125000")),
        ],
    )
    amount_unit = django_forms.ChoiceField(
        label=gettext_lazy("Amounts are written in"),
        choices=[
            ("major", gettext_lazy("the currency: 12.99")),
            ("minor", gettext_lazy("its smallest unit: 1299")),
        ],
    )
    date_format = django_forms.ChoiceField(label=gettext_lazy("Dates are written as"))
    decimal_mark = django_forms.ChoiceField(
        label=gettext_lazy("Decimal mark"),
        choices=[(".", gettext_lazy("point: 12.99")), (",", gettext_lazy("comma: 12,99"))],
    )
    grouping = django_forms.ChoiceField(
        label=gettext_lazy("Thousands are set apart by"),
        required=False,
        choices=[
            ("", gettext_lazy("nothing")),
            (",", gettext_lazy("comma")),
            (".", gettext_lazy("point")),
            (" ", gettext_lazy("space")),
            ("'", gettext_lazy("apostrophe")),
        ],
    )
    attributes = django_forms.MultipleChoiceField(
        label=gettext_lazy("Keep these columns too, as they are"),
        help_text=gettext_lazy("Agencies that hold the loan see them. Choose nothing personal."),
        required=False,
        widget=django_forms.CheckboxSelectMultiple,
    )
    save_as = django_forms.CharField(
        label=gettext_lazy("Keep this for the next files as"),
        help_text=gettext_lazy(
            "A name, such as “Core banking, daily”. A file with these columns is then read so."
        ),
        required=False,
        max_length=80,
    )

    def __init__(self, *args, table: Table, guess: guessing.Guess, **kwargs):
        self.table, self.guess = table, guess
        self.known = fields.FIELDS[guess.mapping.kind]
        kwargs.setdefault("initial", _initial(guess.mapping))
        super().__init__(*args, **kwargs)
        columns = [(f"{COLUMN}{name}", name) for name in table.columns if name]
        for name, field in self.known.items():
            choices = [(NOWHERE, _("not in this file")), *columns]
            if field.is_computable or field.may_be_constant:
                choices.append((WRITTEN, _("as written beside")))
            self.fields[f"source_{name}"] = django_forms.ChoiceField(
                label=LABELS[name], choices=choices, required=False
            )
            self.fields[f"text_{name}"] = django_forms.CharField(
                label=_text_label(name),
                required=False,
                max_length=200,
                widget=django_forms.TextInput(attrs={"aria-label": _text_label(name)}),
            )
        self.fields["date_format"].choices = _date_choices(guess.mapping)
        self.fields["attributes"].choices = [(name, name) for name in table.columns if name]
        if guess.mapping.kind == fields.MAINTENANCE:
            del self.fields["attributes"], self.fields["rate_unit"]
        forms.dress(self)

    def rows(self) -> list[tuple[str, list[FieldRow]]]:
        """The fields in their groups."""
        groups = GROUPS[self.guess.mapping.kind]
        return [(str(title), [self._row(name) for name in names]) for title, names in groups]

    def settings(self) -> list:
        names = ("date_format", "amount_unit", "rate_unit", "decimal_mark", "grouping")
        return [self[name] for name in names if name in self.fields]

    def _row(self, name: str) -> FieldRow:
        reason = self.guess.reasons.get(name)
        column = self.guess.mapping.columns.get(name)
        return FieldRow(
            label=str(LABELS[name]),
            source=self[f"source_{name}"],
            text=self[f"text_{name}"],
            reason=str(SURENESS[reason.how]) if reason else "",
            examples=self._examples(name, column),
        )

    def _examples(self, name: str, column: str | None) -> list[str]:
        """The first values of a column; personal ones masked, notes left out."""
        if column is None or column not in self.table.columns or name == "note":
            return []
        place = self.table.columns.index(column)
        values = [row[place] for row in self.table.sample() if row[place]][:EXAMPLES]
        if self.known[name].is_personal:
            kind = "name" if name == "borrower_name" else name
            return [masks.masked(kind, value) for value in values]
        return values

    def mapping(self) -> Mapping:
        """What was chosen, after `is_valid()`. Raises `InvalidInput` where it is no mapping."""
        given = self.cleaned_data
        columns, computed, constants = {}, {}, {}
        for name, field in self.known.items():
            source, text = given[f"source_{name}"], given[f"text_{name}"].strip()
            if source.startswith(COLUMN):
                columns[name] = source.removeprefix(COLUMN)
            elif source == WRITTEN:
                (computed if field.is_computable else constants)[name] = text
        rate_unit = given.get("rate_unit", self.guess.mapping.rate_unit)
        kind = self.guess.mapping.kind
        return Mapping.from_dict(
            {
                "name": self.guess.mapping.name,
                "kind": kind,
                "columns": columns,
                "computed": computed,
                "constants": constants,
                "optional": sorted(set(columns) - set(fields.REQUIRED[kind])),
                "units": {
                    name: given["amount_unit"]
                    for name in (*columns, *computed)
                    if self.known[name].kind == fields.AMOUNT
                }
                | ({"expected_recovery": rate_unit} if "expected_recovery" in columns else {}),
                "rate_unit": rate_unit,
                "date_formats": [given["date_format"]],
                "decimal_mark": given["decimal_mark"],
                "grouping": given["grouping"],
                "attributes": given.get("attributes", []),
            }
        )

    @staticmethod
    def field_of(error: errors.InvalidInput) -> str | None:
        """Beside which input a refused mapping's error stands."""
        part, _dot, name = (error.field or "").partition(".")
        beside = {"columns": f"source_{name}", "computed": f"text_{name}"}
        return {**beside, "constants": f"text_{name}", "date_formats": "date_format"}.get(part)


def _text_label(name: str) -> str:
    return _("Formula or value for %(field)s") % {"field": LABELS[name]}


def _initial(mapping: Mapping) -> dict:
    initial = {
        "rate_unit": mapping.rate_unit,
        "amount_unit": next(iter(mapping.units.values()), "major")
        if set(mapping.units.values()) <= {"major", "minor"}
        else "major",
        "date_format": mapping.date_formats[0],
        "decimal_mark": mapping.decimal_mark,
        "grouping": mapping.grouping,
        "attributes": list(mapping.attributes),
    }
    for name, column in mapping.columns.items():
        initial[f"source_{name}"] = f"{COLUMN}{column}"
    for name, text in (mapping.computed | mapping.constants).items():
        initial |= {f"source_{name}": WRITTEN, f"text_{name}": text}
    return initial


def _date_choices(mapping: Mapping) -> list[tuple[str, str]]:
    """Formats by an example; the guessed ones first."""
    formats = dict.fromkeys((*mapping.date_formats, *fields.DATE_FORMATS))
    return [(one, EXAMPLE_DAY.strftime(one)) for one in formats]
