"""What an actor may see of what is owed: the only way from an id to an object of this chapter.

A bank sees its own. An agency sees what belongs to placements that are live for it at this
statement (`portfolios.access`), and of those only loans whose spell is open.

The files are nouns, as in every layer; what is imported comes from here.
"""

from portfolios.selectors.complaints import (
    complaints_at,
    narrow_complaints,
    shown_complaints,
    shown_intakes,
    visible_complaints,
    visible_intakes,
)
from portfolios.selectors.contacts import (
    narrow_contacts,
    shown_contacts,
    shown_promises,
    visible_contacts,
    visible_promises,
)
from portfolios.selectors.exports import shown_exports, visible_certificates, visible_exports
from portfolios.selectors.holds import shown_holds, visible_holds
from portfolios.selectors.imports import (
    visible_file_parts,
    visible_import_problems,
    visible_imports,
    visible_mappings,
)
from portfolios.selectors.loans import (
    loan_order,
    narrow_loans,
    shown_loans,
    visible_borrowers,
    visible_loans,
    with_law,
)
from portfolios.selectors.observed import Observed, observed_work
from portfolios.selectors.placements import (
    recovered_by_spell,
    shown_placements,
    visible_changes,
    visible_placements,
    visible_rules,
    visible_spells,
    with_collected,
)
from portfolios.selectors.portfolios import (
    placed_count,
    shown_portfolios,
    visible_portfolios,
    visible_tallies,
)
from portfolios.selectors.recalls import (
    shown_objections,
    shown_recalled_loans,
    shown_recalls,
    visible_objections,
    visible_recalled_loans,
    visible_recalls,
)
from portfolios.selectors.receipts import (
    visible_confirmations,
    visible_direct_payments,
    visible_late_receipts,
    visible_receipt_files,
    visible_receipt_lines,
)
from portfolios.selectors.recoveries import (
    confirmed_net_minor,
    narrow_recoveries,
    recovery_totals,
    reported_recoveries,
    shown_recoveries,
    visible_recoveries,
    visible_reversals,
    with_reversed,
)
from portfolios.selectors.success import Success, success_in, success_of

__all__ = [
    "Observed",
    "Success",
    "complaints_at",
    "confirmed_net_minor",
    "loan_order",
    "narrow_complaints",
    "narrow_contacts",
    "narrow_loans",
    "narrow_recoveries",
    "observed_work",
    "placed_count",
    "recovered_by_spell",
    "recovery_totals",
    "reported_recoveries",
    "shown_complaints",
    "shown_contacts",
    "shown_exports",
    "shown_holds",
    "shown_intakes",
    "shown_loans",
    "shown_objections",
    "shown_placements",
    "shown_portfolios",
    "shown_promises",
    "shown_recalled_loans",
    "shown_recalls",
    "shown_recoveries",
    "success_in",
    "success_of",
    "visible_borrowers",
    "visible_certificates",
    "visible_changes",
    "visible_complaints",
    "visible_confirmations",
    "visible_contacts",
    "visible_direct_payments",
    "visible_exports",
    "visible_file_parts",
    "visible_holds",
    "visible_import_problems",
    "visible_imports",
    "visible_intakes",
    "visible_late_receipts",
    "visible_loans",
    "visible_mappings",
    "visible_objections",
    "visible_placements",
    "visible_portfolios",
    "visible_promises",
    "visible_recalled_loans",
    "visible_recalls",
    "visible_receipt_files",
    "visible_receipt_lines",
    "visible_recoveries",
    "visible_reversals",
    "visible_rules",
    "visible_spells",
    "visible_tallies",
    "with_collected",
    "with_law",
    "with_reversed",
]
