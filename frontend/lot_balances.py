"""How alike lots are, as a chart whose title says what was found.

A balance is what `lot_balance.LotBalance` is as plain data: of an award's lots, or of a rehearsal.
"""

from django.utils.translation import gettext as _

from frontend import charts
from frontend.templatetags import fairplace
from portfolios.lot_covariates import MISSING, OTHER

MOST_MEASURES = 24
"""More cannot be told apart on a narrow screen; the table has all."""
PPM = 1_000_000


def chart(lots: list[tuple[str, dict]], *, rehearsed: bool = False) -> dict | None:
    """The love plot of lots (name, balance) for the bank; None where nothing can differ."""
    lots = [(name, balance) for name, balance in lots if balance and balance["differences"]]
    if not lots:
        return None
    description = _(
        "Each dot is one lot: its mean less the mean of all other loans, in standard deviations."
        " Beyond the dashed lines somebody has to accept the lots."
    )
    if rehearsed:
        description += " " + _("A rehearsal: the award draws again, as alike, from its own seed.")
    return _drawn(lots, _finding(lots), description)


def own_chart(name: str, balance: dict) -> dict | None:
    """A winner's lot against the rest, for the winner: no other lot is in it."""
    if not balance or not balance["differences"]:
        return None
    largest = _largest([(name, balance)])
    title = _("Your lot differs from the rest by at most %(difference)s standard deviations") % {
        "difference": _size(largest["difference_ppm"])
    }
    description = _(
        "Each dot is your lot's mean less the mean of all other loans of the portfolio, in standard"
        " deviations. Chance drew it; beyond the dashed lines the bank would have had to accept it."
    )
    return _drawn([(name, balance)], title, description)


def _drawn(lots: list[tuple[str, dict]], title: str, description: str) -> dict:
    rows = [
        (measure(one), [balance["differences"][place]["difference_ppm"] for _n, balance in lots])
        for place, one in enumerate(lots[0][1]["differences"])
    ]
    rows.sort(key=lambda row: -max(map(abs, row[1])))
    if len(rows) > MOST_MEASURES:
        description += " " + _("Drawn are the %(drawn)s largest; the table has all %(all)s.") % {
            "drawn": MOST_MEASURES,
            "all": fairplace.integer(len(rows)),
        }
    return charts.love_plot(
        rows,
        [name for name, _balance in lots],
        limit_ppm=max(balance["acceptable_ppm"] for _name, balance in lots),
        drawn=MOST_MEASURES,
        title=title,
        description=description,
        subject=_("Measure"),
    )


def _finding(lots: list[tuple[str, dict]]) -> str:
    name, balance = max(lots, key=lambda lot: abs(_largest([lot])["difference_ppm"]))
    largest = _largest([(name, balance)])
    size = _size(largest["difference_ppm"])
    if all(abs(_largest([lot])["difference_ppm"]) <= lot[1]["acceptable_ppm"] for lot in lots):
        words = _(
            "The lots are alike: none differs by more than %(difference)s standard deviations"
        )
        return words % {"difference": size}
    return _("%(lot)s differs most: %(measure)s by %(difference)s standard deviations") % {
        "lot": name,
        "measure": measure(largest),
        "difference": size,
    }


def _largest(lots: list[tuple[str, dict]]) -> dict:
    differences = (one for _name, balance in lots for one in balance["differences"])
    return max(differences, key=lambda one: abs(one["difference_ppm"]))


def _size(difference_ppm: int) -> str:
    return fairplace.decimal(abs(difference_ppm) / PPM, 3)


def measure(difference: dict) -> str:
    """What is compared, in words: `Balance`, `Region CA`, `Score unknown`."""
    covariate, level = difference["covariate"], difference["level"]
    names = {
        "balance": _("Balance"),
        "log_balance": _("Balance, logarithm"),
        "days_past_due": _("Days past due"),
        "score": _("Score"),
        "expected_recovery": _("Expected recovery"),
        "product": _("Product"),
        "region": _("Region"),
        "earlier_placements": _("Earlier placements"),
    }
    if not level and covariate in ("product", "region"):
        level = _("not given")
    if level == MISSING:
        level = _("unknown")
    if level == OTHER:
        level = _("other")
    return f"{names[covariate]}: {level}" if level else names[covariate]
