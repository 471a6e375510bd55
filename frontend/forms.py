"""Forms: fields that speak the domain's units, dressed alike, with errors beside the field."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from django import forms
from django.forms.renderers import DjangoTemplates
from django.shortcuts import render
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from agencies import texts
from config import errors, money
from frontend.templatetags import fairplace
from portfolios import file_sentences

UNPROCESSABLE = 422
PPM_PER_CENT = 10_000
LARGEST_FILE_BYTES = 10 * 1024 * 1024
MOST_FILES = 20
REASON_MIN_LENGTH = 5
GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
"""Thousands apart as people type them; anything less regular is left for `config.money`."""

CLASSES = {
    "checkbox": "form-check-input",
    "select": "form-select",
    "file": "form-control",
}


class Renderer(DjangoTemplates):
    """Django's own widgets in our field template."""

    field_template_name = "frontend/components/field.html"


RENDERER = Renderer()


def dress(form: forms.BaseForm) -> forms.BaseForm:
    """Give a form, ours or a library's, our field template and Bootstrap's classes."""
    form.renderer = RENDERER
    for field in form.fields.values():
        parts = getattr(field.widget, "widgets", [])
        for part in parts or [field.widget]:
            _add_class(part)
        ends = zip(parts, getattr(field, "fields", []), (_("from"), _("to")), strict=False)
        for part, end, words in ends:
            part.attrs.setdefault("aria-label", words)
            if isinstance(end, forms.DateField):
                part.input_type = "date"
    return form


def _add_class(widget: forms.Widget) -> None:
    """Django puts a list of choices into an element with the class of its inputs: it gets none."""
    if not isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        kind = getattr(widget, "input_type", "")
        widget.attrs.setdefault("class", CLASSES.get(kind, "form-control"))


class Form(forms.Form):
    """Base of every form."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        dress(self)


class MoneyField(forms.CharField):
    """An amount as people write it (`1,234.56`), cleaned to int minor units of `currency`.

    `currency` may be set on the field after the form is made; errors are `config.money`'s.
    """

    default_error_messages = {"invalid": _("Enter an amount in figures, such as 1,234.56.")}

    def __init__(self, *, currency: str, **kwargs):
        kwargs.setdefault("max_length", 32)
        super().__init__(**kwargs)
        self.currency = currency
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off"})

    @property
    def addon(self) -> str:
        return self.currency

    def clean(self, value):
        text = super().clean(value)
        if text in self.empty_values:
            return None
        if GROUPED.fullmatch(text):
            text = text.replace(",", "")
        try:
            return money.parse_amount(text, self.currency)
        except errors.DomainError as error:
            # Here thousands may be apart, so the sentence about a file's numbers would be untrue.
            unreadable = error.code == "INVALID_NUMBER"
            message = self.error_messages["invalid"] if unreadable else error.message
            raise forms.ValidationError(message, code=error.code) from error

    def prepare_value(self, value):
        return fairplace.major(value, self.currency) if isinstance(value, int) else value


class RateField(forms.CharField):
    """A rate in per cent (`22.5`), cleaned to int parts per million between the two limits."""

    addon = "%"
    default_error_messages = {
        "invalid": _("Enter a rate in per cent, with at most four decimals, such as 22.5."),
        "range": _("Enter a rate between %(lowest)s and %(highest)s."),
    }

    def __init__(self, *, lowest_ppm: int = 0, highest_ppm: int = 1_000_000, **kwargs):
        kwargs.setdefault("max_length", 16)
        super().__init__(**kwargs)
        self.lowest_ppm, self.highest_ppm = lowest_ppm, highest_ppm
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off"})

    def clean(self, value):
        text = super().clean(value)
        if text in self.empty_values:
            return None
        try:
            rate_ppm = Decimal(text.replace("%", "").replace(" ", "")) * PPM_PER_CENT
        except InvalidOperation:
            rate_ppm = Decimal("NaN")
        if not rate_ppm.is_finite() or rate_ppm != rate_ppm.to_integral_value():
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        if not self.lowest_ppm <= rate_ppm <= self.highest_ppm:
            limits = {
                "lowest": fairplace.rate(self.lowest_ppm),
                "highest": fairplace.rate(self.highest_ppm),
            }
            raise forms.ValidationError(self.error_messages["range"], code="range", params=limits)
        return int(rate_ppm)

    def prepare_value(self, value):
        if not isinstance(value, int):
            return value
        return f"{(Decimal(value) / PPM_PER_CENT).normalize():f}"


class AskedField(forms.ChoiceField):
    """A choice of which nothing is chosen at first: whoever sends the form has said it.

    A browser preselects the first of a list, and what has consequences would be what nobody said.
    """

    default_error_messages = {"required": _("Choose one of the list.")}

    def __init__(self, *, prompt, choices=(), **kwargs):
        super().__init__(choices=[("", prompt), *choices], **kwargs)


class ReasonField(forms.CharField):
    """Why somebody does this; goes into the audit trail."""

    def __init__(self, **kwargs):
        kwargs.setdefault("label", _("Reason"))
        kwargs.setdefault("help_text", _("Kept in the audit trail and shown to those it concerns."))
        kwargs.setdefault("min_length", REASON_MIN_LENGTH)
        kwargs.setdefault("max_length", texts.LONGEST)
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 3}))
        super().__init__(**kwargs)


class DayField(forms.DateField):
    """A calendar day, with the browser's own picker."""

    def __init__(self, **kwargs):
        kwargs.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(**kwargs)


