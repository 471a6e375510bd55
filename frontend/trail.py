"""The audit trail in words: entries of the trail as entries of a timeline.

A new action gets its words in `WORDS`; until then it reads as itself.
"""

import datetime
import re

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agencies import selectors
from agencies.actors import Actor
from agencies.models import AuditEntry
from frontend import outcomes, subjects
from frontend.templatetags import fairplace, states
from marketplace.models import RankingDispute
from portfolios.models import Complaint, Hold, Objection

ENTRIES = 50
LISTED = 5
KINDS = dict(Hold.Reason.choices) | dict(Objection.Kind.choices)
IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Says nothing to a reader: of these only the number is shown."""

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
    "loans.receive": (_("sent a file of loans"), "upload", "info"),
    "loans.map": (_("said which columns of a file hold what"), "file-check", ""),
    "loans.reopen": (_("went back to the columns of a file"), "undo-2", ""),
    "loans.check": (_("checked a file of loans"), "file-check", "info"),
    "loans.decide": (_("decided to import a file of loans"), "circle-check", "info"),
    "loans.cancel": (_("cancelled a file of loans"), "x", "warning"),
    "loans.fail": (_("could not import a file of loans"), "circle-alert", "danger"),
    "loans.discard": (_("discarded a file of loans"), "x", ""),
    "loans.import": (_("imported loans"), "file-check", "success"),
    "maintenance.receive": (_("sent a maintenance file"), "upload", "info"),
    "maintenance.map": (_("said which columns of a file hold what"), "file-check", ""),
    "maintenance.reopen": (_("went back to the columns of a file"), "undo-2", ""),
    "maintenance.check": (_("checked a maintenance file"), "file-check", "info"),
    "maintenance.decide": (_("decided to apply a maintenance file"), "circle-check", "info"),
    "maintenance.cancel": (_("cancelled a maintenance file"), "x", "warning"),
    "maintenance.fail": (_("could not apply a maintenance file"), "circle-alert", "danger"),
    "maintenance.discard": (_("discarded a maintenance file"), "x", ""),
    "maintenance.import": (_("applied a maintenance file"), "file-check", "success"),
    "borrower.correct": (_("stated contact data anew"), "phone", "info"),
    "borrower.look_up": (_("looked for a borrower"), "eye", "warning"),
    "borrower.reveal": (_("looked at a personal field"), "eye", "warning"),
    "loan.hold": (_("put the loan on hold"), "pause", "warning"),
    "loan.correct_balance": (_("stated the balance anew"), "scale", "info"),
    "loan.direct_payment": (_("recorded a payment to the bank"), "hand-coins", "info"),
    "loan.release": (_("released the loan"), "play", "success"),
    "placement.open": (_("placed the lot"), "briefcase", "success"),
    "placement.recall": (_("recalled the placement"), "undo-2", "danger"),
    "placement.recall_loans": (_("recalled loans"), "undo-2", "danger"),
    "placement.export": (_("exported the loans"), "download", "warning"),
    "certificate.attest": (_("certified that the copies are destroyed"), "circle-check", "success"),
    "placement.return": (_("returned the placement"), "undo-2", "warning"),
    "placement.return_loans": (_("returned loans"), "undo-2", "warning"),
    "placement.expire": (_("closed the placement: its term is over"), "clock", ""),
    "placement_rules.change": (_("changed the placement rules"), "scale", "info"),
    "recall.announce": (_("announced a recall"), "undo-2", "warning"),
    "recall.object": (_("objected to a recall"), "message-square", "info"),
    "recall.accept_objection": (_("accepted an objection"), "circle-check", "success"),
    "recall.refuse_objection": (_("refused an objection"), "circle-x", "danger"),
    "recall.withdraw": (_("withdrew a recall"), "x", ""),
    "recall.finalise": (_("made a recall final"), "undo-2", "danger"),
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
    "complaint.reveal": (_("read the complainant's words"), "eye", ""),
    "intake.read": (_("read what was sent"), "eye", ""),
    "intake.dismiss": (_("dismissed it"), "x", ""),
    "complaint.answer": (_("answered the complaint"), "message-square", "info"),
    "complaint.decide": (_("decided the complaint"), "gavel", "success"),
    # the deal
    "listing.publish": (_("opened the listing for bids"), "gavel", "info"),
    "listing.accept_terms": (_("accepted the terms"), "scroll-text", "info"),
    "listing.change_terms": (_("changed the terms"), "scroll-text", "warning"),
    "listing.add_documents": (_("added documents to the room"), "file-text", "info"),
    "question.ask": (_("asked the bank"), "message-circle-question-mark", "info"),
    "question.answer": (_("answered a question"), "message-square", ""),
    "answers.publish": (_("published answers to all bidders"), "megaphone", "info"),
    "listing.withdraw": (_("withdrew the listing"), "x", "danger"),
    "listing.award": (_("awarded the listing"), "award", "success"),
    "bid.submit": (_("submitted a bid"), "send", "info"),
    "ranking.compute": (_("computed the ranking"), "chart-no-axes-column", ""),
    "ranking_policy.begin": (_("began with the portal's own ranking policy"), "scale", ""),
    "ranking_policy.propose": (_("proposed a ranking policy"), "scale", "info"),
    "ranking_policy.backtest": (_("tried a ranking policy on past quarters"), "scale", ""),
    "ranking_policy.adopt": (_("adopted a ranking policy"), "circle-check", "success"),
    "ranking_policy.refuse": (_("refused a ranking policy"), "circle-x", "danger"),
    "ranking_policy.withdraw": (_("withdrew a ranking policy"), "x", ""),
    "ranking_dispute.raise": (
        _("objected to a figure of the ranking"),
        "message-square-warning",
        "warning",
    ),
    "ranking_dispute.answer": (_("answered the objection"), "message-square", "success"),
    # the money out
    "commission.accrual": (_("counted commission"), "hand-coins", ""),
    "commission.clawback": (_("took commission back"), "undo-2", "warning"),
    "excess.decide": (_("decided about money above the balance"), "gavel", ""),
    "statement.prepare": (_("prepared the statement"), "receipt-text", ""),
    "statement.submit": (_("submitted the statement for approval"), "send", "info"),
    "statement.send_back": (_("sent the statement back"), "undo-2", "warning"),
    "statement.approve": (_("approved the statement"), "circle-check", "success"),
    "statement.discard": (_("discarded the statement"), "x", ""),
    "payout.send": (_("sent the payout"), "wallet", "info"),
    "payout.paid": (_("paid"), "circle-check", "success"),
    "payout.retry": (_("had the payout sent again"), "refresh-cw", "info"),
    "payout.reversed": (_("saw money sent back at Stripe"), "undo-2", "danger"),
    "payout_account.request": (_("asked for a payout account"), "wallet", "info"),
    "payout_account.settle": (_("heard about the payout account"), "wallet", ""),
    "payout.fail": (_("could not pay"), "circle-alert", "danger"),
}


def words(action: str) -> str:
    """What an action is called, as the part of a sentence that follows the name of who did it."""
    known = WORDS.get(action)
    return str(known[0]) if known else action.replace(".", " ").replace("_", " ")


def timeline(actor: Actor, *objects) -> list[dict]:
    """What happened to these objects, as `{% timeline %}` shows it; the newest 50 first."""
    return [_told(row) for row in selectors.timeline_of(actor, *objects)[:ENTRIES]]


def entries(actor: Actor, rows: QuerySet[AuditEntry]) -> list[dict]:
    """Rows about all sorts of objects for `{% timeline %}`: each says what it is about."""
    listed = list(rows)
    names = subjects.of(actor, listed)
    return [_told(row, names.get(row.object_id)) for row in listed]


def _told(row: AuditEntry, subject: subjects.Subject | None = None) -> dict:
    _words, icon, tone = WORDS.get(row.action, ("", "circle", ""))
    title = words(row.action)
    if subject is not None:
        title = format_html("{}: {}", title, link(subject))
    return {
        "at": row.at,
        "actor": row.actor_label,
        "title": title,
        "text": row.reason,
        "changes": changes(row),
        "icon": icon,
        "tone": tone,
    }


def link(subject: subjects.Subject):
    """An object's name, as a link where the reader may follow it."""
    if not subject.url:
        return subject.name
    return format_html('<a href="{}">{}</a>', subject.url, subject.name)


