"""Files that come in, of loans or of the day's news: kept, and their columns guessed."""

from typing import IO

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from agencies import policies, selectors
from agencies.actors import Actor
from config import clock, errors, money
from portfolios.file_messages import FileRefused
from portfolios.models import LoanFilePart, LoanImport, Portfolio
from portfolios.selectors import visible_imports, visible_portfolios
from portfolios.services import control_totals, file_parts, imports, loan_mappings

LARGEST_FILE_BYTES = 4 * 1024**3

Kind = LoanImport.Kind


def receive(
    *,
    actor: Actor,
    portfolio_id,
    file_name: str,
    file: IO[bytes],
    totals: control_totals.Totals | None = None,
) -> LoanImport:
    """Keep a file of loans for a draft, and guess which columns hold what; the columns wait for a
    person.

    `file` can be read twice. Raises `InvalidState` (`NOT_DRAFT`); `InvalidInput` for a file that
    is too large, came before (`SAME_FILE`) or is no table (codes of `tables.open_table`).
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    portfolio = _draft(actor, portfolio_id)
    loan_import = LoanImport(
        kind=Kind.LOANS,
        institution_id=portfolio.institution_id,
        portfolio=portfolio,
        currency=portfolio.currency,
    )
    return _keep(actor, loan_import, file_name, file, totals)


def receive_maintenance(
    *,
    actor: Actor,
    currency: str,
    file_name: str,
    file: IO[bytes],
    totals: control_totals.Totals | None = None,
) -> LoanImport:
    """Keep a maintenance file, whose amounts are in `currency`, as `receive` keeps one of loans.

    Raises `InvalidInput` as `receive`, and `UNKNOWN_CURRENCY`.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    if currency not in money.CURRENCIES:
        raise FileRefused("UNKNOWN_CURRENCY", field="currency")
    institution = selectors.visible_institutions(actor).get()
    loan_import = LoanImport(kind=Kind.MAINTENANCE, institution=institution, currency=currency)
    return _keep(actor, loan_import, file_name, file, totals)


def _keep(
    actor: Actor,
    loan_import: LoanImport,
    file_name: str,
    file: IO[bytes],
    totals: control_totals.Totals | None,
) -> LoanImport:
    """Save an import that knows what its file is for, and the file."""
    user_id = imports.person(actor)
    sha256, length = file_parts.sha256_of(file)
    if length > LARGEST_FILE_BYTES:
        raise errors.InvalidInput("FILE_TOO_LARGE", _("Files are at most 4 GB."), field="file")
    _refuse_same_file(actor, sha256)
    mapping = loan_mappings.guess(actor, file, loan_import.kind)
    file.seek(0)
    totals = totals or control_totals.Totals()
    moment = clock.now()
    loan_import.file_name = short_name(file_name)
    loan_import.file_bytes, loan_import.sha256 = length, sha256
    loan_import.mapping_name, loan_import.mapping = mapping.name, mapping.to_dict()
    loan_import.expected_rows, loan_import.expected_minor = totals.rows, totals.sum_minor
    loan_import.uploaded_at = loan_import.moved_at = moment
    loan_import.uploaded_by_id = user_id
    try:
        with transaction.atomic():
            loan_import.save(force_insert=True)
            file_parts.keep(loan_import, LoanFilePart.Kind.FILE, file_parts.pieces_of(file))
            changes = {"file": loan_import.file_name, "bytes": length, "sha256": sha256}
            imports.record(actor, "receive", loan_import, changes)
    except IntegrityError:
        # Somebody sent it at the same moment.
        _refuse_same_file(actor, sha256)
        raise
    return loan_import


def short_name(file_name: str) -> str:
    """The name of a file as it is kept: never empty, its end where it is long."""
    return file_name.strip()[-200:] or "loans.csv"


def _draft(actor: Actor, portfolio_id) -> Portfolio:
    portfolio = selectors.find(visible_portfolios(actor), pk=portfolio_id)
    imports.demand_draft(portfolio)
    return portfolio


def _refuse_same_file(actor: Actor, sha256: str) -> None:
    undone = (LoanImport.State.CANCELLING, LoanImport.State.CANCELLED)
    same = visible_imports(actor).filter(sha256=sha256).exclude(state__in=undone)
    first = same.select_related("portfolio").first()
    if first is not None:
        raise errors.InvalidInput(
            "SAME_FILE",
            _("This file came on %(day)s: “%(name)s” (import %(id)s).")
            % {
                "day": first.uploaded_at.date().isoformat(),
                "name": first.subject,
                "id": first.pk,
            },
            field="file",
        )
