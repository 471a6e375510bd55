"""`make bench`: what our layers cost, as ratios against the honest alternative in the same run.

The alternative does the same to the database in raw SQL or COPY as the owner's role, with no
selector, no row-level security, no audit. Ratios travel between machines; seconds do not. Each
figure stands beside itself at a tenth of the size. Name cases to run only those:
`python -m tests.bench importing drawing`.
"""

import os
import resource
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

import django

django.setup()

from tests import databases  # noqa: E402 - needs the settings
from tests.bench import cells, figures, lots, market, money, ranking, supply, walls  # noqa: E402

RANKING = "ranking"
"""No case of the database: worlds of a known truth, and what five million loans cost."""
CASES = {
    case.__name__: case
    for case in (
        *market.CASES,
        *money.CASES,
        *supply.CASES,
        *walls.CASES,
        *lots.CASES,
        *cells.CASES,
    )
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in (*CASES, RANKING)]
    if unknown:
        print(
            f"There is no {', '.join(unknown)} among {', '.join((*CASES, RANKING))}.",
            file=sys.stderr,
        )
        return 1
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    cases = [name for name in names or CASES if name != RANKING]
    if cases:
        _show(cases)
    if not names or RANKING in names:
        ranking.show()
        ranking.show_speed()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"load {os.getloadavg()[0]:.1f}, peak memory {peak_mb:.0f} MB")
    return 0


def _show(cases: list[str]) -> None:
    """The figures of these cases, each in an empty database."""
    print(figures.HEADER)
    with databases.server():
        clone = databases.Clone()
        clone.make()
        try:
            for name in cases:
                for line in figures.lines(CASES[name]()):
                    print(line, flush=True)
                clone.renew()
        finally:
            clone.drop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
