"""Files that people hand in, as a file chooser takes them: made up here, and one real sample."""

from pathlib import Path

from tests import chinese_loans

LENDINGCLUB = Path(__file__).parents[3] / "shared/data/loans/lendingclub_charged_off.csv"
CHINESE_ROWS = 2_000

LOAN_COLUMNS = "loan_reference,balance,rate,opened_on,borrower_name,region,grade"


def loans() -> dict:
    """Twelve loans, and a row whose balance nobody can read."""
    rows = [
        f"BT-{number:03},{1000 + 37 * number}.50,11.25,2024-0{number % 9 + 1}-15,"
        f"Borrower {number},NY,{'ABC'[number % 3]}"
        for number in range(1, 13)
    ]
    rows.append("BT-013,a lot,11.25,2024-03-15,Borrower 13,NY,A")
    return _file("autumn.csv", LOAN_COLUMNS, rows)


def chinese_loans_file() -> dict:
    """Loans under Chinese headers in GB18030, one of each hundred rows wrong."""
    content = chinese_loans.content(CHINESE_ROWS)
    return {"name": "贷款.csv", "mimeType": "text/csv", "buffer": content}


def news() -> dict:
    """What happened to two loans, and to one that the bank does not have."""
    return _file(
        "news.csv",
        "loan_reference,event,phone,note",
        [
            "PA-00058,dispute,,Says that she paid in May",
            "PA-00059,contact,+1 212 555 0177,",
            "PA-99999,dispute,,",
        ],
    )


def receipts(loan_reference: str, amount: str, day: str) -> dict:
    """One receipt that proves what an agency reported, and one for a loan nobody knows."""
    return _file(
        "receipts.csv",
        "receipt_reference,loan_reference,amount,currency,value_date",
        [
            f"BT-R1,{loan_reference},{amount},USD,{day}",
            f"BT-R2,HN-0000,77.00,USD,{day}",
        ],
    )


def _file(name: str, columns: str, rows: list[str]) -> dict:
    text = "\n".join([columns, *rows, ""])
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