class MomentField(forms.Field):
    """A moment on the clock of `time_zone` (IANA), cleaned to an aware datetime in UTC.

    A local time that does not exist, because clocks go forward over it, is refused.
    """

    pattern = "%Y-%m-%dT%H:%M"
    default_error_messages = {
        "invalid": _("Enter a date and a time, such as 2026-11-30 17:00."),
        "skipped": _("This time does not exist in %(zone)s: the clocks go forward over it."),
    }

    def __init__(self, *, time_zone: str = "UTC", **kwargs):
        kwargs.setdefault("widget", forms.TextInput(attrs={"type": "datetime-local"}))
        super().__init__(**kwargs)
        self.time_zone = time_zone

    @property
    def addon(self) -> str:
        return self.time_zone

    def clean(self, value):
        text = super().clean(value)
        if text in self.empty_values:
            return None
        match = re.match(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})", str(text).strip())
        try:
            local = datetime.strptime("T".join(match.groups()), self.pattern) if match else None
        except ValueError:
            local = None
        if local is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        moment = local.replace(tzinfo=ZoneInfo(self.time_zone)).astimezone(UTC)
        if moment.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None) != local:
            raise forms.ValidationError(
                self.error_messages["skipped"], code="skipped", params={"zone": self.time_zone}
            )
        return moment

    def prepare_value(self, value):
        if not isinstance(value, datetime):
            return value
        return value.astimezone(ZoneInfo(self.time_zone)).strftime(self.pattern)


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files, cleaned to a list; empty where none was chosen."""

    def __init__(self, **kwargs):
        kwargs.setdefault("widget", SeveralFiles())
        super().__init__(**kwargs)

    def clean(self, data, initial=None):
        files = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(FilesField, self).clean(file, initial) for file in files or [None] if file]


class FilesForm(Form):
    """Documents for the bidders of a listing."""

    files = FilesField(
        label=_("Documents"),
        help_text=_("PDF, text, CSV or XLSX, at most 10 MB each. All bidders see them at once."),
    )

    def contents(self) -> list[tuple[str, bytes]]:
        """(name, content) of each file."""
        return contents(self.cleaned_data["files"])


def contents(files) -> list[tuple[str, bytes]]:
    """(name, content) of uploaded files; what is too large or too many is read no further."""
    return [(file.name, file.read(LARGEST_FILE_BYTES + 1)) for file in files[: MOST_FILES + 1]]


class ConfirmForm(Form):
    """For what cannot be undone: the name of the thing, typed, and a reason."""

    confirmation = forms.CharField()
    reason = ReasonField()

    def __init__(self, *args, expected: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.expected = expected
        field = self.fields["confirmation"]
        field.label = format_lazy(_("To confirm, type {expected}"), expected=expected)
        field.widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})

    def clean_confirmation(self):
        typed = self.cleaned_data["confirmation"].strip()
        if typed != self.expected:
            raise forms.ValidationError(
                _("Type %(expected)s exactly."), params={"expected": self.expected}
            )
        return typed


def sent(request):
    """What was posted, be it nothing at all; None where the page is only opened."""
    return request.POST if request.method == "POST" else None


def form_from_error(
    form: forms.BaseForm, error: errors.DomainError, names: dict[str, str] | None = None
) -> forms.BaseForm:
    """A bound form with a service's refusal at the field that it is about, else above the form.

    `names` says which form field a field of the service is called: {"rate_ppm": "rate"}.
    """
    last = (error.field or "").rsplit(".", 1)[-1]
    name = (names or {}).get(last, last)
    message = file_sentences.told(error)
    if error.row is not None:
        message = format_lazy(_("Row {row}: {message}"), row=error.row, message=message)
    form.add_error(name if name in form.fields else None, message)
    return form


def render_page(request, template: str, context: dict):
    """`render`, with 422 when the context's `form` was refused."""
    form = context.get("form")
    refused = form is not None and form.is_bound and bool(form.errors)
    return render(request, template, context, status=UNPROCESSABLE if refused else 200)
