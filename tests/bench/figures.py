"""Figures of a benchmark: what ours takes beside the honest alternative, at two sizes."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator

REPEATS = 5
HEADER = (
    f"{'':60} {'size':>9} {'ours':>10} {'raw':>10} {'ratio':>6}"
    f"   | {'a tenth':>9} {'ours':>10} {'raw':>10} {'ratio':>6}"
)


@dataclasses.dataclass(frozen=True)
class Figure:
    """One thing measured at one size.

    `label` names it at both sizes, the smaller of which comes first. `ours` and `raw` do the same;
    what the attribute `before` of either returns are its arguments, made outside the time, and
    `repeats` is how often it can be done. `runs` are how many of them one call does. Limits are
    the acceptance's: `at_most` times the alternative, `within_ms` for one run.
    """

    label: str
    size: int
    ours: Callable
    raw: Callable
    runs: int = 1
    at_most: float | None = None
    within_ms: float | None = None

    def measure(self) -> "Measured":
        mine, theirs = compared(self.ours, self.raw)
        return Measured(self, mine / self.runs * 1000, theirs / self.runs * 1000)


@dataclasses.dataclass(frozen=True)
class Measured:
    figure: Figure
    ours_ms: float
    raw_ms: float

    @property
    def ratio(self) -> float:
        return self.ours_ms / self.raw_ms

    def words(self) -> str:
        ours, raw = _span(self.ours_ms), _span(self.raw_ms)
        return f"{self.figure.size:>9,} {ours:>10} {raw:>10} {self.ratio:5.2f}x"

    def verdict(self) -> str:
        """Each limit, and whether it is kept."""
        at_most, within_ms = self.figure.at_most, self.figure.within_ms
        told = []
        if at_most is not None:
            told.append((f"at most {at_most:g}x", self.ratio <= at_most))
        if within_ms is not None:
            told.append((f"within {within_ms:g} ms", self.ours_ms <= within_ms))
        return ", ".join(f"{limit}: {'kept' if kept else 'MISSED'}" for limit, kept in told)


def _span(milliseconds: float) -> str:
    return f"{milliseconds:,.1f} ms" if milliseconds < 10_000 else f"{milliseconds / 1000:,.1f} s"


def lines(figures: Iterable[Figure]) -> Iterator[str]:
    """A line for each two figures of the same label, as soon as both are measured."""
    smaller: dict[str, Measured] = {}
    for figure in figures:
        found = figure.measure()
        before = smaller.pop(figure.label, None)
        if before is None:
            smaller[figure.label] = found
            continue
        verdict = found.verdict()
        yield (
            f"{figure.label:60} {found.words()}   | {before.words()}"
            f"{'   ' if verdict else ''}{verdict}"
        )
    assert not smaller, f"measured at one size alone: {', '.join(smaller)}"


def compared(*runs: Callable) -> list[float]:
    """The best of several times of each, in seconds: other work of the machine only ever adds to
    them. They take turns, so that it falls on all of them."""
    taken: list[list[float]] = [[] for _run in runs]
    for _repeat in range(min(getattr(run, "repeats", REPEATS) for run in runs)):
        for run, times in zip(runs, taken, strict=True):
            given = run.before() if hasattr(run, "before") else ()
            started = time.perf_counter()
            run(*given)
            times.append(time.perf_counter() - started)
    return [min(times) for times in taken]
