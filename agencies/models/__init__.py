"""Who: institutions, agencies, their people and machines, the panel, and the audit trail."""

from .agencies import Agency
from .audit import AuditEntry, Denial
from .clients import MachineClient
from .idempotency import IdempotentCall
from .institutions import Institution
from .invitations import Invitation
from .panel import PanelMembership, VettingDocument
from .users import User

__all__ = [
    "Agency",
    "AuditEntry",
    "Denial",
    "IdempotentCall",
    "Institution",
    "Invitation",
    "MachineClient",
    "PanelMembership",
    "User",
    "VettingDocument",
]
