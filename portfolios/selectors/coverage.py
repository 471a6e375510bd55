"""Coverage: how many of the loans an agency holds are worked at all, and which."""

import dataclasses
import uuid

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from portfolios.selectors.observed import SPELLS, Observed, rate_ppm

SHORT_DAYS = 7
LONG_DAYS = 30
LEAST_LOANS = 10
"""With fewer in a half nothing is said about it."""
CHANCE = 1.96
"""Standard errors that a difference exceeds in one of twenty cases by chance alone."""


class Leaning(TextChoices):
    """Whether the large loans are worked and the small ones left."""

    TOO_FEW = "too_few", _("Too few loans to say")
    EVEN = "even", _("No clear difference")
    LARGE = "large", _("The large ones more")
    ONLY_LARGE = "only_large", _("Only the large ones")
    SMALL = "small", _("The small ones more")


@dataclasses.dataclass(frozen=True, slots=True)
class Coverage:
    """Open loans that are not on hold, and those of them that had a contact in the last 7 and 30
    days. `longest_days` is how long the longest untouched one is; None without loans. `upper`
    are the loans above the agency's median balance, `lower` the others."""

    loan_count: int = 0
    short_count: int = 0
    long_count: int = 0
    longest_days: int | None = None
    upper_count: int = 0
    upper_long_count: int = 0
    on_hold_count: int = 0

    def __add__(self, other: "Coverage") -> "Coverage":
        longest = [days for days in (self.longest_days, other.longest_days) if days is not None]
        return Coverage(
            loan_count=self.loan_count + other.loan_count,
            short_count=self.short_count + other.short_count,
            long_count=self.long_count + other.long_count,
            longest_days=max(longest, default=None),
            upper_count=self.upper_count + other.upper_count,
            upper_long_count=self.upper_long_count + other.upper_long_count,
            on_hold_count=self.on_hold_count + other.on_hold_count,
        )

    @property
    def short_ppm(self) -> int | None:
        """Touched in 7 days."""
        return rate_ppm(self.short_count, self.loan_count)

    @property
    def long_ppm(self) -> int | None:
        """Touched in 30 days."""
        return rate_ppm(self.long_count, self.loan_count)

    @property
    def lower_count(self) -> int:
        return self.loan_count - self.upper_count

    @property
    def lower_long_count(self) -> int:
        return self.long_count - self.upper_long_count

    @property
    def upper_ppm(self) -> int | None:
        """Of the larger half touched in 30 days."""
        return rate_ppm(self.upper_long_count, self.upper_count)

    @property
    def lower_ppm(self) -> int | None:
        """Of the smaller half touched in 30 days."""
        return rate_ppm(self.lower_long_count, self.lower_count)

    @property
    def leaning(self) -> Leaning:
        """What the halves say: a difference of two shares beyond chance (z-test, pooled)."""
        if min(self.upper_count, self.lower_count) < LEAST_LOANS:
            return Leaning.TOO_FEW
        pooled = self.long_count / self.loan_count
        error = (pooled * (1 - pooled) * (1 / self.upper_count + 1 / self.lower_count)) ** 0.5
        difference = (
            self.upper_long_count / self.upper_count - self.lower_long_count / self.lower_count
        )
        if abs(difference) <= CHANCE * error:
            return Leaning.EVEN
        if difference < 0:
            return Leaning.SMALL
        return Leaning.LARGE if self.lower_long_count else Leaning.ONLY_LARGE


FIGURES = """
held as (
    select s.*, l.is_on_hold
    from spells s
    join portfolios_loan l on l.id = s.loan_id
    where not s.is_over
),
medians as (
    select agency_id, percentile_disc(0.5) within group (order by balance_minor) as median_minor
    from held
    where not is_on_hold
    group by agency_id
),
touched as (
    select c.spell_id, max(c.happened_at) as happened_at
    from portfolios_contact c
    join held h on h.id = c.spell_id
    group by c.spell_id
),
aged as (
    select h.agency_id, h.is_on_hold, h.balance_minor > m.median_minor as is_upper,
        %(today)s - (t.happened_at at time zone %(zone)s)::date as contact_days,
        %(today)s - (coalesce(t.happened_at, h.opened_at) at time zone %(zone)s)::date as idle_days
    from held h
    left join touched t on t.spell_id = h.id
    left join medians m on m.agency_id = h.agency_id
)
select agency_id,
    count(*) filter (where not is_on_hold),
    count(*) filter (where not is_on_hold and contact_days <= %(short)s),
    count(*) filter (where not is_on_hold and contact_days <= %(long)s),
    max(idle_days) filter (where not is_on_hold),
    count(*) filter (where not is_on_hold and is_upper),
    count(*) filter (where not is_on_hold and is_upper and contact_days <= %(long)s),
    count(*) filter (where is_on_hold)
from aged
group by agency_id
"""


def covered(field: Observed) -> dict[uuid.UUID, Coverage]:
    """Coverage of each agency's loans as they are held now; one statement.

    A contact of whatever outcome counts, up to 7 (30) of the bank's business days ago. The
    longest untouched is counted from its last contact, or from the placement. Loans on hold are
    left out: they must not be contacted. Balances are those at placement.
    """
    rows = field.rows([SPELLS, FIGURES], short=SHORT_DAYS, long=LONG_DAYS)
    return {agency_id: Coverage(*counts) for agency_id, *counts in rows}
