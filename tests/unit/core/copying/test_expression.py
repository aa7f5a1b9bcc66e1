from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from streams.core.copying.expression import VARIABLES, evaluate, parsed
from streams.core.limits import EXPRESSION_LENGTH_MAX


VALUES = {name: Decimal(place) for place, name in enumerate(VARIABLES, 1)}

# leader_quantity 1, leader_price 2, leader_equity 3, … price 10
FORMULAS = """
leader_quantity * equity / leader_equity     | 2
0.1 + 0.2                                    | 0.3
1e3 - 1                                      | 999
7 // 2 + 7 % 4                               | 6
-7 // 2                                      | -3
+price                                       | 10
abs(-price)                                  | 10
min(3, 1, 2) + max(3, 1, 2)                  | 4
clip(9, 1, 3)                                | 3
1 if price > 5 else 2                        | 1
1 if price < 5 else 2                        | 2
1 if price <= 10 and price >= 10 else 2      | 1
1 if price == 9 or price != 10 else 2        | 2
not price                                    | 0
not 0                                        | 1
1 / 0                                        | None
1 % 0                                        | None
1000000000 * 1000000000 * 10                 | None
""".strip().splitlines()


@pytest.mark.parametrize("row", FORMULAS)
def test_a_formula_has_a_value(row: str) -> None:
    text, expected = (part.strip() for part in row.split("|"))
    assert str(evaluate(text, VALUES)) == expected


REFUSED = """
__import__('os')
price.real
2 ** 9
[1]
'x'
1 < 2 < 3
1 in 2
min(1)
min(1, 2, key=3)
open(1)
min(*[1, 2], 3)
unknown
1_000
0x10
1j
True
None
lambda: 1
price[0]
~1
1e300
1e20
1 +
(x := 1)
\u0661
""".strip().splitlines()


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parsed(text)


@pytest.mark.parametrize(
    "text",
    ["", "1" * (EXPRESSION_LENGTH_MAX + 1), "-" * 20 + "1", "+".join("1" * 40), "(" * 250, "\0"],
)
def test_a_formula_is_bounded(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parsed(text)


@given(st.text("0123456789.+-*/%() e,<>=pricemnaxlipabsotdf", max_size=60))
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    try:
        parsed(text)
    except ValueError:
        return
    value = evaluate(text, VALUES)
    assert value is None or value.is_finite()
