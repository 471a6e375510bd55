"""The front-end shell: what every page is made of, without a database."""

import datetime
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import django_filters
import django_tables2
import pytest
from django import forms as django_forms
from django.conf import settings
from django.template import engines
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory, override_settings
from django.urls import path
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from agencies.models import Agency
from config import errors
from frontend import forms, navigation, tables
from frontend.templatetags import fairplace, states

UTC = datetime.UTC
NOON = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FRONTEND = Path(settings.BASE_DIR) / "frontend"
TEMPLATES = sorted((FRONTEND / "templates").rglob("*.html"))
AA_TEXT = 4.5
SPACE = fairplace.NARROW_SPACE

urlpatterns = [
    path(address, lambda request: None, name=name)
    for address, name in (("", "home"), ("portfolios/", "portfolios"), ("people/", "people"))
]


def actor(role="vendor_manager", kind="institution"):
    return SimpleNamespace(
        kind=kind, role=role, label="Ada (Vendor manager)", institution_id=1, agency_id=None
    )


def request_of(address="/", role="vendor_manager", kind="institution", cookies=None):
    request = RequestFactory().get(address)
    request.actor = actor(role, kind)
    request.user = SimpleNamespace(name="Ada <Byron>", email="ada@bank.example", institution="Bank")
    request.COOKIES.update(cookies or {})
    return request


def page(context=None, **how):
    return render_to_string("frontend/base.html", context or {}, request_of(**how))


def shown(source: str, **context) -> str:
    loaded = "{% load components fairplace %}" + source
    return engines["django"].from_string(loaded).render(context)


class Elements(HTMLParser):
    """Every element of a page as (tag, attributes)."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


# --- figures and moments


@pytest.mark.parametrize(
    ("language", "amount_minor", "currency", "text"),
    [
        ("en", 123456, "USD", "$1,234.56"),
        ("en", -5, "EUR", "-€0.05"),
        ("en", 1234, "JPY", "¥1,234"),
        ("zh-hans", 123456789, "CNY", "¥1,234,567.89"),
        ("en", None, "USD", "–"),
    ],
)
def test_money_reads_as_the_language_writes_it(language, amount_minor, currency, text):
    with translation.override(language):
        assert fairplace.money(amount_minor, currency) == text


@pytest.mark.parametrize(
    ("rate_ppm", "digits", "text"),
    [
        (225000, None, "22.5"),
        (123456, None, "12.3456"),
        (123456, 1, "12.3"),
        (125000, 0, "13"),
        (-5, 1, "0.0"),
        (1_000_000, None, "100"),
    ],
)
def test_rates_read_as_per_cent(rate_ppm, digits, text):
    assert fairplace.rate(rate_ppm, digits) == f"{text}{SPACE}%"


def test_moments_name_their_zone():
    assert fairplace.moment_text(NOON, "Asia/Shanghai") == "24 Nov 2026, 20:00 UTC+8"
    assert fairplace.moment_text(NOON, "Asia/Kolkata") == "24 Nov 2026, 17:30 UTC+5:30"
    assert fairplace.moment_text(NOON, "America/New_York") == "24 Nov 2026, 07:00 EST"
    with translation.override("zh-hans"):
        assert fairplace.moment_text(NOON, "Asia/Shanghai") == "2026年11月24日 20:00 UTC+8"


def test_a_moment_carries_utc_for_machines():
    html = fairplace.zoned(NOON.astimezone(datetime.timezone(datetime.timedelta(hours=8))))
    assert 'datetime="2026-11-24T12:00:00+00:00"' in html


@pytest.mark.parametrize(
    ("hours", "opened_hours", "tone", "words"),
    [
        (52, None, "neutral", "in 2 d 4 h"),
        (24, None, "warning", "in 1 d 0 h"),
        (3, 8, "neutral", "in 3 h 0 min"),
        (2, 8, "warning", "in 2 h 0 min"),
        (0, None, "danger", "0 min overdue"),
        (-1.5, None, "danger", "1 h 30 min overdue"),
    ],
)
def test_a_deadline_says_how_long_is_left(hours, opened_hours, tone, words):
    due_at = NOON + datetime.timedelta(hours=hours)
    opened_at = opened_hours and due_at - datetime.timedelta(hours=opened_hours)
    html = fairplace.deadline_html(due_at, NOON, "UTC", opened_at)
    assert f"deadline-{tone}" in html
    assert f">{words}<" in html


def test_a_state_has_words_and_escapes_what_it_does_not_know():
    assert (
        str(fairplace.badge("on_hold")) == '<span class="badge-state tone-warning">On hold</span>'
    )
    assert "tone-neutral" in fairplace.badge("quite_new")
    assert "Quite new" in fairplace.badge("quite_new")
    assert "<b>" not in fairplace.badge("<b>x")


def test_icons_are_silent_unless_labelled_and_misspelt_ones_fail():
    assert 'aria-hidden="true"' in fairplace.icon("gavel")
    assert 'role="img" aria-label="Hold &lt;on&gt;"' in fairplace.icon("gavel", "Hold <on>")
    with pytest.raises(FileNotFoundError):
        fairplace.icon("gavvel")


# --- looks


def tokens(theme: str) -> dict[str, tuple]:
    css = (FRONTEND / "static/frontend/theme.css").read_text()
    block = re.search(rf'\[data-bs-theme="{theme}"\] \{{(.*?)\n\s*\}}', css, re.DOTALL)[1]
    colours = re.findall(r"--([\w-]+): #([0-9a-f]{3,6});", block)
    return {name: channels(value) for name, value in colours}


def channels(value: str) -> tuple:
    value = "".join(digit * 2 for digit in value) if len(value) == 3 else value
    return tuple(int(value[place : place + 2], 16) / 255 for place in (0, 2, 4))


def luminance(colour: tuple) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple, other: tuple) -> float:
    """WCAG 2.2, contrast ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_colour_can_be_read(theme):
    colour = tokens(theme)
    pairs = [("fp-on-accent", "fp-accent"), ("fp-on-accent", "fp-accent-strong")]
    grounds = ("fp-canvas", "fp-surface", "fp-sunken", "fp-hover")
    pairs += [(text, g) for text in ("fp-text", "fp-text-soft", "fp-link") for g in grounds]
    for tone in {tone for _words, tone in states.STATES.values()}:
        pairs += [(f"tone-{tone}", f"tone-{tone}-soft"), ("fp-text", f"tone-{tone}-soft")]
        pairs += [(f"tone-{tone}", "fp-surface")]
    poor = [pair for pair in pairs if contrast(colour[pair[0]], colour[pair[1]]) < AA_TEXT]
    assert poor == []
    assert contrast(colour["fp-control"], colour["fp-surface"]) >= 3


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: str(t.relative_to(FRONTEND)))
def test_no_template_breaks_the_content_security_policy_or_readability(template):
    source = template.read_text()
    get_template(str(template.relative_to(FRONTEND / "templates")))
    for tag in re.findall(r"<script\b[^>]*>", source):
        assert "src=" in tag or 'type="application/json"' in tag
    assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=\"", source)
    assert not re.search(r"text-muted|text-secondary|btn-outline-(warning|info|success)", source)
    assert not re.search(r"(src|href)=\"https?://", source)


