"""Who reads the money, as sets of roles. Who changes it is said by each service."""

from agencies import policies

BANK_READERS = policies.FINANCE | policies.AUDITORS
AGENCY_READERS = policies.AGENCY_ADMINISTRATORS | policies.MACHINE_CLIENTS
"""An agency's own machines read what its administrator reads; a collector reads neither."""

READERS = BANK_READERS | AGENCY_READERS
