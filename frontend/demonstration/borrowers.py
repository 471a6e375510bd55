"""Made-up borrowers with loans like those of the real charged-off file, as a loan file.

Balances are log-normal around the real file's mean of 7,580 dollars; grades, rates and regions
follow its proportions. Telephone numbers, addresses and identifiers are of ranges that belong to
nobody.
"""

import csv
import datetime
import io
import math
import random

GRADES = {  # share of loans, interest rate in per cent
    "A": (0.11, 7.5),
    "B": (0.25, 11.0),
    "C": (0.24, 13.5),
    "D": (0.20, 15.5),
    "E": (0.12, 17.5),
    "F": (0.06, 19.5),
    "G": (0.02, 21.0),
}
EASY, HARD = "A", "G"
"""Towards which end of the grades a portfolio leans."""
LEANING = {
    EASY: {"A": 2.0, "B": 1.5, "C": 1.0, "D": 0.6, "E": 0.4, "F": 0.3, "G": 0.3},
    HARD: {"A": 0.35, "B": 0.5, "C": 0.9, "D": 1.3, "E": 1.7, "F": 2.0, "G": 3.0},
    "": dict.fromkeys(GRADES, 1.0),
}
REGIONS = {
    "CA": 19, "NY": 9, "FL": 9, "TX": 7, "NJ": 5, "IL": 4, "GA": 4, "VA": 3, "PA": 3, "OH": 3,
    "AZ": 3, "WA": 3, "MA": 3, "NC": 3, "MD": 3, "NV": 2, "MO": 2, "OR": 2, "CO": 2, "MI": 2,
}  # fmt: skip
FIRST_NAMES = (
    "Maria", "James", "Wei", "Aisha", "Robert", "Linda", "Omar", "Grace", "Daniel", "Mei",
    "Carlos", "Susan", "Ivan", "Fatima", "Peter", "Nina", "Samuel", "Elena", "David", "Yuki",
)  # fmt: skip
LAST_NAMES = (
    "Alvarez", "Johnson", "Chen", "Khan", "Miller", "Rossi", "Okafor", "Nguyen", "Petrov",
    "Santos", "Murphy", "Haddad", "Olsen", "Kaur", "Fischer", "Dubois", "Tanaka", "Reyes",
    "Novak", "Osman",
)  # fmt: skip
STREETS = (
    "Oak", "Maple", "Harbor", "Mill", "Cedar", "Prospect", "Lake", "Chestnut", "Spring",
    "Franklin",
)  # fmt: skip
COLUMNS = (
    "loan_reference",
    "borrower_name",
    "phone",
    "email",
    "address",
    "national_id",
    "balance",
    "rate",
    "opened_on",
    "last_payment_on",
    "region",
    "grade",
)


def loan_file(
    rng: random.Random, prefix: str, count: int, today: datetime.date, leaning: str = ""
) -> bytes:
    """A CSV of `count` loans in the standard mapping, references `<prefix>-00001` and on; more of
    them of easy or of hard grades where it is `leaning`."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for number in range(1, count + 1):
        writer.writerow(_row(rng, f"{prefix}-{number:05d}", today, leaning))
    return text.getvalue().encode()


def _row(rng: random.Random, reference: str, today: datetime.date, leaning: str) -> list[str]:
    weights = [share * LEANING[leaning][name] for name, (share, _rate) in GRADES.items()]
    grade = rng.choices(list(GRADES), weights)[0]
    region = rng.choices(list(REGIONS), list(REGIONS.values()))[0]
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    balance = min(max(rng.lognormvariate(math.log(5_900), 0.7), 250), 35_000)
    unpaid_days = int(rng.triangular(120, 1_100, 240))
    opened_days = unpaid_days + rng.randint(90, 1_000)
    return [
        reference,
        f"{first} {last}",
        f"+1{rng.randint(201, 989)}55501{rng.randint(0, 99):02d}",
        f"{first}.{last}.{reference}@example.com".lower(),
        f"{rng.randint(1, 999)} {rng.choice(STREETS)} Street, {region}",
        f"9{rng.randint(0, 99):02d}-{rng.randint(70, 88)}-{rng.randint(0, 9999):04d}",
        f"{balance:.2f}",
        f"{GRADES[grade][1] + rng.uniform(-1, 1):.2f}",
        (today - datetime.timedelta(days=opened_days)).isoformat(),
        (today - datetime.timedelta(days=unpaid_days)).isoformat(),
        region,
        grade,
    ]
