"""How far a worker is with an import."""

import dataclasses

from config import money
from portfolios.models import LoanImport
from portfolios.services import import_runs


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far the present phase of an import is; None where it cannot be told yet."""

    done_ppm: int
    rows_per_second: int | None
    seconds_left: int | None


def of(loan_import: LoanImport) -> Progress | None:
    """By the bytes of the file that are read, which are known before its rows are; None while the
    import waits for a person or has ended."""
    if loan_import.state not in import_runs.MOVING:
        return None
    done = loan_import.bytes_read
    whole = max(loan_import.file_bytes, done, 1)
    begun = loan_import.phase_started_at
    seconds = (loan_import.moved_at - begun).total_seconds() if begun else 0
    if seconds < 1 or not done or loan_import.state == LoanImport.State.CANCELLING:
        return Progress(money.PPM * done // whole, None, None)
    return Progress(
        done_ppm=money.PPM * done // whole,
        rows_per_second=round((loan_import.last_row - 1) / seconds),
        seconds_left=round(seconds * (whole - done) / done),
    )