def changes(row: AuditEntry) -> list[tuple]:
    """(label, None, new value) of each column that an entry names, in words."""
    currency = row.changes.get("currency")
    return [
        (_label(name), None, _value(name, value, currency))
        for name, value in row.changes.items()
        if name != "currency" or len(row.changes) == 1
    ]


def _label(name: str) -> str:
    known = {
        "is_agency_at_fault": _("The agency's doing"),
        "is_active": _("Active"),
        "is_enabled": _("Enabled"),
        "subject": _("About"),
        "outcome": _("Outcome"),
    }
    plain = name.removesuffix("_minor").removesuffix("_ppm").removesuffix("_id")
    return str(known.get(name, plain.replace("_", " ").capitalize()))


def _value(name: str, value, currency: str | None) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if value is None or value == "":
        return fairplace.NO_VALUE
    if isinstance(value, list):
        if any(IDENTIFIER.fullmatch(str(one)) for one in value):
            return fairplace.integer(len(value))
        shown = ", ".join(str(one) for one in value[:LISTED])
        return f"{shown} … ({fairplace.integer(len(value))})" if value[LISTED:] else shown
    if isinstance(value, dict):
        return fairplace.integer(len(value))
    if name.endswith("_at") and isinstance(value, str):
        return fairplace.moment_text(datetime.datetime.fromisoformat(value))
    if name == "seed":
        return str(value)
    if name.endswith("_ppm") and isinstance(value, int):
        return fairplace.rate(value)
    if name.endswith("_minor") and isinstance(value, int) and currency:
        return fairplace.money(value, currency)
    if isinstance(value, int):
        return fairplace.integer(value)
    if name == "code" and value in outcomes.SAYINGS:
        return str(outcomes.SAYINGS[value][0])
    if name in ("state", "role", "severity", "outcome"):
        return str(states.words(value)[0])
    if name.endswith("_on") and isinstance(value, str):
        return fairplace.day_text(datetime.date.fromisoformat(value))
    if name == "kind" and value in KINDS:
        return str(KINDS[value])
    if name == "subject" and value in RankingDispute.Subject.values:
        return str(RankingDispute.Subject(value).label)
    if name == "category" and value in Complaint.Category.values:
        return str(Complaint.Category(value).label)
    return str(value)
