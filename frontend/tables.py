"""Lists: tables that sort, page and filter by their address, and read well when narrow."""

from datetime import date

import django_filters
import django_tables2
from django.core.paginator import Page
from django.utils.encoding import force_str
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django_filters.conf import settings

from config import clock
from frontend import forms
from frontend.templatetags import fairplace

ROWS_PER_PAGE = 25
RANGE_SUFFIXES = ("_min", "_max", "_after", "_before")


class Table(django_tables2.Table):
    """Base of every list. `caption` names it for everybody, `empty_title` and `empty_text` say
    why there is nothing; `stacked` turns rows into cards on a narrow screen.

    In a view: `table = LoanTable(loans, request=request)`, in its template `{% render_list
    table filterset %}`. `time_zone` is the zone in which moments are shown.
    """

    caption = ""
    empty_title = _("Nothing here yet")
    empty_text = ""
    stacked = True
    rows_per_page = ROWS_PER_PAGE

    def __init__(self, data, *, request=None, time_zone="UTC", **kwargs):
        kwargs.setdefault("template_name", "frontend/components/table.html")
        kwargs.setdefault("order_by_field", "sort")
        kwargs.setdefault("attrs", {"class": "table"})
        kwargs.setdefault("empty_text", type(self).empty_text)
        super().__init__(data, request=request, **kwargs)
        self.time_zone = time_zone
        if request is not None:
            django_tables2.RequestConfig(request, paginate=False).configure(self)
            self.paginate(page=1, per_page=self.rows_per_page)
            self.page = self.paginator.get_page(request.GET.get(self.prefixed_page_field))

    @property
    def count(self) -> int:
        """Rows on all pages."""
        page: Page | None = getattr(self, "page", None)
        return page.paginator.count if page else len(self.rows)


class MoneyColumn(django_tables2.Column):
    """Minor units; `currency` is a code or the accessor of one on the row (`loan__currency`)."""

    def __init__(self, *args, currency="currency", **kwargs):
        super().__init__(*args, **_figures(kwargs))
        self.currency = currency

    def render(self, value, record):
        is_code = len(self.currency) == 3 and self.currency.isupper()
        code = self.currency if is_code else django_tables2.A(self.currency).resolve(record)
        return fairplace.money(value, code)


class RateColumn(django_tables2.Column):
    """Parts per million as per cent, with `digits` decimals or all that there are."""

    def __init__(self, *args, digits=None, **kwargs):
        super().__init__(*args, **_figures(kwargs))
        self.digits = digits

    def render(self, value):
        return fairplace.rate(value, self.digits)


class IntegerColumn(django_tables2.Column):
    """A whole number."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **_figures(kwargs))

    def render(self, value):
        return fairplace.integer(value)


class StateColumn(django_tables2.Column):
    """A state as a badge."""

    def render(self, record, bound_column):
        return fairplace.badge(bound_column.accessor.resolve(record))


class DayColumn(django_tables2.Column):
    """A calendar day."""

    def render(self, value):
        return fairplace.day(value)


class MomentColumn(django_tables2.Column):
    """A moment on the clock of the table's `time_zone`."""

    def render(self, value, table):
        return fairplace.zoned(value, table.time_zone)


class DeadlineColumn(django_tables2.Column):
    """How long is left, and the moment itself."""

    def render(self, value, table):
        if not hasattr(table, "rendered_at"):
            table.rendered_at = clock.now()
        return fairplace.deadline_html(value, table.rendered_at, table.time_zone)


def _figures(options: dict) -> dict:
    """Column options with figures to the right, under a heading to the right."""
    attrs = {"td": {"class": "number"}, "th": {"class": "number"}}
    return {**options, "attrs": {**attrs, **options.get("attrs", {})}}


class FilterSet(django_filters.FilterSet):
    """Base of every filter: fields dressed as ours, and what is in use as removable chips."""

    def get_form_class(self):
        fields = {name: filter_.field for name, filter_ in self.filters.items()}
        for field in fields.values():
            if getattr(field, "empty_label", None) == settings.EMPTY_CHOICE_LABEL:
                field.empty_label = _("Any")
        return type("FilterForm", (forms.Form,), fields)

    def chips(self) -> list[dict]:
        """{label, value, url}: each filter in use, in words, and the page without it."""
        if not self.is_bound or not self.form.is_valid():
            return []
        return [
            {
                "label": self.form.fields[name].label,
                "value": self._in_words(name),
                "url": self._url_without(name),
            }
            for name, value in self.form.cleaned_data.items()
            if value not in (None, "", []) and name in self.form.changed_data
        ]

    def clear_url(self) -> str:
        """The page with its order and without any filter."""
        return self._url_without(*self.form.fields)

    def _in_words(self, name: str) -> str:
        field, value = self.form.fields[name], self.form.cleaned_data[name]
        choices = {force_str(key): label for key, label in getattr(field, "choices", [])}
        if isinstance(value, slice):
            return f"{_ends(value.start)} – {_ends(value.stop)}"
        values = value if isinstance(value, list | tuple) else [value]
        return ", ".join(force_str(choices.get(force_str(one), one)) for one in values)

    def _url_without(self, *names: str) -> str:
        query = self.data.copy()
        for name in (*names, "page"):
            for suffix in ("", *RANGE_SUFFIXES):
                query.pop(name + suffix, None)
        return f"?{query.urlencode()}" if query else "?"


def _ends(value) -> str:
    if isinstance(value, date):
        return fairplace.day_text(value)
    return "…" if value is None else force_str(value)


def link(url: str, text: str, note: str = ""):
    """A cell's link with a smaller note below it: for `render_<column>` methods."""
    return noted(format_html('<a href="{}">{}</a>', url, text), note)


def noted(content, note: str):
    """What stands in a cell with a smaller note below it."""
    below = format_html('<span class="cell-note">{}</span>', note) if note else ""
    return format_html("{}{}", content, below)
