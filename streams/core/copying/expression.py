"""The sizing formula a follower writes: a small language, parsed once, computed in decimals.

Invariants:
    * Only numbers, the names in `VARIABLES`, + - * / // %, comparisons, `and` / `or` / `not`,
      `a if b else c` and the functions in `FUNCTIONS`. No attribute, call by value, text or loop
      can be written, so a formula ends and touches nothing.
    * Bounded: `EXPRESSION_LENGTH_MAX`, `EXPRESSION_NODES_MAX`, `EXPRESSION_DEPTH_MAX`, and every
      value on the way stays below `VALUE_MAX`.
    * Decimal arithmetic of 34 digits, rounded half to even: equal on every node and version. No
      float is ever made of a literal; its digits are read from the text.

Source: domain.md, section 4.2 (`expression`).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from functools import lru_cache

from streams.core.limits import (
    EXPRESSION_DEPTH_MAX,
    EXPRESSION_LENGTH_MAX,
    EXPRESSION_NODES_MAX,
    EXPRESSIONS_PARSED_MAX,
)
from streams.core.money import parse_decimal


VARIABLES = (
    "leader_quantity",
    "leader_price",
    "leader_equity",
    "leader_balance",
    "leader_free_margin",
    "equity",
    "balance",
    "free_margin",
    "allocation",
    "price",
    "stop_loss",
    "multiplier",
    "leverage",
)
"""Names a formula may use: quantities in units, money in the account currency, prices; 0 = none."""

VALUE_MAX = Decimal(10) ** 18
"""Largest absolute value on the way; beyond it the formula fails."""

_CONTEXT = Context(
    prec=34, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow]
)

Values = Mapping[str, Decimal]
Program = Callable[[Values], Decimal]

_ONE, _ZERO = Decimal(1), Decimal(0)


def _clip(value: Decimal, least: Decimal, most: Decimal) -> Decimal:
    return max(least, min(value, most))


FUNCTIONS: dict[str, tuple[int, int, Callable[..., Decimal]]] = {
    "abs": (1, 1, _CONTEXT.abs),
    "min": (2, 8, min),
    "max": (2, 8, max),
    "clip": (3, 3, _clip),
}
"""Functions a formula may call: fewest and most arguments, and what they do."""

_BINARY: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: _CONTEXT.add,
    ast.Sub: _CONTEXT.subtract,
    ast.Mult: _CONTEXT.multiply,
    ast.Div: _CONTEXT.divide,
    ast.FloorDiv: _CONTEXT.divide_int,
    ast.Mod: _CONTEXT.remainder,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Decimal, Decimal], bool]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}


@lru_cache(EXPRESSIONS_PARSED_MAX)
def parsed(text: str) -> Program:
    """Return the formula as a function of its variables.

    Args:
        text: at most `EXPRESSION_LENGTH_MAX` ASCII characters.

    Raises:
        ValueError: it is too long, too deep, or says what a formula cannot say.
    """
    if not text or len(text) > EXPRESSION_LENGTH_MAX or not text.isascii():
        raise ValueError(
            f"expected 1 to {EXPRESSION_LENGTH_MAX} ASCII characters, was {len(text)} long"
        )
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"expected a formula, was {text!r}") from error
    nodes = sum(1 for node in ast.walk(tree) if isinstance(node, ast.expr))
    if nodes > EXPRESSION_NODES_MAX:
        raise ValueError(f"expected at most {EXPRESSION_NODES_MAX} terms, was {nodes}")
    return _compiled(tree.body, text.strip(), EXPRESSION_DEPTH_MAX)


def evaluate(text: str, values: Values) -> Decimal | None:
    """Return the value of a formula, or None when it has none (division by 0, too large).

    Args:
        text: one that `parsed` takes.
        values: a value for each of `VARIABLES`.
    """
    try:
        value = parsed(text)(values)
    except (ArithmeticError, _TooLarge):
        return None
    return value


class _TooLarge(Exception):
    """A value on the way is beyond `VALUE_MAX`."""


def _held(value: Decimal) -> Decimal:
    if abs(value) > VALUE_MAX:
        raise _TooLarge
    return value


def _compiled(node: ast.expr, text: str, depth: int) -> Program:
    if depth == 0:
        raise ValueError(f"expected at most {EXPRESSION_DEPTH_MAX} levels of brackets")
    make = _MAKERS.get(type(node))
    if make is None:
        raise ValueError(f"expected arithmetic, was {ast.unparse(node)!r}")
    return make(node, text, depth - 1)


def _constant(node: ast.Constant, text: str, _: int) -> Program:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise ValueError(f"expected a number, was {node.value!r}")
    value = _held_literal(parse_decimal(text[node.col_offset : node.end_col_offset]))
    return lambda _values: value


def _held_literal(value: Decimal) -> Decimal:
    if abs(value) > VALUE_MAX:
        raise ValueError(f"expected numbers up to {VALUE_MAX:e}, was {value:e}")
    return value


def _name(node: ast.Name, _: str, __: int) -> Program:
    name = node.id
    if name not in VARIABLES:
        raise ValueError(f"expected one of {', '.join(VARIABLES)}, was {name}")
    return lambda values: values[name]


def _binary(node: ast.BinOp, text: str, depth: int) -> Program:
    operate = _BINARY.get(type(node.op))
    if operate is None:
        raise ValueError(f"expected + - * / // or %, was {ast.unparse(node)!r}")
    left, right = _compiled(node.left, text, depth), _compiled(node.right, text, depth)
    return lambda values: _held(operate(left(values), right(values)))


def _unary(node: ast.UnaryOp, text: str, depth: int) -> Program:
    of = _compiled(node.operand, text, depth)
    if isinstance(node.op, ast.Not):
        return lambda values: _ZERO if of(values) else _ONE
    if isinstance(node.op, ast.USub):
        return lambda values: _CONTEXT.minus(of(values))
    if isinstance(node.op, ast.UAdd):
        return of
    raise ValueError(f"expected + - or not, was {ast.unparse(node)!r}")


def _compare(node: ast.Compare, text: str, depth: int) -> Program:
    compare = _COMPARE.get(type(node.ops[0]))
    if compare is None or len(node.ops) > 1:
        raise ValueError(f"expected one comparison, was {ast.unparse(node)!r}")
    left, right = _compiled(node.left, text, depth), _compiled(node.comparators[0], text, depth)
    return lambda values: _ONE if compare(left(values), right(values)) else _ZERO


def _boolean(node: ast.BoolOp, text: str, depth: int) -> Program:
    parts = [_compiled(value, text, depth) for value in node.values]
    every = isinstance(node.op, ast.And)

    def run(values: Values) -> Decimal:
        return _ONE if (all if every else any)(part(values) for part in parts) else _ZERO

    return run


def _choice(node: ast.IfExp, text: str, depth: int) -> Program:
    test, body, other = (_compiled(n, text, depth) for n in (node.test, node.body, node.orelse))
    return lambda values: body(values) if test(values) else other(values)


def _call(node: ast.Call, text: str, depth: int) -> Program:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    found = FUNCTIONS.get(name)
    if found is None or node.keywords:
        raise ValueError(f"expected one of {', '.join(FUNCTIONS)}, was {ast.unparse(node)!r}")
    least, most, function = found
    if not least <= len(node.args) <= most:
        raise ValueError(f"expected {least} to {most} arguments of {name}, was {len(node.args)}")
    parts = [_compiled(argument, text, depth) for argument in node.args]
    return lambda values: function(*(part(values) for part in parts))


_MAKERS: dict[type[ast.expr], Callable[..., Program]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _choice,
    ast.Call: _call,
}
