"""The shaded table: every figure printed, shaded alike on both sides of 1, readable and escaped."""

from decimal import Decimal

import pytest
from django.utils import translation

from frontend import charts
from frontend.charts import shaded_tables
from tests.frontend import test_shell
from tests.frontend.charts import drawn

SHADES = ["m3", "m2", "m1", "0", "p1", "p2", "p3"]


def table(rows=(("North", [1.184, None]), ("South", [0.5, 1.0])), columns=("Cards", "Cars")):
    return charts.shaded_table(list(rows), list(columns), subject="Agency", **drawn.WORDS)


def html(chart):
    return test_shell.shown("{% render_shaded chart %}", chart=chart)


@pytest.mark.parametrize(
    ("index", "text", "shade"),
    [
        (0.0, "0.00×", "m3"),
        (0.764, "0.76×", "m3"),
        (0.766, "0.77×", "m2"),
        (0.87, "0.87×", "m1"),
        (0.944, "0.94×", "m1"),
        (0.95, "0.95×", "0"),
        (1, "1.00×", "0"),
        (1.0541, "1.05×", "0"),
        (1.06, "1.06×", "p1"),
        (1.15, "1.15×", "p1"),
        (1.3, "1.30×", "p2"),
        (1.31, "1.31×", "p3"),
        (40.0, "40.00×", "p3"),
    ],
)
def test_a_cell_prints_its_index_and_is_shaded_by_what_it_prints(index, text, shade):
    ((cell,),) = (row["cells"] for row in table([("North", [index])], ["Cards"])["rows"])
    assert cell == {"text": text, "shade": shade}


def test_shades_rise_with_the_index_through_all_seven_steps():
    met = [shaded_tables.shade(Decimal(hundredths) / 100) for hundredths in range(1, 300)]
    assert list(dict.fromkeys(met)) == SHADES
    assert sorted(met, key=SHADES.index) == met


def test_the_scale_says_what_every_shade_means():
    assert [(step["shade"], step["text"]) for step in table()["scale"]] == [
        ("m3", "below 0.77×"),
        ("m2", "0.77–0.86×"),
        ("m1", "0.87–0.94×"),
        ("0", "0.95–1.05×"),
        ("p1", "1.06–1.15×"),
        ("p2", "1.16–1.30×"),
        ("p3", "above 1.30×"),
    ]


def test_figures_read_as_the_language_writes_them():
    with translation.override("de"):
        assert table()["rows"][0]["cells"][0]["text"] == "1,18×"


def test_a_page_shows_figures_and_says_where_there_are_none():
    page = html(table())
    assert '<td class="number shade-p2">1.18×</td>' in page
    assert '<td class="number" title="Too little data"><span aria-hidden="true">–</span>' in page
    assert '<th scope="row">South</th>' in page
    assert '<div class="table-scroll" role="region" tabindex="0"' in page


def test_a_row_that_does_not_fit_its_columns_is_refused():
    with pytest.raises(ValueError, match="zip"):
        table([("North", [1.0])])


def test_a_table_may_be_empty_and_a_page_escapes_everything():
    assert "<tbody>" in html(table([], []))
    page = html(table([(drawn.EVIL, [1.0])], [drawn.EVIL]))
    assert "<a href" not in page
    assert page.count("&lt;a href") == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("shade", SHADES)
def test_every_shade_can_be_read_on(theme, shade):
    colour = test_shell.tokens(theme)
    assert test_shell.contrast(colour["fp-text"], colour[f"shade-{shade}"]) >= test_shell.AA_TEXT


def test_every_shade_has_its_class():
    css = (test_shell.FRONTEND / "static/frontend/components.css").read_text()
    for shade in SHADES:
        assert f".shade-{shade} {{ --shade: var(--shade-{shade}); }}" in css
