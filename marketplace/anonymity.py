"""Making loans indistinguishable: a table of bands in which every line stands for five borrowers.

k-anonymity (Sweeney 2002) by stepwise generalisation with local recoding. Each loan is described
by the finest band of every column. *Patterns*, one level of coarseness for each column, are tried
in the order of what they lose; at each, the loans that are still unsettled are grouped, and a
group with enough borrowers is settled as one *cell*. The last pattern says "any" in every column.
What is too few even then joins the coarsest cell; only where all loans together have too few
borrowers they are left out. The same loans give the same cells in whatever order they come.

Borrowers are counted, not loans: somebody with ten loans is one.
"""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

SMALLEST_GROUP = 5
MOST_CELLS = 50_000
ANY = "any"
OTHER = "other"
WORK = 12_000_000
FEWEST_PATTERNS, MOST_PATTERNS = 48, 1_500
RADIX_MAX = 2**62

Integers = np.ndarray


@dataclasses.dataclass(frozen=True)
class Column:
    """How one property is shown. `codes` holds for each loan an index into `labels`.

    Of a `is_banded` column neighbours may be merged: its labels are `low-high` in their order,
    the last one `low-`, and may end with an empty one for loans without the figure. A label None
    stands for values too rare to be named: such a loan is only ever shown as "any".
    """

    name: str
    labels: tuple[str | None, ...]
    codes: Integers
    is_banded: bool = False
    weight: float = 1.0


@dataclasses.dataclass(frozen=True)
class Cells:
    """What `coarsen` makes: for each cell a label for every column and the number of its loans.

    `cell_of_loan` is for whoever checks it: the number of each loan's cell, -1 for one left out.
    """

    columns: tuple[str, ...]
    labels: list[tuple[str, ...]]
    loans: list[int]
    cell_of_loan: Integers

    @property
    def suppressed_loans(self) -> int:
        return int((self.cell_of_loan < 0).sum())


@dataclasses.dataclass(frozen=True)
class _Level:
    """One coarseness of a column: for each finest code the code and the label it becomes."""

    codes: Integers
    labels: tuple[str | None, ...]
    loss: float


