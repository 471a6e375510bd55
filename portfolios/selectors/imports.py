"""Loan files on their way in, and the mappings that a bank keeps."""

from django.db.models import QuerySet

from agencies.actors import Actor
from portfolios.models import ImportProblem, LoanFilePart, LoanImport, LoanMapping
from portfolios.selectors.scoping import institution_only


def visible_imports(actor: Actor) -> QuerySet[LoanImport]:
    return institution_only(LoanImport, actor)


def visible_file_parts(actor: Actor) -> QuerySet[LoanFilePart]:
    return institution_only(LoanFilePart, actor)


def visible_mappings(actor: Actor) -> QuerySet[LoanMapping]:
    return institution_only(LoanMapping, actor)


def visible_import_problems(actor: Actor) -> QuerySet[ImportProblem]:
    return institution_only(ImportProblem, actor)
