"""A back-test of a ranking policy in words: who would stand elsewhere, and when."""

import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agencies.actors import Actor
from agencies.selectors import visible_agencies
from frontend.charts.wording import times
from frontend.templatetags import fairplace, states
from marketplace.models import RankingBacktest

NAMED = 3
"""Movers that the finding names."""
LAST = 1_000_000
"""Where those stand who have no place."""
SIDES = ("before", "after")


def shown(actor: Actor, backtest: RankingBacktest, time_zone: str) -> dict:
    """`{title, backtest, columns, rows}`: columns are {label, note}, the latest first, and rows
    {label, cells} with a cell {before, after, note, is_moved} for each column."""
    rows = _rows(actor, backtest)
    latest_first = range(len(backtest.moments))[::-1]
    return {
        "title": finding(backtest, rows),
        "backtest": backtest,
        "columns": [
            {"label": _label(backtest, number, time_zone), "note": _note(rows, number)}
            for number in latest_first
        ],
        "rows": [{**row, "cells": row["cells"][::-1]} for row in rows],
    }


def finding(backtest: RankingBacktest, rows: list[dict]) -> str:
    """The one sentence that a back-test shows."""
    if not _is_about_now(backtest):
        return _("There is nothing to compare today")
    moved = [row for row in rows if row["cells"][-1]["is_moved"]]
    if not moved:
        return _("Nobody would change places today")
    who = [
        _("%(agency)s from %(before)s to %(after)s") % {"agency": row["label"], **row["cells"][-1]}
        for row in moved[:NAMED]
    ]
    if len(moved) > NAMED:
        who.append(_("and %(count)s more") % {"count": fairplace.integer(len(moved) - NAMED)})
    counted = ngettext(
        "%(count)s of %(all)s agencies would change its place today",
        "%(count)s of %(all)s agencies would change their places today",
        len(moved),
    ) % {"count": fairplace.integer(len(moved)), "all": fairplace.integer(len(rows))}
    return _("%(counted)s: %(who)s") % {"counted": counted, "who": "; ".join(who)}


def _rows(actor: Actor, backtest: RankingBacktest) -> list[dict]:
    """One per agency, in the order in which they would stand at last."""
    ids = [row["agency"] for row in backtest.results]
    names = dict(visible_agencies(actor).filter(pk__in=ids).values_list("pk", "name"))
    by_id = {str(pk): name for pk, name in names.items()}
    rows = [
        {
            "label": by_id.get(row["agency"], fairplace.NO_VALUE),
            "cells": [_cell(place) for place in row["places"]],
            "order": _order(row["places"][-1]["after"]),
        }
        for row in backtest.results
    ]
    return sorted(rows, key=lambda row: (row["order"], row["label"]))


def _order(standing: dict | None) -> tuple[int, float]:
    if standing is None:
        return LAST, 0.0
    return standing["position"] or LAST, -standing["index"]


def _cell(place: dict) -> dict:
    before, after = (_place(place[side]) for side in SIDES)
    indices = [times(place[side] and place[side]["index"]) for side in SIDES]
    return {
        "before": before,
        "after": after,
        "note": indices[0] if indices[0] == indices[1] else " → ".join(indices),
        "is_moved": before != after,
    }


def _place(standing: dict | None) -> str:
    if standing is None:
        return fairplace.NO_VALUE
    if standing["position"] is None:
        return str(states.words(standing["status"])[0])
    return f"{fairplace.integer(standing['position'])}{'=' if standing['is_tied'] else ''}"


def _is_about_now(backtest: RankingBacktest) -> bool:
    return backtest.moments[-1:] == [backtest.made_at.isoformat()]


def _label(backtest: RankingBacktest, number: int, time_zone: str) -> str:
    """The last day of a quarter, or the moment of the back-test."""
    if number == len(backtest.moments) - 1 and _is_about_now(backtest):
        return _("At the back-test")
    midnight = datetime.datetime.fromisoformat(backtest.moments[number])
    day = midnight.astimezone(ZoneInfo(time_zone)).date() - datetime.timedelta(days=1)
    return fairplace.day_text(day)


def _note(rows: list[dict], number: int) -> str:
    moved = sum(row["cells"][number]["is_moved"] for row in rows)
    if not moved:
        return _("nobody moves")
    return ngettext("%(count)s moves", "%(count)s move", moved) % {
        "count": fairplace.integer(moved)
    }
