"""What the commands that read a bank's files have in common."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from agencies import actors
from agencies.models import Institution, User
from agencies.scope import scope
from config import errors
from portfolios.mappings import Mapping
from portfolios.models import LoanImport
from portfolios.services import (
    control_totals,
    import_files,
    import_progress,
    imports,
    loan_mappings,
)

WRITTEN_AT_ONCE = 1 << 20


class FileCommand(BaseCommand):
    """Reads one file of `kind` as a person of the bank; killed, it goes on when called again.

    A command of its own says where the rows go (`place`) and what is told at the end (`told`).
    """

    kind = LoanImport.Kind.LOANS

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--institution", required=True, help="its short name in addresses")
        parser.add_argument(
            "--mapping", help="a saved or built-in mapping, or a file of JSON; none: it is guessed"
        )
        parser.add_argument("--user", required=True, help="e-mail of a vendor manager")
        parser.add_argument(
            "--policy",
            choices=imports.Policy.values,
            default=imports.Policy.ALL_OR_NOTHING.value,
            help="what becomes of the good rows when some are bad",
        )
        parser.add_argument("--rows", type=int, help="control total: the file has as many rows")
        parser.add_argument(
            "--rejected", type=Path, help="where to write the rows that are left out"
        )

    def place(self, actor: actors.Actor, options: dict[str, Any]) -> dict[str, Any]:
        """What `import_files.run` is told about where the rows go."""
        raise NotImplementedError

    def told(self, made: LoanImport) -> str:
        """What came of the file, in a line."""
        raise NotImplementedError

    def handle(self, *, file, institution, mapping, user, policy, rejected, **options):
        actor = _person(institution, user)
        try:
            with Path(file).open("rb") as opened:
                made = import_files.run(
                    actor=actor,
                    file_name=Path(file).name,
                    file=opened,
                    mapping=self._mapping(actor, mapping),
                    policy=policy,
                    totals=control_totals.Totals(options["rows"], options["sum_minor"]),
                    watch=self._watch,
                    **self.place(actor, options),
                )
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except errors.DomainError as error:
            where = f"row {error.row}: " if error.row else ""
            raise CommandError(f"{where}{error.message} ({error.code})") from error
        finally:
            self._end_line()
        if rejected:
            _write_rejected(actor, made, rejected)
        self.stdout.write(self.told(made))

    def _mapping(self, actor: actors.Actor, name: str | None) -> Mapping | None:
        """A mapping by its name, or from a file of JSON; None is to be guessed."""
        if name is None:
            return None
        with scope(actor):
            if not Path(name).is_file():
                return loan_mappings.called(actor, name, self.kind)
        try:
            return Mapping.from_dict(json.loads(Path(name).read_text(encoding="utf-8")))
        except ValueError as error:
            raise CommandError(f"{name} is not a mapping.") from error

    def _watch(self, loan_import: LoanImport) -> None:
        """One line that says how far it is, where somebody is looking."""
        progress = import_progress.of(loan_import)
        if progress is None or not sys.stderr.isatty():
            return
        rate = f", {progress.rows_per_second} rows/s" if progress.rows_per_second else ""
        left = f", {progress.seconds_left} s left" if progress.seconds_left else ""
        label = loan_import.get_state_display()
        self.stderr.write(
            f"\r{label}: {progress.done_ppm / 10_000:.1f} %{rate}{left}   ", ending=""
        )

    def _end_line(self) -> None:
        if sys.stderr.isatty():
            self.stderr.write("")


def _write_rejected(actor: actors.Actor, made: LoanImport, path: Path) -> None:
    with scope(actor):
        rows = imports.left_out(actor=actor, import_id=made.pk)
    with path.open("wb") as written:
        while piece := rows.read(WRITTEN_AT_ONCE):
            written.write(piece)


def _person(slug: str, email: str) -> actors.Actor:
    """The active person of that institution."""
    with scope(actors.LOGIN):
        institution = Institution.objects.filter(slug=slug).first()
        person = User.objects.filter(
            email__iexact=email, institution=institution, is_active=True
        ).first()
    if institution is None or person is None:
        raise CommandError(f"Nobody called {email} works at {slug}.")
    return actors.for_user(person)
