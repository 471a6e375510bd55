"""What is owed and what happened to it: portfolios, loans, placements, contacts, recoveries."""

from .changes import PlacementChange
from .complaints import Complaint, ComplaintIntake
from .contacts import Contact, Promise
from .direct_payments import DirectPayment
from .exports import Certificate, Export, ExportPart
from .grants import PlacementGrant
from .holds import Hold
from .imports import ImportProblem, LoanFilePart, LoanImport, LoanMapping
from .loans import Borrower, Loan
from .placements import PlacedLoan, Placement
from .portfolios import Portfolio
from .recalls import Objection, Recall, RecalledLoan
from .receipts import Confirmation, LateReceipt, ReceiptFile, ReceiptLine
from .recoveries import Recovery, Reversal
from .rules import PlacementRules
from .tallies import Tally

__all__ = [
    "Borrower",
    "Certificate",
    "Complaint",
    "ComplaintIntake",
    "Confirmation",
    "Contact",
    "DirectPayment",
    "Export",
    "ExportPart",
    "Hold",
    "ImportProblem",
    "LateReceipt",
    "Loan",
    "LoanFilePart",
    "LoanImport",
    "LoanMapping",
    "Objection",
    "PlacedLoan",
    "Placement",
    "PlacementChange",
    "PlacementGrant",
    "PlacementRules",
    "Portfolio",
    "Promise",
    "Recall",
    "RecalledLoan",
    "ReceiptFile",
    "ReceiptLine",
    "Recovery",
    "Reversal",
    "Tally",
]
