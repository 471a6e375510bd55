"""Mappings: from which columns of a bank's file the fields of its rows are read; those built in."""

from portfolios.mappings.fields import FIELDS, LOANS, MAINTENANCE
from portfolios.mappings.formulas import Formula
from portfolios.mappings.mapping import Mapping

__all__ = ["MAINTENANCE_MAPPINGS", "MAPPINGS", "Formula", "Mapping"]

_PERSONAL = frozenset(name for name, one in FIELDS[LOANS].items() if one.is_personal)

MAPPINGS = {
    mapping.name: mapping
    for mapping in (
        Mapping(
            name="standard",
            columns={
                "reference": "loan_reference",
                "borrower_name": "borrower_name",
                "phone": "phone",
                "email": "email",
                "address": "address",
                "national_id": "national_id",
                "balance": "balance",
                "rate": "rate",
                "opened_on": "opened_on",
                "last_payment_on": "last_payment_on",
                "region": "region",
                "grade": "grade",
            },
            optional=_PERSONAL | {"last_payment_on", "region", "grade"},
        ),
        # LendingClub's public files: binary floats written out in full, so 0.1154 may read
        # 0.11539999999999999. Unpaid principal is derived and rates are rounded to ppm anyhow.
        Mapping(
            name="lendingclub",
            columns={
                "reference": "id",
                "rate": "int_rate",
                "opened_on": "issue_d",
                "last_payment_on": "last_pymnt_d",
                "region": "addr_state",
                "grade": "grade",
            },
            computed={"balance": "funded_amnt - total_rec_prncp"},
            constants={"product": "personal loan", "currency": "USD"},
            rate_unit="fraction",
        ),
    )
}

MAINTENANCE_MAPPINGS = {
    mapping.name: mapping
    for mapping in (
        Mapping(
            name="standard",
            kind=MAINTENANCE,
            columns={
                "reference": "loan_reference",
                "event": "event",
                "amount": "amount",
                "value_on": "value_date",
                "payment_reference": "payment_reference",
                "balance": "balance",
                "name": "borrower_name",
                "phone": "phone",
                "email": "email",
                "address": "address",
                "note": "note",
            },
            optional=frozenset(FIELDS[MAINTENANCE]) - {"reference", "event", "currency"},
        ),
    )
}
