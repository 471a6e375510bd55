"""Loan imports over GraphQL: mapped, decided on, watched and cancelled here.

A file that fits into a request can be sent here too; larger ones go to the import page's address
by plain HTTPS, which answers with the id of the import.
"""

import base64
import binascii
import io
import json

import graphene
from django.utils.translation import gettext_lazy as _

from agencies import policies
from config import errors
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.mappings import Mapping
from portfolios.services import (
    control_totals,
    import_progress,
    import_uploads,
    imports,
    loan_mappings,
)

LARGEST_BASE64_BYTES = 700_000

ImportKind = scalars.choices(imports.Kind, "ImportKind")
ImportPolicy = scalars.choices(imports.Policy, "ImportPolicy")
ImportState = scalars.choices(imports.State, "ImportState")


class ImportProblem(types.Node):
    """What is wrong in one cell of a file; the header is row 1, personal values are left out.

    A row with a warning alone is imported.
    """

    class Meta:
        model = models.ImportProblem
        fields = ("row", "column", "value", "code", "message", "is_warning")
        selector = selectors.visible_import_problems
        allow = policies.INSTITUTION_PEOPLE


class ImportProgress(types.Value):
    """How far the present phase is. Rates and times are null until they can be told."""

    class Meta:
        allow = policies.INSTITUTION_PEOPLE

    done_ppm = scalars.RatePpm(required=True)
    rows_per_second = graphene.Int()
    seconds_left = graphene.Int()


class ImportOutcome(types.Value):
    """What came of the rows of a maintenance file with one event."""

    class Meta:
        allow = policies.INSTITUTION_PEOPLE

    event = graphene.String(required=True)
    changed_count = graphene.Int(required=True)
    unchanged_count = graphene.Int(required=True, description="They said what was so already.")


class LoanImport(types.Node):
    """One file, from its upload to its last row: of new loans, or of news about loans."""

    class Meta:
        model = models.LoanImport
        fields = (
            "portfolio",
            "currency",
            "file_name",
            "sha256",
            "mapping_name",
            "rows_read",
            "rows_good",
            "good_minor",
            "rows_imported",
            "balance_minor",
            "expected_rows",
            "expected_minor",
            "failure_code",
            "failure",
            "uploaded_at",
            "imported_at",
        )
        selector = selectors.visible_imports
        allow = policies.INSTITUTION_PEOPLE

    kind = ImportKind(required=True)
    state = ImportState(required=True)
    outcome = graphene.List(
        graphene.NonNull(ImportOutcome),
        required=True,
        description="Of a maintenance file; empty before it is applied.",
    )
    mapping = graphene.String(required=True, description="JSON; `loanImportMap` takes it back.")
    progress = graphene.Field(ImportProgress, description="Null while it waits or has ended.")
    problems = queries.connection(
        lambda: ImportProblem,
        narrow=lambda visible, loan_import: visible.filter(loan_import=loan_import),
    )

    def resolve_outcome(root, info):
        return [
            ImportOutcome(event=event, changed_count=changed, unchanged_count=unchanged)
            for event, (changed, unchanged) in sorted(root.outcome.items())
        ]

    def resolve_mapping(root, info):
        return json.dumps(root.mapping, ensure_ascii=False)

    def resolve_progress(root, info):
        return import_progress.of(root)


class LoanMapping(types.Node):
    """A mapping that the bank has saved; `definition` is JSON."""

    class Meta:
        model = models.LoanMapping
        fields = ("name", "saved_at")
        selector = selectors.visible_mappings
        allow = policies.INSTITUTION_PEOPLE

    definition = graphene.String(required=True)

    def resolve_definition(root, info):
        return json.dumps(root.definition, ensure_ascii=False)


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


class LoanImportReceive(mutations.Mutation):
    """Keeps a file for a draft and guesses its columns; `loanImportMap` has it checked."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        portfolio_id = graphene.ID(required=True)
        file_name = graphene.String(required=True)
        file = graphene.String(required=True, description="Base64, at most 700,000 characters.")
        expected_rows = graphene.Int(description="Control total: the file must have as many.")
        expected_minor = scalars.MinorUnits(description="Control total: their balances' sum.")

    loan_import = graphene.Field(LoanImport)

    @classmethod
    def perform(cls, info, actor, file, expected_rows=None, expected_minor=None, **given):
        made = import_uploads.receive(
            actor=actor,
            file=io.BytesIO(decoded(file)),
            totals=control_totals.Totals(expected_rows, expected_minor),
            **given,
        )
        return cls(loan_import=made)


class MaintenanceReceive(mutations.Mutation):
    """Keeps a file with the day's news of loans; `loanImportMap` has it checked and
    `loanImportDecide` applied."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        currency = graphene.String(required=True, description="Of every amount in the file.")
        file_name = graphene.String(required=True)
        file = graphene.String(required=True, description="Base64, at most 700,000 characters.")
        expected_rows = graphene.Int(description="Control total: the file must have as many.")
        expected_minor = scalars.MinorUnits(description="Control total: the payments' sum.")

    loan_import = graphene.Field(LoanImport)

    @classmethod
    def perform(cls, info, actor, file, expected_rows=None, expected_minor=None, **given):
        made = import_uploads.receive_maintenance(
            actor=actor,
            file=io.BytesIO(decoded(file)),
            totals=control_totals.Totals(expected_rows, expected_minor),
            **given,
        )
        return cls(loan_import=made)


class LoanImportMap(mutations.Mutation):
    """Says which columns hold what and has the file checked; also again after a check."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        import_id = graphene.ID(required=True)
        mapping = graphene.String(
            required=True,
            description="The name of a saved or built-in mapping, or a mapping as JSON.",
        )
        save_as = graphene.String(description="Keeps the mapping under this name.")

    loan_import = graphene.Field(LoanImport)

    @classmethod
    def perform(cls, info, actor, import_id, mapping, save_as=""):
        kind = imports.kind_of(actor=actor, import_id=import_id)
        made = imports.choose_mapping(
            actor=actor,
            import_id=import_id,
            mapping=_mapping(actor, mapping, kind),
            save_as=save_as,
        )
        return cls(loan_import=made)


def _mapping(actor, text: str, kind: str) -> Mapping:
    if text.lstrip().startswith("{"):
        try:
            return Mapping.from_dict(json.loads(text))
        except ValueError:
            raise errors.InvalidInput(
                "INVALID_MAPPING", _("This mapping cannot be read."), field="mapping"
            ) from None
    return loan_mappings.called(actor, text, kind)


class LoanImportDecide(mutations.Mutation):
    """Has what a checked file says written: all rows, or the good ones only."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        import_id = graphene.ID(required=True)
        policy = ImportPolicy(required=True)

    loan_import = graphene.Field(LoanImport)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(loan_import=imports.decide(actor=actor, **given))


class LoanImportCancel(mutations.Mutation):
    """Stops an import that has not ended; what it wrote is taken back."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        import_id = graphene.ID(required=True)

    loan_import = graphene.Field(LoanImport)

    @classmethod
    def perform(cls, info, actor, import_id):
        return cls(loan_import=imports.cancel(actor=actor, import_id=import_id))


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
    loan_mappings = queries.connection(LoanMapping)


class Mutation(graphene.ObjectType):
    loan_import_receive = LoanImportReceive.Field()
    maintenance_receive = MaintenanceReceive.Field()
    loan_import_map = LoanImportMap.Field()
    loan_import_decide = LoanImportDecide.Field()
    loan_import_cancel = LoanImportCancel.Field()
