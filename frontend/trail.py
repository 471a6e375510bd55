"""The audit trail in words: entries of the trail as entries of a timeline.

A new action gets its words in `WORDS`; until then it reads as itself.
"""

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agencies import selectors
from agencies.actors import Actor
from agencies.models import AuditEntry
from frontend.templatetags import fairplace, states

ENTRIES = 50
LISTED = 5

WORDS = {
    # who
    "agency.register": (_("registered the agency"), "building-2", ""),
    "institution.create": (_("made the institution"), "landmark", ""),
    "machine_client.create": (_("made an API client"), "key-round", ""),
    "machine_client.disable": (_("disabled the API client"), "ban", "danger"),
    "machine_client.enable": (_("enabled the API client"), "circle-check", "success"),
    "panel.apply": (_("applied for a place on the panel"), "send", "info"),
    "panel.approve": (_("admitted the agency to the panel"), "circle-check", "success"),
    "panel.reject": (_("rejected the application"), "circle-x", "danger"),
    "panel.suspend": (_("suspended the agency"), "ban", "danger"),
    "panel.reinstate": (_("reinstated the agency"), "circle-check", "success"),
    "person.invite": (_("invited this person"), "mail", "info"),
    "person.resend_invitation": (_("sent another invitation"), "mail", "info"),
    "person.accept_invitation": (_("accepted the invitation"), "circle-check", "success"),
    "person.change_role": (_("changed the role"), "users", "info"),
    "person.deactivate": (_("deactivated this person"), "ban", "danger"),
    "person.reactivate": (_("let this person in again"), "circle-check", "success"),
    # what is owed
    "portfolio.create": (_("made the portfolio"), "layers", ""),
    "loans.csv": (_("uploaded a file of loans"), "upload", "info"),
    "loans.check": (_("checked a file of loans"), "file-check", "info"),
    "loans.discard": (_("discarded a file of loans"), "x", ""),
    "loans.import": (_("imported loans"), "file-check", "success"),
    "borrower.reveal": (_("looked at a personal field"), "eye", "warning"),
    "loan.hold": (_("put the loan on hold"), "pause", "warning"),
    "loan.release": (_("released the loan"), "play", "success"),
    "placement.open": (_("placed the lot"), "briefcase", "success"),
    "placement.recall": (_("recalled the placement"), "undo-2", "danger"),
    "placement.recall_loans": (_("recalled loans"), "undo-2", "danger"),
    "contact.log": (_("logged a contact"), "phone", ""),
    "promise.log": (_("logged a promise to pay"), "handshake", "info"),
    "recovery.log": (_("reported a recovery"), "hand-coins", "info"),
    "recovery.reverse": (_("reversed a recovery"), "undo-2", "danger"),
    "recovery.confirm": (_("confirmed a recovery"), "circle-check", "success"),
    "receipts.confirm": (_("confirmed recoveries against receipts"), "file-check", "success"),
    "receipt.link": (_("linked a receipt to a recovery"), "link", "success"),
    "receipt.dismiss": (_("dismissed a receipt"), "x", ""),
    "late_receipt.submit": (_("reported money that came late"), "hand-coins", "info"),
    "late_receipt.accept": (_("accepted the late receipt"), "circle-check", "success"),
    "late_receipt.refuse": (_("refused the late receipt"), "circle-x", "danger"),
    "complaint.open": (_("opened the complaint"), "message-square-warning", "warning"),
    "complaint.receive": (_("sent a complaint"), "message-square-warning", "warning"),
    "complaint.answer": (_("answered the complaint"), "message-square", "info"),
    "complaint.decide": (_("decided the complaint"), "gavel", "success"),
    # the deal
    "listing.publish": (_("opened the listing for bids"), "gavel", "info"),
    "listing.withdraw": (_("withdrew the listing"), "x", "danger"),
    "listing.award": (_("awarded the listing"), "award", "success"),
    "bid.submit": (_("submitted a bid"), "send", "info"),
    "ranking.compute": (_("computed the ranking"), "chart-no-axes-column", ""),
    # the money out
    "excess.decide": (_("decided about money above the balance"), "gavel", ""),
    "statement.prepare": (_("prepared the statement"), "receipt-text", ""),
    "statement.submit": (_("submitted the statement for approval"), "send", "info"),
    "statement.send_back": (_("sent the statement back"), "undo-2", "warning"),
    "statement.approve": (_("approved the statement"), "circle-check", "success"),
    "statement.discard": (_("discarded the statement"), "x", ""),
    "payout.send": (_("sent the payout"), "wallet", "info"),
    "payout.pay": (_("paid"), "circle-check", "success"),
    "payout.fail": (_("could not pay"), "circle-alert", "danger"),
}


def words(action: str) -> str:
    """What an action is called, as the part of a sentence that follows the name of who did it."""
    known = WORDS.get(action)
    return str(known[0]) if known else action.replace(".", " ").replace("_", " ")


def timeline(actor: Actor, *objects) -> list[dict]:
    """What happened to these objects, as `{% timeline %}` shows it; the newest 50 first."""
    return entries(selectors.timeline_of(actor, *objects)[:ENTRIES])


def entries(rows: QuerySet[AuditEntry]) -> list[dict]:
    """Rows of the trail as `{% timeline %}` takes them."""
    return [
        {
            "at": row.at,
            "actor": row.actor_label,
            "title": words(row.action),
            "text": row.reason,
            "changes": changes(row),
            "icon": WORDS.get(row.action, ("", "circle", ""))[1],
            "tone": WORDS.get(row.action, ("", "", ""))[2],
        }
        for row in rows
    ]


def changes(row: AuditEntry) -> list[tuple]:
    """(label, None, new value) of each column that an entry names, in words."""
    currency = row.changes.get("currency")
    return [
        (_label(name), None, _value(name, value, currency)) for name, value in row.changes.items()
    ]


def _label(name: str) -> str:
    known = {"is_active": _("Active"), "is_enabled": _("Enabled")}
    plain = name.removesuffix("_minor").removesuffix("_ppm").removesuffix("_id")
    return str(known.get(name, plain.replace("_", " ").capitalize()))


def _value(name: str, value, currency: str | None) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if value is None or value == "":
        return fairplace.NO_VALUE
    if isinstance(value, list):
        shown = ", ".join(str(one) for one in value[:LISTED])
        return f"{shown} … ({fairplace.integer(len(value))})" if value[LISTED:] else shown
    if name.endswith("_ppm") and isinstance(value, int):
        return fairplace.rate(value)
    if name.endswith("_minor") and isinstance(value, int) and currency:
        return fairplace.money(value, currency)
    if isinstance(value, int):
        return fairplace.integer(value)
    if name in ("state", "role"):
        return str(states.words(value)[0])
    return str(value)