# --- the page around the page


@override_settings(ROOT_URLCONF="tests.frontend.test_shell")
def test_navigation_shows_a_role_its_pages_and_where_it_is():
    found = navigation.sections("vendor_manager", "/portfolios/7/")
    links = {link.url: link.current for _label, links in found for link in links}
    assert links == {"/": "", "/portfolios/": "true"}
    assert navigation.sections("administrator", "/people/")[1][1][0].current == "page"
    assert navigation.sections("public", "/") == []


def test_every_icon_of_the_navigation_exists():
    for section in navigation.ITEMS:
        for item in section.items:
            assert fairplace.icon(item.icon)


@override_settings(ROOT_URLCONF="tests.frontend.test_shell")
def test_a_page_is_headed_by_its_title_and_names_who_is_in():
    html = page({"title": "Portfolios & lots", "lead": "What is owed."})
    assert html.count("<h1>Portfolios &amp; lots</h1>") == 1
    assert "<title>Portfolios &amp; lots · Fairplace</title>" in html
    assert "Ada &lt;Byron&gt;" in html
    elements = Elements(html).found
    assert ("main", {"id": "main", "class": "main", "tabindex": "-1"}) in elements
    first_link = next(attrs for tag, attrs in elements if tag == "a")
    assert first_link["href"] == "#main"


@override_settings(ROOT_URLCONF="tests.frontend.test_shell")
@pytest.mark.parametrize(
    ("cookie", "theme", "first_paint"),
    [("dark", "dark", "dark"), ("light", "light", "light"), ('"><x', "auto", "light")],
)
def test_the_theme_is_in_the_page_before_any_script(cookie, theme, first_paint):
    root = Elements(page(cookies={"theme": cookie})).found[0]
    assert root == ("html", {"lang": "en", "data-theme": theme, "data-bs-theme": first_paint})


