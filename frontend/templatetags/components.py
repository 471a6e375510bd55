"""The pieces that pages are made of. Each tag's docstring is its documentation.

`{% load components %}`; the templates are in `frontend/templates/frontend/components/`.
"""

from django import template
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from frontend import forms

register = template.Library()

FOLDER = "frontend/components"
CALLOUT_ICONS = {
    "info": "info",
    "success": "circle-check",
    "warning": "triangle-alert",
    "danger": "circle-alert",
}


@register.simple_block_tag
def card(content, title="", lead="", action_url="", action_label="", flush=False):
    """A titled surface: `{% card _("Composition") lead="…" %}…{% endcard %}`.

    `action_url` and `action_label` put a link at the right of the title; `flush` lets a table
    reach the edges.
    """
    return render_to_string(
        f"{FOLDER}/card.html",
        {
            "content": content,
            "title": title,
            "lead": lead,
            "action_url": action_url,
            "action_label": action_label,
            "flush": flush,
        },
    )


@register.simple_block_tag
def callout(content, tone="info", title=""):
    """A remark that must not be overlooked; `tone` is info, success, warning or danger."""
    return render_to_string(
        f"{FOLDER}/callout.html",
        {"content": content, "tone": tone, "title": title, "icon": CALLOUT_ICONS[tone]},
    )


@register.inclusion_tag(f"{FOLDER}/stat.html")
def stat(label, value, note="", tone="", url=""):
    """One figure of a tile row (inside `<dl class="stats">`).

    `note` is a short sentence below it, `tone` colours the note (success, warning, danger),
    `url` makes the whole tile a link.
    """
    return {"label": label, "value": value, "note": note, "tone": tone, "url": url}


@register.inclusion_tag(f"{FOLDER}/empty_state.html")
def empty_state(title, text="", action_url="", action_label="", icon="inbox"):
    """Says why there is nothing here and what the first step is."""
    return {
        "title": title,
        "text": text,
        "action_url": action_url,
        "action_label": action_label,
        "icon": icon,
    }


@register.inclusion_tag(f"{FOLDER}/task_list.html", takes_context=True)
def task_list(context, tasks, time_zone="UTC"):
    """What somebody has to do, one row each: the first thing on a home page.

    `tasks`: dicts or objects with `title`, `url`, and optionally `note`, `due_at`, `opened_at`,
    `icon`, `state`.
    """
    return {"tasks": tasks, "time_zone": time_zone, "now": context.get("now")}


@register.inclusion_tag(f"{FOLDER}/timeline.html")
def timeline(entries, time_zone="UTC"):
    """What happened, newest first as given.

    `entries`: dicts or objects with `at`, `title`, and optionally `actor`, `text` (a reason, in
    quotes), `changes` [(label, old, new)], `icon`, `tone`.
    """
    return {"entries": entries, "time_zone": time_zone}


@register.inclusion_tag(f"{FOLDER}/definitions.html")
def definitions(rows):
    """Facts about one thing. `rows`: [(label, value)]; a value may be safe HTML."""
    return {"rows": rows}


@register.inclusion_tag(f"{FOLDER}/progress.html")
def progress(value, maximum, label, text=""):
    """How far a job or a quota is; `text` stands beside the bar (`1,200 of 20,000`)."""
    return {"value": value, "maximum": maximum, "label": label, "text": text}


@register.inclusion_tag(f"{FOLDER}/comparison.html")
def comparison(caption, columns, rows):
    """Offers side by side.

    `columns`: [{title, note, url}]; `rows`: [{label, values: [one per column], best: index or
    None, note}]. The best value is marked in words for those who do not see the weight.
    """
    return {"caption": caption, "columns": columns, "rows": rows}


@register.inclusion_tag(f"{FOLDER}/tabs.html")
def tabs(items, label=""):
    """Pages of one thing. `items`: [{label, url, current: bool, count: int or None}]."""
    return {"items": items, "label": label or _("Parts of this page")}


@register.inclusion_tag(f"{FOLDER}/chart.html")
def render_chart(chart):
    """A chart of `frontend.charts`: finding, description, figure, and the same as a table."""
    return {"chart": chart}


@register.inclusion_tag(f"{FOLDER}/shaded_table.html")
def render_shaded(chart):
    """A table of `frontend.charts.shaded_table`: every index printed, and shaded around 1."""
    return {"chart": chart}


@register.inclusion_tag(f"{FOLDER}/form.html", takes_context=True)
def render_form(context, form, submit="", action="", cancel_url="", tone="primary", note=""):
    """A whole POST form: error summary, fields, buttons, CSRF token.

    `submit` is the button's words, `tone` primary or danger, `note` a sentence above the buttons
    that says what will happen.
    """
    return {
        "form": form,
        "submit": submit,
        "action": action,
        "cancel_url": cancel_url,
        "tone": tone,
        "note": note,
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag
def dress_form(form):
    """A library's form with our looks: `{% dress_form form as form %}`.

    Placeholders go: they repeat the label, and vanish when they are needed.
    """
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
    return forms.dress(form)


@register.inclusion_tag(f"{FOLDER}/error_summary.html")
def error_summary(form):
    """What is wrong, each linked to its field; only for forms that are not `render_form`'s."""
    return {"form": form}


@register.inclusion_tag(f"{FOLDER}/filters.html", takes_context=True)
def render_filters(context, filterset):
    """A GET form for a `frontend.tables.FilterSet` with a chip for every filter in use."""
    request = context["request"]
    kept = [
        (name, value)
        for name, values in request.GET.lists()
        for value in values
        if name not in filterset.form.fields and name != "page"
    ]
    return {
        "form": filterset.form,
        "chips": filterset.chips(),
        "clear_url": filterset.clear_url(),
        "path": request.path,
        "kept": kept,
    }


@register.inclusion_tag(f"{FOLDER}/list.html", takes_context=True)
def render_list(context, table, filterset=None):
    """Filters and table together; with htmx only this part of the page is exchanged."""
    filtered = filterset is not None and filterset.chips()
    return {
        "table": table,
        "filterset": filterset,
        "request": context["request"],
        "swaps": True,
        "clear_url": filterset.clear_url() if filtered else "",
    }
