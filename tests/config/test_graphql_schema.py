"""The real schema keeps the conventions."""

import ast
import pathlib

import pytest
from django.conf import settings

from config.graphql import rules
from config.schema import schema

CHAPTERS = ("agencies", "portfolios", "marketplace", "payouts")
FILES = sorted(
    path for chapter in CHAPTERS for path in (settings.BASE_DIR / chapter / "graphql").glob("*.py")
)
MANAGERS = {"objects", "_default_manager", "_base_manager"}


def test_every_field_has_a_rule():
    assert rules.undeclared_fields(schema) == []


def test_no_scalar_loses_money_or_the_time_zone():
    assert rules.foreign_scalars(schema) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_rows_come_from_selectors_alone(path: pathlib.Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            assert node.attr not in MANAGERS, f"line {node.lineno}: ask a selector"