@override_settings(ROOT_URLCONF="tests.frontend.test_shell")
@pytest.mark.parametrize("simulated", [True, False])
def test_every_page_says_whether_payouts_are_simulated(simulated):
    with override_settings(STRIPE_SIMULATED=simulated):
        assert ("Payouts are simulated." in page()) is simulated
        assert "Payouts are simulated." not in page(role="public", kind="public")


def test_the_server_error_page_needs_nothing_and_shows_the_reference():
    assert "7f3c-91aa" in render_to_string("500.html", {"reference": "7f3c-91aa"})
    assert "reference" not in render_to_string("500.html")


@pytest.mark.parametrize("name", ["account/login.html", "allauth/layouts/base.html"])
def test_account_pages_are_ours(name):
    assert Path(get_template(name).origin.name).is_relative_to(FRONTEND)


# --- forms


class Bid(forms.Form):
    rate = forms.RateField(highest_ppm=300_000)
    amount = forms.MoneyField(currency="USD", required=False, help_text="At most.")
    closes_at = forms.MomentField(time_zone="Europe/Berlin", required=False)
    kind = django_forms.ChoiceField(
        choices=[("a", "All")], widget=django_forms.RadioSelect, required=False
    )


def cleaned(name: str, text: str, **others):
    form = Bid({"rate": "1", name: text, **others})
    form.is_valid()
    return form.errors.get(name) or form.cleaned_data[name]


@pytest.mark.parametrize(
    ("text", "amount_minor"),
    [("1,234.56", 123456), ("1234.5", 123450), (" 12 ", 1200), ("-1,000", -100000)],
)
def test_amounts_are_read_as_people_write_them(text, amount_minor):
    assert cleaned("amount", text) == amount_minor


@pytest.mark.parametrize("text", ["1,23", "1.234,56", "12.345", "1e3", "NaN", "١٢", "9" * 20])
def test_amounts_that_could_mean_two_things_are_refused(text):
    assert isinstance(cleaned("amount", text), list)


@given(st.integers(0, 300_000))
def test_a_rate_survives_being_shown_and_typed_again(rate_ppm):
    typed = Bid.base_fields["rate"].prepare_value(rate_ppm)
    assert Bid.base_fields["rate"].clean(typed) == rate_ppm


@pytest.mark.parametrize("text", ["30.0001", "-1", "22.50001", "NaN", "1e9", "abc", "inf"])
def test_rates_beyond_the_limits_or_the_precision_are_refused(text):
    assert isinstance(cleaned("rate", text), list)


def test_a_moment_is_local_to_the_institution():
    assert cleaned("closes_at", "2026-07-01T17:00") == datetime.datetime(2026, 7, 1, 15, tzinfo=UTC)
    assert isinstance(cleaned("closes_at", "2026-03-29T02:30"), list), "the clocks skip this time"
    assert isinstance(cleaned("closes_at", "2026-13-01T10:00"), list)
    assert Bid.base_fields["closes_at"].prepare_value(NOON) == "2026-11-24T13:00"


def test_a_refused_field_says_so_beside_itself_and_above():
    form = Bid({"rate": "40", "amount": "x"})
    html = shown("{% render_form form submit='Bid' %}", form=form, csrf_token="t")
    inputs = {attrs.get("name"): attrs for tag, attrs in Elements(html).found if tag == "input"}
    assert inputs["amount"]["aria-invalid"] == "true"
    assert inputs["amount"]["aria-describedby"] == "id_amount_helptext id_amount_error"
    assert inputs["amount"]["value"] == "x"
    assert inputs["csrfmiddlewaretoken"]["value"] == "t"
    assert 'id="id_amount_error"' in html
    assert 'href="#id_amount"' in html
    assert "data-error-summary" in html


def test_a_refusal_of_a_service_stands_at_its_field():
    error = errors.InvalidInput("RATE_TOO_HIGH", "At most 20 %.", field="input.rate_ppm")
    form = forms.form_from_error(Bid({"rate": "25"}), error, {"rate_ppm": "rate"})
    assert form.errors == {"rate": ["At most 20 %."]}
    elsewhere = errors.InvalidState("CLOSED", "Too late.", row=3)
    assert forms.form_from_error(Bid({"rate": "25"}), elsewhere).non_field_errors() == [
        "Row 3: Too late."
    ]


def test_what_cannot_be_undone_is_typed_out():
    asked = {"expected": "Q4-U"}
    answer = {"confirmation": "q4-u", "reason": "Three upheld complaints."}
    assert list(forms.ConfirmForm(answer, **asked).errors) == ["confirmation"]
    assert forms.ConfirmForm({**answer, "confirmation": " Q4-U "}, **asked).is_valid()
    assert list(forms.ConfirmForm({"confirmation": "Q4-U"}, **asked).errors) == ["reason"]


