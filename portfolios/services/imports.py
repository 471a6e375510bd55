"""Imports as people see them: a file is received, mapped, checked, decided on, and written.

People decide here; a worker does the long parts (`portfolios.services.import_runs`). Every step
is a state of one row, so whoever looks, on whatever machine, sees how far it is.
"""

import datetime
import uuid
from typing import IO, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agencies import audit, policies, selectors
from agencies.actors import Actor
from config import clock, errors
from portfolios import tables
from portfolios.mappings import Mapping
from portfolios.models import LoanFilePart, LoanImport, Portfolio
from portfolios.selectors import visible_imports
from portfolios.services import control_totals, file_parts, import_runs, loan_mappings

LIFETIME = datetime.timedelta(days=1)

Kind = LoanImport.Kind
Policy = LoanImport.Policy
State = LoanImport.State
WAITING = (State.RECEIVED, State.CHECKED)
UNFINISHED = (*WAITING, *import_runs.MOVING)


def record(actor: Actor, verb: str, loan_import: LoanImport, more: dict | None = None) -> None:
    """The trail's entry of a step: `loans.map`, `maintenance.decide`."""
    changes = {"file": loan_import.file_name} | (more or {})
    audit.record(actor, f"{loan_import.kind}.{verb}", loan_import.subject, changes=changes)


def sample(*, actor: Actor, import_id) -> tables.Table:
    """A kept file, opened: its columns and its first rows."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    loan_import = selectors.find(visible_imports(actor), pk=import_id)
    return tables.open_table(file_parts.open_kept(actor, loan_import))


def kind_of(*, actor: Actor, import_id) -> str:
    """Which kind of file an import is of."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    return selectors.find(visible_imports(actor), pk=import_id).kind


def choose_mapping(*, actor: Actor, import_id, mapping: Mapping, save_as: str = "") -> LoanImport:
    """Say which columns hold what, and have the file checked; also again after a check.

    `save_as` keeps the mapping under a name for the next files, in place of one of that name.
    Raises `InvalidInput` (`MISSING_COLUMNS`, `WRONG_CURRENCY`), `InvalidState` once decided.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    loan_import = selectors.find(visible_imports(actor), pk=import_id)
    if mapping.kind != loan_import.kind:
        raise errors.InvalidInput(
            "INVALID_MAPPING", _("This mapping is for another kind of file."), field="mapping"
        )
    columns = sample(actor=actor, import_id=import_id).columns
    missing = [name for name in mapping.required_columns() if name not in columns]
    if missing:
        raise errors.InvalidInput(
            "MISSING_COLUMNS",
            _("The file has no column %(names)s.") % {"names": ", ".join(missing)},
            field="mapping",
        )
    if mapping.currency not in (None, loan_import.currency):
        raise errors.InvalidInput(
            "WRONG_CURRENCY",
            _("This kind of file is in %(theirs)s, not in %(ours)s.")
            % {"theirs": mapping.currency, "ours": loan_import.currency},
            field="mapping",
        )
    with transaction.atomic():
        _move(
            loan_import,
            WAITING,
            state=State.CHECKING,
            mapping=mapping.to_dict(),
            mapping_name=save_as.strip()[:80] or mapping.name,
            phase_started_at=clock.now(),
            rows_read=0,
            bytes_read=0,
            report={},
        )
        if save_as.strip():
            loan_mappings.keep(actor, save_as.strip(), mapping)
        record(actor, "map", loan_import, {"mapping": loan_import.mapping_name})
    return loan_import


def reopen(*, actor: Actor, import_id) -> LoanImport:
    """Back from the check to the columns, to choose others."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    loan_import = selectors.find(visible_imports(actor).select_related("portfolio"), pk=import_id)
    with transaction.atomic():
        _move(loan_import, (State.CHECKED,), state=State.RECEIVED)
        record(actor, "reopen", loan_import)
    return loan_import


