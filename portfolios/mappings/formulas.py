"""Formulas of mappings: arithmetic over whole columns."""

import ast
import itertools
import keyword
import math
import operator
import re
from collections.abc import Callable, Iterable
from decimal import Decimal, localcontext

from portfolios.file_messages import FileRefused

_LONGEST_FORMULA = 200
_PRECISION_DIGITS = 60
_OPERATORS: dict[type[ast.AST], Callable[..., Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
# Numbers first, so that the e of 1e5 is no name.
_WORDS = re.compile(r"(?P<number>[0-9][\w.]*)|`(?P<quoted>[^`]+)`|(?P<name>[^\W\d]\w*)")

_Columns = dict[str, Iterable[Decimal]]


class Formula:
    """Arithmetic over column names: + - * / and parentheses, in decimals; nothing is `eval`ed.

    A column name that is not a single word stands in backquotes. `names` are the columns in it.
    Raises `INVALID_FORMULA` for anything else.
    """

    def __init__(self, text: str):
        self.names: list[str] = []
        try:
            if len(text) > _LONGEST_FORMULA:
                raise ValueError("the formula is too long")
            arithmetic = _WORDS.sub(self._placeholder, text).strip()
            if "#" in arithmetic:
                raise ValueError("a comment is no part of a formula")
            tree = ast.parse(arithmetic, mode="eval")
            self._function = self._compile(tree.body)
        except (SyntaxError, ValueError) as error:
            raise FileRefused("INVALID_FORMULA") from error

    def value(self, numbers: dict[str, Decimal]) -> Decimal:
        """The result for one row's numbers by name; `NO_RESULT` where it divides by zero."""
        return self.values({name: [number] for name, number in numbers.items()}, 1)[0]

    def values(self, columns: dict[str, list[Decimal]], rows: int) -> list[Decimal]:
        """The results for `rows` rows of numbers by name; `NO_RESULT` if one has none."""
        with localcontext(prec=_PRECISION_DIGITS):
            try:
                return list(itertools.islice(self._function(dict(columns)), rows))
            except ArithmeticError as error:
                raise FileRefused("NO_RESULT") from error

    def _placeholder(self, match: re.Match) -> str:
        """Python would read some letters as others (NFKC), so it never sees a column's name."""
        name = match["quoted"] or match["name"]
        if name is None or (match["name"] and keyword.iskeyword(name)):
            return match[0]
        self.names.append(name.strip())
        return f" c{len(self.names) - 1} "

    def _compile(self, node: ast.AST) -> Callable[[_Columns], Iterable[Decimal]]:
        match node:
            case ast.BinOp(op=sign) if type(sign) in _OPERATORS:
                apply = _OPERATORS[type(sign)]
                left, right = self._compile(node.left), self._compile(node.right)
                return lambda columns: map(apply, left(columns), right(columns))
            case ast.UnaryOp(op=sign) if type(sign) in _OPERATORS:
                apply, operand = _OPERATORS[type(sign)], self._compile(node.operand)
                return lambda columns: map(apply, operand(columns))
            case ast.Name(id=placeholder):
                name = self.names[int(placeholder[1:])]
                return lambda columns: columns[name]
            case ast.Constant(value=int() | float() as constant) if not isinstance(
                constant, bool
            ) and math.isfinite(constant):
                number = Decimal(str(constant))
                return lambda columns: itertools.repeat(number)
        raise ValueError("this is not arithmetic")