@pytest.mark.parametrize(
    ("data", "status"), [(None, 200), ({"rate": "x"}, 422), ({"rate": "5"}, 200)]
)
@override_settings(ROOT_URLCONF="tests.frontend.test_shell")
def test_a_refused_form_answers_422(data, status):
    answer = forms.render_page(request_of(), "frontend/base.html", {"form": Bid(data)})
    assert answer.status_code == status


# --- tables


class Placements(tables.Table):
    caption = "Placements"
    reference = django_tables2.Column()
    balance_minor = tables.MoneyColumn()
    state = tables.StateColumn(orderable=False)


class Filters(tables.FilterSet):
    agency = django_filters.CharFilter(label="Agency")
    state = django_filters.ChoiceFilter(label="State", choices=[("live", "Live now")])
    placed_on = django_filters.DateFromToRangeFilter(label="Placed")


ROWS = [
    {"reference": f"R{n:02}", "balance_minor": 100 * n, "currency": "EUR", "state": "live"}
    for n in range(60)
]


def listed(address: str, rows=ROWS) -> str:
    request = request_of(address)
    filters = Filters(request.GET, queryset=Agency.objects.none())
    source = "{% load components %}{% render_list table filterset %}"
    context = {"table": Placements(rows, request=request), "filterset": filters}
    return engines["django"].from_string(source).render(context, request)


def test_a_table_sorts_and_pages_by_its_address():
    html = listed("/p/?sort=-balance_minor&page=2&agency=nord&per_page=1000")
    assert re.findall(r"R\d\d", html)[::24] == ["R34", "R10"]
    assert html.count('aria-sort="descending"') == 1
    assert '<caption class="visually-hidden">Placements</caption>' in html
    assert "26 to 50 of 60" in html
    sort_by_reference = "?sort=reference&amp;agency=nord&amp;per_page=1000"
    assert f'href="{sort_by_reference}"' in html
    assert "€34.00" in html
    assert 'id="sort-state"' not in html


@pytest.mark.parametrize("number", ["0", "99", "x"])
def test_a_page_that_does_not_exist_is_the_nearest_that_does(number):
    assert "of 60" in listed(f"/p/?page={number}")


def test_filters_in_use_can_be_taken_away_one_by_one():
    request = request_of("/p/?sort=x&page=2&agency=<b>&state=live&placed_on_after=2026-01-05")
    chips = Filters(request.GET, queryset=Agency.objects.none()).chips()
    assert [(chip["label"], chip["value"]) for chip in chips] == [
        ("Agency", "<b>"),
        ("State", "Live now"),
        ("Placed", "5 Jan 2026 – …"),
    ]
    assert chips[0]["url"] == "?sort=x&state=live&placed_on_after=2026-01-05"
    assert chips[2]["url"] == "?sort=x&agency=%3Cb%3E&state=live"
    html = listed("/p/?agency=<b>&sort=reference")
    assert "<b>" not in html
    assert '<input type="hidden" name="sort" value="reference">' in html


def test_an_empty_list_says_why():
    assert "Nothing here yet" in listed("/p/", rows=[])
    assert "Nothing matches these filters" in listed("/p/?agency=x", rows=[])


# --- components


def test_components_escape_what_they_show():
    evil = "<script>x</script>"
    html = shown(
        "{% card e lead=e %}{{ e }}{% endcard %}{% callout 'info' e %}{{ e }}{% endcallout %}"
        "{% stat e e note=e %}{% empty_state e e %}{% definitions rows %}{% timeline entries %}"
        "{% progress 1 2 e %}{% comparison e columns lines %}{% tabs items %}{% task_list tasks %}",
        e=evil,
        rows=[(evil, evil)],
        entries=[
            {"at": NOON, "actor": evil, "title": evil, "text": evil, "changes": [(evil,) * 3]}
        ],
        columns=[{"title": evil}],
        lines=[{"label": evil, "values": [evil], "best": 0}],
        items=[{"label": evil, "url": "#", "count": 1000}],
        tasks=[{"title": evil, "url": "#", "note": evil, "due_at": NOON}],
        now=NOON,
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 28


def test_changes_show_old_and_new():
    entries = [{"at": NOON, "title": "changed", "changes": [("Rate", "25 %", "22 %")]}]
    html = shown("{% timeline entries 'Asia/Shanghai' %}", entries=entries)
    assert "<del>25 %</del>" in html
    assert "<ins>22 %</ins>" in html
    assert "20:00 UTC+8" in html
