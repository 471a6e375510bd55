"""What bidders see of a listing, in words and drawings: one chart for each way to divide it.

The groups come from the listing's tape, frozen when its loans were counted.
"""

from django.utils.translation import gettext as _

from frontend import charts, tapes
from frontend.templatetags import fairplace
from marketplace import anonymity
from marketplace.models import Listing, Tape

MOST_BARS = 12
"""More bars than this cannot be read on a narrow screen; the table has all groups."""

CELLS_SHOWN = 10
NEVER_PLACED = "0-1"
"""No earlier placement of any loan, which needs no chart. No balance or day has this group."""


def contents(listing: Listing, tape: Tape) -> dict:
    """What `frontend/listings/contents.html` and `figures.html` show: `{charts: one for each way
    to divide the loans, has_small_groups: whether some are put together as "other", tape,
    tape_table, average_minor}`."""
    strata = tape.strata
    drawn = [
        _drawing(listing, tape, "balance", strata["balance"], _BALANCE),
        _drawing(listing, tape, "days_past_due", strata["days_past_due"], _DAYS),
        _drawing(listing, tape, "region", _largest_first(strata["region"]), _REGION),
        _drawing(listing, tape, "grade", strata["grade"], _GRADE),
        _drawing(listing, tape, "score", strata["score"], _SCORE),
        _drawing(listing, tape, "earlier_placements", strata["earlier_placements"], _PLACEMENTS),
    ]
    return {
        "charts": [chart for chart in drawn if chart],
        "has_small_groups": any(
            row["group"] == anonymity.OTHER for rows in strata.values() for row in rows
        ),
        "tape": tape,
        "tape_table": tapes.table(listing, tape, CELLS_SHOWN),
        "combinations": len(tape.cells["rows"]),
        "average_minor": _average(tape),
    }


def _average(tape: Tape) -> int | None:
    """Of the loans that the balance is the sum of."""
    if tape.balance_minor is None:
        return None
    return tape.balance_minor // (tape.loan_count - tape.suppressed_count)


class _Words:
    """The sentences of one division; functions, because the language is that of the request."""

    def __init__(self, whole, finding, description):
        self.whole, self.finding, self.description = whole, finding, description


_BALANCE = _Words(
    lambda group: _("Every loan owes %(group)s") % {"group": group},
    lambda share, group: (
        _("%(share)s of the loans owe %(group)s") % {"share": share, "group": group}
    ),
    lambda: _("Loans by what is owed on each."),
)
_DAYS = _Words(
    lambda group: _("Every loan is %(group)s days past due") % {"group": group},
    lambda share, group: (
        _("%(share)s of the loans are %(group)s days past due") % {"share": share, "group": group}
    ),
    lambda: _("Loans by days past due at publication."),
)
_REGION = _Words(
    lambda group: _("Every loan is in %(group)s") % {"group": group},
    lambda share, group: (
        _("%(group)s has the most loans: %(share)s") % {"share": share, "group": group}
    ),
    lambda: _("Loans by region, the largest first."),
)
_GRADE = _Words(
    lambda group: _("Every loan has grade %(group)s") % {"group": group},
    lambda share, group: (
        _("Grade %(group)s is the most frequent: %(share)s") % {"share": share, "group": group}
    ),
    lambda: _("Loans by the grade the bank gave them when they were made."),
)
_SCORE = _Words(
    lambda group: _("Every loan scores %(group)s") % {"group": group},
    lambda share, group: (
        _("%(share)s of the loans score %(group)s") % {"share": share, "group": group}
    ),
    lambda: _("Loans by the bank's own score."),
)
_PLACEMENTS = _Words(
    lambda group: _("Number of earlier placements of every loan: %(group)s") % {"group": group},
    lambda share, group: (
        _("Number of earlier placements of %(share)s of the loans: %(group)s")
        % {"share": share, "group": group}
    ),
    lambda: _("Loans by how often they were placed with an agency before."),
)


def _drawing(
    listing: Listing, tape: Tape, name: str, rows: list[dict], words: _Words
) -> dict | None:
    known = [row for row in rows if row["group"] not in ("", anonymity.OTHER)]
    if not known or [row["group"] for row in rows] == [NEVER_PLACED]:
        return None
    subject = tapes.headings()[name]
    labels = [tapes.words(name, row["group"], listing.currency) for row in rows]
    bins = [(label, row["loans"]) for label, row in zip(labels, rows, strict=True)]
    description = words.description()
    if len(bins) > MOST_BARS:
        description += " " + _("Drawn are the first %(bars)s; the table has all %(all)s.") % {
            "bars": MOST_BARS,
            "all": fairplace.integer(len(bins)),
        }
    largest = max(known, key=lambda row: row["loans"])
    chart = charts.distribution_bars(
        bins[:MOST_BARS],
        title=_finding(tape, tapes.words(name, largest["group"], listing.currency), largest, words),
        description=description,
        subject=subject,
        measure=_("Loans"),
    )
    chart["columns"] = [subject, _("Loans"), _("Share")]
    chart["rows"] = [
        [label, fairplace.integer(row["loans"]), _share(row["loans"], tape)]
        for label, row in zip(labels, rows, strict=True)
    ]
    if name == "balance":
        chart["columns"].append(_("Balance"))
        for told, row in zip(chart["rows"], rows, strict=True):
            told.append(fairplace.money(row["balance_minor"], listing.currency))
    return chart


def _finding(tape: Tape, group: str, largest: dict, words: _Words) -> str:
    if largest["loans"] == tape.loan_count:
        return words.whole(group)
    return words.finding(_share(largest["loans"], tape), group)


def _share(loans: int, tape: Tape) -> str:
    return fairplace.rate(loans * 1_000_000 // tape.loan_count, 0)


def _largest_first(rows: list[dict]) -> list[dict]:
    return sorted(rows, key=lambda row: (row["group"] == anonymity.OTHER, -row["loans"]))
