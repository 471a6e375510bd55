"""Which loans and days of a panel to rank, as somebody chooses it on a page."""

import uuid
from collections.abc import Iterable

import django_filters
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from frontend import tables
from frontend.success_strata import SEPARATOR
from marketplace.models import RankingCut, RankingRun
from marketplace.selectors import ShownRanking

SELECTABLE_MIN = 2


class CutFilter(tables.FilterSet):
    """One portfolio, one product or some days; a choice of one is none."""

    portfolio = django_filters.ChoiceFilter(label=gettext_lazy("Portfolio"))
    product = django_filters.ChoiceFilter(label=gettext_lazy("Product"))
    days = django_filters.DateFromToRangeFilter(label=gettext_lazy("From and until"))

    def __init__(
        self,
        data: QueryDict | None,
        portfolios: Iterable[tuple[uuid.UUID, str]],
        products: Iterable[str],
    ):
        super().__init__(data, RankingRun.objects.none())
        choices = {
            "portfolio": [(str(pk), name) for pk, name in portfolios],
            "product": [(product, product) for product in products],
        }
        for name, offered in choices.items():
            if len(offered) < SELECTABLE_MIN:
                del self.filters[name]
            else:
                self.filters[name].extra["choices"] = offered

    def cut(self) -> RankingCut:
        """What was chosen; everything where nothing was, or where it makes no sense."""
        if not self.is_bound or not self.form.is_valid():
            return RankingCut()
        given = self.form.cleaned_data
        days = given["days"]
        return RankingCut(
            portfolio_id=uuid.UUID(given["portfolio"]) if given.get("portfolio") else None,
            product=given.get("product") or "",
            starts_on=days.start.date() if days and days.start else None,
            ends_on=days.stop.date() if days and days.stop else None,
        )


def products(whole: ShownRanking | None) -> list[str]:
    """The products of the loans in a ranking, where its policy tells them apart."""
    if whole is None:
        return []
    names = [name for name, _edges in whole.run.policy.strata]
    if "product" not in names:
        return []
    place = names.index("product")
    found = {
        segment["stratum"].split(SEPARATOR)[place]
        for score in whole.scores
        for segment in score.segments
    }
    return sorted(found)