def decide(*, actor: Actor, import_id, policy: str) -> LoanImport:
    """Have what a checked file says written: all rows, or the good ones only.

    Raises `InvalidInput` (`BAD_ROWS`: there are bad ones, or no good one; `TOTALS_DIFFER` from
    the control totals), `InvalidState` (`NOT_CHECKED`; `NOT_DRAFT`).
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    if policy not in Policy.values:
        raise errors.InvalidInput("UNKNOWN_POLICY", _("Choose one of the two."), field="policy")
    loan_import = selectors.find(visible_imports(actor).select_related("portfolio"), pk=import_id)
    if loan_import.state != State.CHECKED:
        raise errors.InvalidState("NOT_CHECKED", _("This file does not wait for a decision."))
    control_totals.demand(loan_import)
    _demand_good_rows(loan_import, policy)
    with transaction.atomic():
        if loan_import.kind == Kind.LOANS:
            locked = Portfolio.objects.select_for_update(no_key=True)
            demand_draft(locked.get(pk=loan_import.portfolio_id))
        _move(
            loan_import,
            (State.CHECKED,),
            state=State.IMPORTING,
            policy=policy,
            phase_started_at=clock.now(),
            last_row=1,
            bytes_read=0,
        )
        record(actor, "decide", loan_import, {"policy": policy})
    return loan_import


def _demand_good_rows(loan_import: LoanImport, policy: str) -> None:
    rejected = loan_import.rows_read - loan_import.rows_good
    if rejected and (policy == Policy.ALL_OR_NOTHING or not loan_import.rows_good):
        first: Any = loan_import.problems.filter(is_warning=False).order_by("row").first()
        raise errors.InvalidInput(
            "BAD_ROWS",
            ngettext(
                "%(count)s row is wrong, so nothing was imported: %(message)s",
                "%(count)s rows are wrong, so nothing was imported. The first: %(message)s",
                rejected,
            )
            % {"count": rejected, "message": first.message},
            field="file",
            row=first.row,
        )


def cancel(*, actor: Actor, import_id) -> LoanImport:
    """Stop an import that has not ended, and take back what it wrote.

    What a maintenance file says cannot be taken back: once decided it goes on to its end.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    loan_import = selectors.find(visible_imports(actor).select_related("portfolio"), pk=import_id)
    stoppable = [*WAITING, State.CHECKING]
    if loan_import.kind == Kind.LOANS:
        stoppable.append(State.IMPORTING)
    with transaction.atomic():
        _move(
            loan_import,
            stoppable,
            state=State.CANCELLING,
            phase_started_at=clock.now(),
        )
        record(actor, "cancel", loan_import)
    return loan_import


def cancel_old(*, actor: Actor) -> int:
    """Cancel what nobody decided about in a day, bank by bank; answers how many."""
    policies.demand(actor, policies.SWEEPS)
    with transaction.atomic():
        old = list(
            visible_imports(actor)
            .filter(state__in=WAITING, uploaded_at__lte=clock.now() - LIFETIME)
            .select_related("portfolio")
        )
        for loan_import in old:
            _move(loan_import, WAITING, state=State.CANCELLING)
            record(actor, "cancel", loan_import)
    return len(old)


def left_out(*, actor: Actor, import_id) -> IO[bytes]:
    """The rows that are left out, as CSV with an `error` column, to be read as a stream."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    loan_import = selectors.find(visible_imports(actor), pk=import_id)
    return file_parts.open_kept(actor, loan_import, LoanFilePart.Kind.REJECTED)


def person(actor: Actor) -> uuid.UUID:
    """Who imports: machines and sweeps have no role that may."""
    if actor.user_id is None:
        raise errors.NotAllowed("NOT_ALLOWED", _("Your role does not allow this."))
    return actor.user_id


def demand_draft(portfolio: Portfolio) -> None:
    if portfolio.state != Portfolio.State.DRAFT:
        raise errors.InvalidState(
            "NOT_DRAFT", _("This portfolio is published: no more loans can be imported into it.")
        )


def _move(loan_import: LoanImport, states, **changes) -> None:
    """Change an import that is in one of these states, and nothing else meanwhile."""
    moved = LoanImport.objects.filter(pk=loan_import.pk, state__in=states).update(
        moved_at=clock.now(), **changes
    )
    if not moved:
        raise errors.InvalidState("NOT_WAITING", _("This import does not wait for that any more."))
    loan_import.refresh_from_db()
