"""The money out: commission, statements, payouts and what Stripe said of them."""

from .accounts import PayoutAccount
from .commissions import CommissionEntry, Excess
from .events import ProviderEvent
from .payouts import Payout, PayoutAttempt
from .statements import Statement, StatementLine

__all__ = [
    "CommissionEntry",
    "Excess",
    "Payout",
    "PayoutAccount",
    "PayoutAttempt",
    "ProviderEvent",
    "Statement",
    "StatementLine",
]
