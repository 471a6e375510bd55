"""What bidders see of a listing, in words and drawings: one chart for each way to divide it.

The groups come from `marketplace.tape`, frozen at the publication.
"""

from babel import numbers
from django.utils.translation import gettext as _

from frontend import charts
from frontend.templatetags import fairplace
from marketplace import tape

MOST_BARS = 12
"""More bars than this cannot be read on a narrow screen; the table has all groups."""


def contents(listing) -> dict:
    """What `frontend/listings/contents.html` and `figures.html` show: `{charts: one for each way
    to divide the loans, has_small_groups: whether some are put together as "other",
    average_minor}`."""
    strata = listing.summary["strata"]
    drawn = [
        _drawing(listing, strata["balance"], _balance_words, _BALANCE),
        _drawing(listing, strata["days_past_due"], _days_words, _DAYS),
        _drawing(listing, _largest_first(strata["region"]), _plain_words, _REGION),
        _drawing(listing, strata["grade"], _plain_words, _GRADE),
    ]
    return {
        "charts": [chart for chart in drawn if chart],
        "has_small_groups": any(
            row["group"] == tape.OTHER for rows in strata.values() for row in rows
        ),
        "average_minor": listing.balance_minor // listing.loan_count,
    }


class _Words:
    """The sentences of one division; functions, because the language is that of the request."""

    def __init__(self, subject, whole, finding, description):
        self.subject, self.whole = subject, whole
        self.finding, self.description = finding, description


_BALANCE = _Words(
    lambda: _("Balance"),
    lambda group: _("Every loan owes %(group)s") % {"group": group},
    lambda share, group: (
        _("%(share)s of the loans owe %(group)s") % {"share": share, "group": group}
    ),
    lambda: _("Loans by what is owed on each."),
)
_DAYS = _Words(
    lambda: _("Days past due"),
    lambda group: _("Every loan is %(group)s days past due") % {"group": group},
    lambda share, group: (
        _("%(share)s of the loans are %(group)s days past due") % {"share": share, "group": group}
    ),
    lambda: _("Loans by days past due at publication."),
)
_REGION = _Words(
    lambda: _("Region"),
    lambda group: _("Every loan is in %(group)s") % {"group": group},
    lambda share, group: (
        _("%(group)s has the most loans: %(share)s") % {"share": share, "group": group}
    ),
    lambda: _("Loans by region, the largest first."),
)
_GRADE = _Words(
    lambda: _("Grade"),
    lambda group: _("Every loan has grade %(group)s") % {"group": group},
    lambda share, group: (
        _("Grade %(group)s is the most frequent: %(share)s") % {"share": share, "group": group}
    ),
    lambda: _("Loans by the grade the bank gave them when they were made."),
)


def _drawing(listing, rows: list[dict], in_words, words: _Words) -> dict | None:
    known = [row for row in rows if row["group"] not in ("", tape.OTHER)]
    if not known:
        return None
    labels = [_label(row["group"], in_words, listing.currency) for row in rows]
    bins = [(label, row["loans"]) for label, row in zip(labels, rows, strict=True)]
    description = words.description()
    if len(bins) > MOST_BARS:
        description += " " + _("Drawn are the first %(bars)s; the table has all %(all)s.") % {
            "bars": MOST_BARS,
            "all": fairplace.integer(len(bins)),
        }
    chart = charts.distribution_bars(
        bins[:MOST_BARS],
        title=_finding(listing, known, in_words, words),
        description=description,
        subject=words.subject(),
        measure=_("Loans"),
    )
    chart["columns"] = [words.subject(), _("Loans"), _("Balance")]
    chart["rows"] = [
        [
            label,
            fairplace.integer(row["loans"]),
            fairplace.money(row["balance_minor"], listing.currency),
        ]
        for label, row in zip(labels, rows, strict=True)
    ]
    return chart


def _finding(listing, known: list[dict], in_words, words: _Words) -> str:
    largest = max(known, key=lambda row: row["loans"])
    group = in_words(largest["group"], listing.currency)
    if largest["loans"] == listing.loan_count:
        return words.whole(group)
    share_ppm = largest["loans"] * 1_000_000 // listing.loan_count
    return words.finding(fairplace.rate(share_ppm, 0), group)


def _largest_first(rows: list[dict]) -> list[dict]:
    return sorted(rows, key=lambda row: (row["group"] == tape.OTHER, -row["loans"]))


def _label(group: str, in_words, currency: str) -> str:
    if group == tape.OTHER:
        return _("Other")
    return in_words(group, currency) if group else _("Not given")


def _plain_words(group: str, currency: str) -> str:
    return group


def _balance_words(group: str, currency: str) -> str:
    """Short, and with one sign of currency: seven of these stand under the bars."""
    low, high = (int(edge) if edge else None for edge in group.split("-"))
    if high is None:
        return f"{_amount(low, currency)}+"
    if not low:
        return f"< {_amount(high, currency)}"
    top = numbers.format_compact_decimal(
        fairplace.major(high, currency), locale=fairplace.locale(), fraction_digits=1
    )
    return f"{_amount(low, currency)}–{top}"


def _days_words(group: str, currency: str) -> str:
    low, high = (int(edge) if edge else None for edge in group.split("-"))
    if high is None:
        return f"{fairplace.integer(low)}+"
    return f"{fairplace.integer(low)}–{fairplace.integer(high - 1)}"


def _amount(amount_minor: int, currency: str) -> str:
    return numbers.format_compact_currency(
        fairplace.major(amount_minor, currency),
        currency,
        locale=fairplace.locale(),
        fraction_digits=1,
    )
