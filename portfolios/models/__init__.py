"""What is owed and what happened to it: portfolios, loans, placements, contacts, recoveries."""

from .complaints import Complaint, ComplaintIntake
from .contacts import Contact, Promise
from .exports import Certificate, Export, ExportPart
from .grants import PlacementGrant
from .imports import ImportProblem, LoanImport
from .loans import Borrower, Loan
from .placements import Hold, PlacedLoan, Placement
from .portfolios import Portfolio
from .receipts import Confirmation, LateReceipt, ReceiptFile, ReceiptLine
from .recoveries import Recovery, Reversal
from .tallies import Tally
from .uploads import LoanUpload

__all__ = [
    "Borrower",
    "Certificate",
    "Complaint",
    "ComplaintIntake",
    "Confirmation",
    "Contact",
    "Export",
    "ExportPart",
    "Hold",
    "ImportProblem",
    "LateReceipt",
    "Loan",
    "LoanImport",
    "LoanUpload",
    "PlacedLoan",
    "Placement",
    "PlacementGrant",
    "Portfolio",
    "Promise",
    "ReceiptFile",
    "ReceiptLine",
    "Recovery",
    "Reversal",
    "Tally",
]
