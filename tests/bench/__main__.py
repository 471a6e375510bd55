"""`make bench`: what our layers cost, as ratios against the honest alternative in the same run.

The alternative does the same to the database in raw SQL or COPY as the owner's role, with no
selector, no row-level security, no audit. Ratios travel between machines; seconds do not.
"""

import os
import resource
import statistics
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

import django

django.setup()

from tests import databases  # noqa: E402 - needs the settings
from tests.bench import lots, money, reading, supply, walls  # noqa: E402

REPEATS = 5
CASES = (*supply.CASES, *reading.CASES, *money.CASES, *walls.CASES)


def compared(*runs) -> list[float]:
    """The median of several times of each, in seconds; they take turns, so that what else the
    machine does falls on all of them. `run.before` prepares what a run needs; a run that cannot
    be repeated says so in `run.repeats`."""
    taken: list[list[float]] = [[] for _run in runs]
    for _repeat in range(min(getattr(run, "repeats", REPEATS) for run in runs)):
        for run, times in zip(runs, taken, strict=True):
            given = run.before() if hasattr(run, "before") else ()
            started = time.perf_counter()
            run(*given)
            times.append(time.perf_counter() - started)
    return [statistics.median(times) for times in taken]


def main() -> None:
    print(f"{'':66} {'ours':>9} {'raw':>9} {'ratio':>7}")
    with databases.server():
        clone = databases.Clone()
        clone.make()
        try:
            for case in CASES:
                for label, ours, raw in case():
                    mine, theirs = compared(ours, raw)
                    print(
                        f"{label:66} {mine * 1000:7.1f}ms {theirs * 1000:7.1f}ms"
                        f" {mine / theirs:6.1f}x",
                        flush=True,
                    )
        finally:
            clone.drop()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of the whole run {peak_mb:.0f} MB")
    lots.show()


if __name__ == "__main__":
    sys.exit(main())