def coarsen(
    columns: Sequence[Column],
    borrowers: Integers,
    *,
    smallest: int = SMALLEST_GROUP,
    most_cells: int = MOST_CELLS,
) -> Cells:
    """The cells of loans whose borrowers are `borrowers` (a number for each loan).

    Each cell has at least `smallest` borrowers, more where there could be more than `most_cells`
    of them otherwise.
    """
    smallest = max(smallest, -(-len(borrowers) // most_cells))
    return _Coarsening(columns, borrowers, smallest).run()


class _Coarsening:
    """The work of `coarsen`, over distinct combinations of finest codes and not over loans."""

    def __init__(self, columns: Sequence[Column], borrowers: Integers, smallest: int):
        self.columns, self.smallest = tuple(columns), smallest
        self.ladders = [_ladder(column) for column in columns]
        codes = [np.asarray(column.codes, dtype=np.int64) for column in columns]
        sizes = [len(column.labels) for column in columns]
        _keys, first, whose = np.unique(
            _mixed(codes, sizes, len(borrowers)), return_index=True, return_inverse=True
        )
        self.codes = [column[first] for column in codes]
        self.whose = whose
        self.loans = np.bincount(whose, minlength=len(first))
        # Nearly all borrowers have one loan: those are counted, the others compared by number.
        _people, person, times = np.unique(borrowers, return_inverse=True, return_counts=True)
        is_alone = times[person] == 1
        self.alone = np.bincount(whose[is_alone], minlength=len(first))
        self.shared_combination = whose[~is_alone]
        self.shared_person = person[~is_alone]
        self.people = len(times)

    def run(self) -> Cells:
        left = np.arange(len(self.loans))
        settled: list[tuple[tuple[int, ...], Integers]] = []
        for pattern in self._patterns():
            if not len(left):
                break
            groups, is_large = self._grouped(pattern, left)
            for_keeps = is_large[groups]
            settled += self._split(pattern, left[for_keeps], groups[for_keeps])
            left = left[~for_keeps]
        if len(left) and settled:
            # Cells settle from the finest to the coarsest: the last one has the least to lose.
            _pattern, coarsest = settled.pop()
            together = np.concatenate([coarsest, left])
            settled.append((self._join(together), together))
        return self._told(settled)

    def _patterns(self) -> list[tuple[int, ...]]:
        """Levels of each column, what loses least first, evenly chosen where there are too many."""
        levels = [range(len(ladder)) for ladder in self.ladders]
        weighed = [
            (
                round(
                    sum(
                        column.weight * ladder[level].loss
                        for column, ladder, level in zip(
                            self.columns, self.ladders, pattern, strict=True
                        )
                    ),
                    6,
                ),
                pattern,
            )
            for pattern in itertools.product(*levels)
        ]
        weighed.sort()
        count = min(max(WORK // max(len(self.loans), 1), FEWEST_PATTERNS), MOST_PATTERNS)
        chosen = np.unique(np.linspace(0, len(weighed) - 1, count).round().astype(int))
        return [weighed[place][1] for place in chosen]

    def _grouped(self, pattern: tuple[int, ...], left: Integers) -> tuple[Integers, Integers]:
        """The group of each combination that is left, and whether each group may be a cell."""
        levels = [ladder[level] for ladder, level in zip(self.ladders, pattern, strict=True)]
        codes = [
            level.codes[column[left]] for level, column in zip(levels, self.codes, strict=True)
        ]
        keys = _mixed(codes, [len(level.labels) for level in levels], len(left))
        _keys, groups = np.unique(keys, return_inverse=True)
        count = int(groups.max()) + 1
        borrowers = np.bincount(groups, weights=self.alone[left], minlength=count)
        borrowers += self._shared(left, groups, count)
        is_named = np.ones(count, dtype=bool)
        for level, column in zip(levels, codes, strict=True):
            unnamed = [code for code, label in enumerate(level.labels) if label is None]
            if unnamed:
                is_named[groups[np.isin(column, unnamed)]] = False
        return groups, (borrowers >= self.smallest) & is_named

    def _shared(self, left: Integers, groups: Integers, count: int) -> Integers:
        """How many borrowers with several loans each group has."""
        if not len(self.shared_person):
            return np.zeros(count)
        group_of = np.full(len(self.loans), -1)
        group_of[left] = groups
        group = group_of[self.shared_combination]
        is_left = group >= 0
        pairs = _distinct(group[is_left] * self.people + self.shared_person[is_left])
        return np.bincount(pairs // self.people, minlength=count)

    def _split(self, pattern, combinations: Integers, groups: Integers) -> list:
        """The combinations of each group, in the order of the groups."""
        if not len(combinations):
            return []
        order = np.argsort(groups, kind="stable")
        ends = np.flatnonzero(np.diff(groups[order])) + 1
        return [(pattern, part) for part in np.split(combinations[order], ends)]

    def _join(self, combinations: Integers) -> tuple[int, ...]:
        """In every column the finest level at which all these are alike."""
        found = []
        for ladder, column in zip(self.ladders, self.codes, strict=True):
            codes = column[combinations]
            found.append(next(place for place, level in enumerate(ladder) if _is_one(level, codes)))
        return tuple(found)

    def _told(self, settled) -> Cells:
        """The cells in the order of what they say; two that say the same are one."""
        told: dict[tuple, list[Integers]] = {}
        for pattern, combinations in settled:
            key = tuple(
                (level, int(ladder[level].codes[column[combinations[0]]]))
                for ladder, level, column in zip(self.ladders, pattern, self.codes, strict=True)
            )
            told.setdefault(key, []).append(combinations)
        ordered = sorted(told)
        cell_of = np.full(len(self.loans), -1)
        for place, key in enumerate(ordered):
            for combinations in told[key]:
                cell_of[combinations] = place
        loans = np.bincount(cell_of[cell_of >= 0], self.loans[cell_of >= 0], len(ordered))
        return Cells(
            columns=tuple(column.name for column in self.columns),
            labels=[
                tuple(
                    ladder[level].labels[code] or ""
                    for ladder, (level, code) in zip(self.ladders, key, strict=True)
                )
                for key in ordered
            ],
            loans=[int(count) for count in loans],
            cell_of_loan=cell_of[self.whose],
        )


def _is_one(level: _Level, codes: Integers) -> bool:
    found = np.unique(level.codes[codes])
    return len(found) == 1 and level.labels[found[0]] is not None


def _mixed(codes: list[Integers], sizes: list[int], count: int) -> Integers:
    """One number for each combination of codes."""
    keys, radix = np.zeros(count, dtype=np.int64), 1
    for column, size in zip(codes, sizes, strict=True):
        if radix * size > RADIX_MAX:
            _found, keys = np.unique(keys, return_inverse=True)
            radix = int(keys.max(initial=0)) + 1
        keys = keys * size + column
        radix *= size
    return keys


def _ladder(column: Column) -> list[_Level]:
    """From the finest level to "any"; a column in which all loans are alike has one level."""
    count = len(column.labels)
    finest = _Level(np.arange(count), column.labels, 0.0)
    used = np.flatnonzero(np.bincount(column.codes, minlength=count))
    if len(used) <= 1 and all(column.labels[code] is not None for code in used):
        return [finest]
    levels = [finest]
    if column.is_banded:
        bands = count - (column.labels[-1] == "")
        width = 2
        while width < bands:
            levels.append(_merged(column, bands, width))
            width *= 2
    levels.append(_Level(np.zeros(count, dtype=np.int64), (ANY,), 1.0))
    return levels


def _merged(column: Column, bands: int, width: int) -> _Level:
    """Bands put together by `width`; the loans without the figure stay on their own."""
    named = [str(label) for label in column.labels]
    labels = [
        f"{named[low].split('-')[0]}-{named[min(low + width, bands) - 1].split('-')[1]}"
        for low in range(0, bands, width)
    ]
    codes = np.arange(bands) // width
    if bands < len(named):
        codes = np.append(codes, len(labels))
        labels.append("")
    return _Level(codes, tuple(labels), (width - 1) / max(bands - 1, 1))


@dataclasses.dataclass(frozen=True)
class Group:
    """Loans alike in one respect; `balance_minor` None where it must not or need not be told."""

    label: str
    loans: int
    balance_minor: int | None = None


def divide(
    column: Column,
    borrowers: Integers,
    balances_minor: Integers | None = None,
    *,
    smallest: int = SMALLEST_GROUP,
) -> list[Group]:
    """How loans are spread over one column: groups in the order of their labels, "other" last.

    A group of fewer than `smallest` borrowers is put into "other", and with it, where that is too
    small itself, the smallest that is shown. With `balances_minor` each group has its sum, unless
    one borrower owes more than half of it; the sums left out are together as safe, so that
    nothing is won by taking what is shown from the whole.
    """
    codes, borrowers = np.asarray(column.codes, dtype=np.int64), numbered(borrowers)
    people = _people_by_code(codes, borrowers, len(column.labels))
    shown = [
        code
        for code, label in enumerate(column.labels)
        if label is not None and people[code] >= smallest
    ]
    is_hidden = ~np.isin(codes, shown)
    while is_hidden.any() and shown and _count(borrowers[is_hidden]) < smallest:
        shown.remove(min(shown, key=lambda code: (people[code], code)))
        is_hidden = ~np.isin(codes, shown)
    groups = [(str(column.labels[code]), codes == code) for code in shown]
    if is_hidden.any():
        groups.append((OTHER, is_hidden))
    sums = _safe_sums([members for _label, members in groups], borrowers, balances_minor)
    return [
        Group(label, int(members.sum()), total)
        for (label, members), total in zip(groups, sums, strict=True)
    ]


def numbered(borrowers: Integers) -> Integers:
    """Borrowers as numbers from 0 on without gaps worth speaking of."""
    if len(borrowers) and borrowers.min() >= 0 and borrowers.max() <= 2 * len(borrowers):
        return borrowers
    return np.unique(borrowers, return_inverse=True)[1]


def _distinct(numbers: Integers) -> Integers:
    """Each number once. By sorting: `np.unique` hashes, which takes ten times as long for many."""
    ordered = np.sort(numbers)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def _count(borrowers: Integers) -> int:
    """How many different ones."""
    return int(np.count_nonzero(np.bincount(borrowers)))


def _people_by_code(codes: Integers, borrowers: Integers, count: int) -> Integers:
    size = int(borrowers.max(initial=0)) + 1
    return np.bincount(_distinct(codes * size + borrowers) // size, minlength=count)


def total(borrowers: Integers, balances_minor: Integers, *, smallest=SMALLEST_GROUP) -> int | None:
    """What is owed in all; None where that would tell what one borrower owes."""
    everybody = np.ones(len(borrowers), dtype=bool)
    return _sum(everybody, numbered(borrowers), balances_minor, smallest)


def _safe_sums(groups, borrowers, balances_minor, smallest=SMALLEST_GROUP) -> list[int | None]:
    """The sum of each group, None where it is left out: for its own sake or for another's."""
    if balances_minor is None:
        return [None] * len(groups)
    sums = [_sum(members, borrowers, balances_minor, smallest) for members in groups]
    while True:
        out = [place for place, found in enumerate(sums) if found is None]
        shown = [place for place, found in enumerate(sums) if found is not None]
        if not out or not shown:
            return sums
        together = np.logical_or.reduce([groups[place] for place in out])
        if _sum(together, borrowers, balances_minor, smallest) is not None:
            return sums
        sums[min(shown, key=lambda place: (sums[place] or 0, place))] = None


def _sum(members, borrowers, balances_minor, smallest) -> int | None:
    """The sum over some loans, None for too few borrowers or one who owes more than half.

    What one borrower owes is added up in floats, which are exact below 2⁵³ minor units.
    """
    owed = np.asarray(balances_minor, dtype=np.int64)[members]
    if _count(borrowers[members]) < smallest:
        return None
    whole, most = int(owed.sum()), int(np.bincount(borrowers[members], weights=owed).max())
    return None if 2 * most > whole else whole
