"""What Stripe said, in plain words: for each code what happened and what somebody can do."""

from django.utils.translation import gettext_lazy as _

SAYINGS = {
    "BALANCE_INSUFFICIENT": (
        _("The bank's balance at Stripe does not cover this amount. No money moved."),
        _("Add money to the balance, then have the payout sent again."),
    ),
    "DESTINATION_UNKNOWN": (
        _("Stripe does not know the agency's account. No money moved."),
        _("Find the account in Stripe's dashboard, then have the payout sent again."),
    ),
    "DESTINATION_INACTIVE": (
        _("The agency's account may not receive money at present. No money moved."),
        _("The agency has to finish its details at Stripe; then have the payout sent again."),
    ),
    "CURRENCY_UNSUPPORTED": (
        _("Stripe does not send this currency. No money moved."),
        _("This statement cannot be paid through Stripe."),
    ),
    "AMOUNT_INDIVISIBLE": (
        _("Stripe cannot send the smallest units of this amount. No money moved."),
        _("This amount cannot be paid through Stripe as it is."),
    ),
    "REMOTE_NOT_FOUND": (
        _("Stripe does not find something that this payout needs. No money moved."),
        _("Look at the agency's account, then have the payout sent again."),
    ),
    "REFUSED": (
        _("Stripe refused. No money moved."),
        _("Look at Stripe's dashboard for the cause, then have the payout sent again."),
    ),
    "NEVER_ARRIVED": (
        _("No answer came for a day, and Stripe lists no transfer. No money moved."),
        _("Have the payout sent again."),
    ),
    "UNKNOWN": (
        _("The answer was lost, so money may have moved."),
        _("We ask again under the same key, which cannot pay twice."),
    ),
    "NOT_FOUND_YET": (
        _("The answer was lost, and Stripe lists no transfer so far."),
        _("We ask again under the same key, which cannot pay twice."),
    ),
    "LATER": (
        _("Stripe asked us to come back later."),
        _("We try again under the same key."),
    ),
    "MISCONFIGURED": (
        _("Stripe does not accept our key, so nothing can be sent."),
        _("Whoever runs this portal has to put the key right; then it goes on by itself."),
    ),
    "KEY_MISUSED": (
        _("Stripe knows this key with other figures. Nothing is sent until somebody has looked."),
        _("Compare this attempt with Stripe's dashboard before anything else."),
    ),
}
UNKNOWN = (
    _("Stripe refused for a reason that we do not know. No money moved."),
    _("Look at Stripe's dashboard for the cause."),
)


def said(code: str) -> tuple:
    """(what happened, what to do) for one of our codes; two empty texts for no code."""
    return SAYINGS.get(code, UNKNOWN) if code else ("", "")


def payment(state: str | None) -> str:
    """The key in `states` of a payout's state: what is approved as a statement is still to be sent
    as a payment."""
    return "to_be_sent" if state == "approved" else state or ""
