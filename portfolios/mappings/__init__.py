"""Mappings: from which columns of a bank's CSV file the fields of a loan are read."""

import ast
import functools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from config import errors

_LONGEST_FORMULA = 200
_PERSONAL = frozenset({"borrower_name", "phone", "email", "address", "national_id"})
_OPERATORS: dict[type[ast.AST], Callable[..., Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


class Formula:
    """Arithmetic over column names: + - * / and parentheses, in decimals; nothing is `eval`ed.

    `names` are the columns in it. Raises `INVALID_FORMULA` for anything else.
    """

    def __init__(self, text: str):
        self.names: list[str] = []
        try:
            if len(text) > _LONGEST_FORMULA:
                raise ValueError("the formula is too long")
            self._function = self._compile(ast.parse(text.strip(), mode="eval").body)
        except (SyntaxError, ValueError) as error:
            raise errors.InvalidInput(
                "INVALID_FORMULA",
                "A formula has column names, numbers, + - * / and parentheses, nothing else.",
            ) from error

    def value(self, numbers: dict[str, Decimal]) -> Decimal:
        """The result for one row's numbers by name; `NO_RESULT` where it divides by zero."""
        with localcontext(prec=60):
            try:
                return self._function(numbers)
            except ArithmeticError as error:
                raise errors.InvalidInput(
                    "NO_RESULT", "The formula has no result for this row."
                ) from error

    def _compile(self, node: ast.AST) -> Callable[[dict[str, Decimal]], Decimal]:
        match node:
            case ast.BinOp(op=sign) if type(sign) in _OPERATORS:
                apply = _OPERATORS[type(sign)]
                left, right = self._compile(node.left), self._compile(node.right)
                return lambda numbers: apply(left(numbers), right(numbers))
            case ast.UnaryOp(op=sign) if type(sign) in _OPERATORS:
                apply, operand = _OPERATORS[type(sign)], self._compile(node.operand)
                return lambda numbers: apply(operand(numbers))
            case ast.Name(id=name):
                self.names.append(name)
                return lambda numbers: numbers[name]
            case ast.Constant(value=int() | float() as constant) if not isinstance(
                constant, bool
            ) and math.isfinite(constant):
                number = Decimal(str(constant))
                return lambda numbers: number
        raise ValueError("this is not arithmetic")


@dataclass(frozen=True)
class Mapping:
    """Which column, formula or constant each field of a loan comes from.

    `computed` holds formulas over columns for the balance; a computed figure is rounded once to
    minor units, a given one must be exact. `optional` names fields whose column may be absent.
    `currency` is set where the file can be in no other.
    """

    name: str
    columns: dict[str, str]
    computed: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    currency: str | None = None
    rate_unit: str = "percent"
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    decimal_mark: str = "."

    @functools.cached_property
    def balance_formula(self) -> Formula | None:
        return Formula(self.computed["balance"]) if "balance" in self.computed else None

    def required_columns(self) -> list[str]:
        given = [column for name, column in self.columns.items() if name not in self.optional]
        return given + (self.balance_formula.names if self.balance_formula else [])


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
            constants={"product": "personal loan"},
            currency="USD",
            rate_unit="fraction",
        ),
    )
}
