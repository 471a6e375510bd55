"""The one place where a state gets its words and its tone.

Tones: neutral (nothing to do), info (under way), accent (open for action), success, warning
(needs somebody), danger (stopped or refused).
"""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

STATES = {
    # panel membership
    "applied": (_("Applied"), "info"),
    "approved": (_("Approved"), "success"),
    "rejected": (_("Rejected"), "danger"),
    "suspended": (_("Suspended"), "danger"),
    # portfolio, listing, bid, award
    "draft": (_("Draft"), "neutral"),
    "importing": (_("Importing"), "info"),
    "ready": (_("Ready"), "info"),
    "published": (_("Published"), "accent"),
    "listed": (_("Listed"), "accent"),
    "scheduled": (_("Scheduled"), "info"),
    "open": (_("Open"), "accent"),
    "closed": (_("Closed"), "neutral"),
    "submitted": (_("Submitted"), "info"),
    "replaced": (_("Replaced"), "neutral"),
    "withdrawn": (_("Withdrawn"), "neutral"),
    "won": (_("Won"), "success"),
    "lost": (_("Lost"), "neutral"),
    "awarded": (_("Awarded"), "success"),
    "to_award": (_("To be awarded"), "warning"),
    "no_bid_yet": (_("No bid yet"), "warning"),
    "no_bid": (_("No bid"), "neutral"),
    "undecided": (_("Waiting for the decision"), "info"),
    "not_awarded": (_("Not awarded to you"), "neutral"),
    "cancelled": (_("Cancelled"), "neutral"),
    # placement, loan, hold, recall
    "placed": (_("Placed"), "success"),
    "unplaced": (_("Unplaced"), "neutral"),
    "live": (_("Live"), "success"),
    "active": (_("Active"), "success"),
    "inactive": (_("Inactive"), "neutral"),
    "invited": (_("Invited"), "info"),
    "on_hold": (_("On hold"), "warning"),
    "held": (_("On hold"), "warning"),
    "lifted": (_("Lifted"), "neutral"),
    "recalled": (_("Recalled"), "danger"),
    "ended": (_("Ended"), "neutral"),
    "expired": (_("Expired"), "neutral"),
    "returned": (_("Returned"), "neutral"),
    # deletion certificate
    "owed": (_("Owed"), "warning"),
    "certified": (_("Certified"), "success"),
    # contact, promise
    "flagged": (_("Flagged"), "warning"),
    "outside_hours": (_("Outside permitted hours"), "warning"),
    "too_many_contacts": (_("Too many contacts"), "warning"),
    "kept": (_("Kept"), "success"),
    "broken": (_("Broken"), "danger"),
    "pending": (_("Pending"), "info"),
    # recovery, receipt, late receipt
    "reported": (_("Reported"), "info"),
    "confirmed": (_("Confirmed"), "success"),
    "reversed": (_("Reversed"), "danger"),
    "partly_reversed": (_("Partly reversed"), "warning"),
    "matched": (_("Matched"), "success"),
    "unmatched": (_("No report"), "warning"),
    "ambiguous": (_("Several reports"), "warning"),
    "dismissed": (_("Dismissed"), "neutral"),
    "exception": (_("Exception"), "warning"),
    "accepted": (_("Accepted"), "success"),
    "refused": (_("Refused"), "danger"),
    "imported": (_("Imported"), "success"),
    # complaint
    "received": (_("Received"), "info"),
    "new": (_("New"), "accent"),
    "answered": (_("Answered"), "info"),
    "to_answer": (_("To answer"), "accent"),
    "awaiting_answer": (_("Waiting for the agency"), "info"),
    "awaiting_decision": (_("Waiting for a decision"), "accent"),
    "opened": (_("Opened as a complaint"), "neutral"),
    "decided": (_("Decided"), "neutral"),
    "upheld": (_("Upheld"), "danger"),
    "partly_upheld": (_("Partly upheld"), "warning"),
    "not_upheld": (_("Not upheld"), "neutral"),
    "low": (pgettext_lazy("severity", "Low"), "neutral"),
    "medium": (pgettext_lazy("severity", "Medium"), "warning"),
    "high": (pgettext_lazy("severity", "High"), "danger"),
    # commission, statement, payout, payout account
    "accrual": (_("Commission"), "neutral"),
    "clawback": (_("Taken back"), "warning"),
    "declined": (_("Does not count"), "neutral"),
    "counts": (_("Counts"), "success"),
    "to_be_decided": (_("To be decided"), "accent"),
    "to_be_approved": (_("Waiting for approval"), "accent"),
    "to_be_sent": (_("To be sent"), "info"),
    "not_asked_for": (_("None yet"), "warning"),
    "requested": (_("Being opened"), "info"),
    "prepared": (_("Prepared"), "info"),
    "succeeded": (_("Succeeded"), "success"),
    "issued": (_("Issued"), "info"),
    "disputed": (_("Disputed"), "warning"),
    "processing": (_("Processing"), "info"),
    "sending": (_("Sending"), "info"),
    "sent": (_("Sent"), "info"),
    "paid": (_("Paid"), "success"),
    "failed": (_("Failed"), "danger"),
    "unknown": (_("Unknown"), "warning"),
    "settled": (_("Settled"), "success"),
    # machine client, job
    "enabled": (_("Enabled"), "success"),
    "disabled": (_("Disabled"), "neutral"),
    "running": (_("Running"), "info"),
    "done": (_("Done"), "success"),
}


def words(state: str) -> tuple[str, str]:
    """(label, tone) of `state`; a state that is not listed reads as itself, in neutral."""
    key = str(state).lower()
    return STATES.get(key) or (key.replace("_", " ").capitalize(), "neutral")
