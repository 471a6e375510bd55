"""Loan imports over GraphQL, for files that fit into a request; larger ones go by the page."""

import base64
import binascii

import graphene
from django.utils.translation import gettext_lazy as _

from agencies import policies
from config import errors
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.services import imports

LARGEST_BASE64_BYTES = 700_000
PROBLEMS_SHOWN = 100

ImportPolicy = scalars.choices(imports.Policy, "ImportPolicy")


class ImportProblem(types.Node):
    """Why one row of a file was left out. `value` is empty where the column is personal."""

    class Meta:
        model = models.ImportProblem
        fields = ("row", "column", "value", "code", "message")
        selector = selectors.visible_import_problems
        allow = policies.INSTITUTION_PEOPLE


class LoanImport(types.Node):
    """One file read into one portfolio."""

    class Meta:
        model = models.LoanImport
        fields = (
            "portfolio",
            "file_name",
            "sha256",
            "mapping",
            "rows_read",
            "rows_imported",
            "balance_minor",
            "imported_at",
        )
        selector = selectors.visible_imports
        allow = policies.INSTITUTION_PEOPLE

    problems = queries.connection(
        lambda: ImportProblem,
        narrow=lambda visible, loan_import: visible.filter(loan_import=loan_import),
    )


class RowProblem(types.Value):
    """What is wrong in one column of one row; the header is row 1."""

    class Meta:
        allow = policies.VENDOR_MANAGERS

    row = graphene.Int(required=True)
    column = graphene.String(required=True)
    value = graphene.String(required=True)
    code = graphene.String(required=True)
    message = graphene.String(required=True)


class LoanFile:
    """A CSV file, and how to read it."""

    portfolio_id = graphene.ID(required=True)
    file = graphene.String(required=True, description="Base64, at most 700,000 characters.")
    mapping = graphene.String(required=True, description="Such as `standard` or `lendingclub`.")


def decoded(text: str) -> bytes:
    """The file's bytes. Raises `InvalidInput` for what is no base64 or too long."""
    if len(text) > LARGEST_BASE64_BYTES:
        raise errors.InvalidInput(
            "FILE_TOO_LARGE",
            _("Send at most 700,000 characters of base64; larger files go by the import page."),
            field="file",
        )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise errors.InvalidInput(
            "BAD_BASE64", _("The file is not base64."), field="file"
        ) from None


class LoansCheck(mutations.Mutation):
    """Reads a file and says what is in it; writes nothing."""

    allow = policies.VENDOR_MANAGERS

    class Input(LoanFile):
        pass

    rows_read = graphene.Int()
    rows_good = graphene.Int()
    rows_rejected = graphene.Int()
    balance_minor = scalars.MinorUnits(description="Of the good rows.")
    problems = graphene.List(graphene.NonNull(RowProblem), description="The first 100.")

    @classmethod
    def perform(cls, info, actor, portfolio_id, file, mapping):
        report = imports.check(
            actor=actor, portfolio_id=portfolio_id, content=decoded(file), mapping=mapping
        )
        return cls(
            rows_read=report.rows_read,
            rows_good=len(report.loans),
            rows_rejected=report.rows_rejected,
            balance_minor=report.balance_minor,
            problems=report.problems[:PROBLEMS_SHOWN],
        )


class LoansImport(mutations.Mutation):
    """Imports a file into a draft portfolio: all rows, or the good ones only."""

    allow = policies.VENDOR_MANAGERS

    class Input(LoanFile):
        file_name = graphene.String(required=True)
        policy = ImportPolicy(required=True)

    loan_import = graphene.Field(LoanImport)

    @classmethod
    def perform(cls, info, actor, file, **given):
        return cls(loan_import=imports.run(actor=actor, content=decoded(file), **given))


class Query(graphene.ObjectType):
    loan_import = queries.node(LoanImport)
    loan_imports = queries.connection(
        LoanImport,
        narrow=lambda visible, root, portfolio_id=None: (
            visible.filter(portfolio=portfolio_id) if portfolio_id else visible
        ),
        newest_first=True,
        portfolio_id=graphene.ID(),
    )


class Mutation(graphene.ObjectType):
    loans_check = LoansCheck.Field()
    loans_import = LoansImport.Field()
