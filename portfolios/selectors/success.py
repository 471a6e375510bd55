"""Success by means: all figures of one bank's placements in one currency, whole and by agency."""

import dataclasses
import uuid
from collections.abc import Mapping

from agencies.actors import Actor
from portfolios.selectors import coverage, keeping, means
from portfolios.selectors.coverage import Coverage
from portfolios.selectors.keeping import Keeping
from portfolios.selectors.means import Brought, Cell, Means
from portfolios.selectors.observed import Observed, observed_work


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """The figures of one agency, or of all together (no `agency_id`). `means` and `stages` hold
    what is there, in order; a stage is (measure, number of the band)."""

    agency_id: uuid.UUID | None
    agency_name: str | None
    means: Mapping[Means, Brought]
    stages: Mapping[tuple[Means, int], Brought]
    keeping: Keeping
    coverage: Coverage

    @property
    def brought(self) -> Brought:
        """All measures together, of which only the money adds up."""
        return Brought(recovered_minor=sum(one.recovered_minor for one in self.means.values()))


@dataclasses.dataclass(frozen=True, slots=True)
class Success:
    """What was found of `field`; `agencies` by name, those without any work too."""

    field: Observed
    whole: Part
    agencies: list[Part]

    def of(self, agency_id: uuid.UUID | None) -> Part:
        """One agency's, or all together."""
        return next((one for one in self.agencies if one.agency_id == agency_id), self.whole)


def success_of(field: Observed) -> Success:
    """All figures, in three statements; `means.brought`, `keeping.kept` and `coverage.covered`
    say what they mean."""
    cells, kept, covered = means.brought(field), keeping.kept(field), coverage.covered(field)
    whole = _part(
        None,
        None,
        cells,
        sum(kept.values(), Keeping()),
        sum(covered.values(), Coverage()),
    )
    agencies = [
        _part(
            pk,
            name,
            {cell: figures for cell, figures in cells.items() if cell.agency_id == pk},
            kept.get(pk, Keeping()),
            covered.get(pk, Coverage()),
        )
        for pk, name in field.agencies.items()
    ]
    return Success(field, whole, agencies)


def _part(agency_id, agency_name, cells: Mapping[Cell, Brought], kept, covered) -> Part:
    order = list(Means)
    by_means = means.summed(cells, lambda cell: cell.means)
    by_stage = means.summed(cells, lambda cell: (cell.means, cell.stage))
    return Part(
        agency_id,
        agency_name,
        means={one: by_means[one] for one in sorted(by_means, key=order.index)},
        stages={
            one: by_stage[one]
            for one in sorted(by_stage, key=lambda one: (order.index(one[0]), one[1]))
        },
        keeping=kept,
        coverage=covered,
    )


def success_in(
    actor: Actor,
    currency: str,
    institution_id: uuid.UUID | None = None,
    portfolio_id: uuid.UUID | None = None,
) -> Success | None:
    """The figures of a currency as the actor may see them; None where nothing is placed in it.

    An agency of several banks names one, or gets the first by name. Of a portfolio that is not
    among what the actor sees there is nothing either.
    """
    for field in observed_work(actor):
        if field.currency == currency and institution_id in (None, field.institution_id):
            field = field.within(portfolio_id) if portfolio_id else field
            return success_of(field) if field.placements else None
    return None
