"""The states of an order and the ways between them.

Names as in FIX 4.4 (OrdStatus 39, ExecType 150), in snake case. `pending_new` is the order between
the edge and the log, so the core never holds it; `rejected` is an order that was refused: it never
rested, and its outcome is the record. Terminal states absorb: nothing leads out of them, and a
cancel or an edit of such an order is refused with `ORDER_ENDED`.

Source: domain.md, section 8.
"""

from __future__ import annotations


NEW, PARTIALLY_FILLED, FILLED = "new", "partially_filled", "filled"
CANCELED, EXPIRED, REJECTED = "canceled", "expired", "rejected"

TERMINAL = (FILLED, CANCELED, EXPIRED, REJECTED)

_WAYS: dict[tuple[str, str], str] = {
    ("pending_new", "accept"): NEW,
    ("pending_new", "reject"): REJECTED,
    (NEW, "fill_part"): PARTIALLY_FILLED,
    (NEW, "fill_rest"): FILLED,
    (NEW, "cancel"): CANCELED,
    (NEW, "expire"): EXPIRED,
    (PARTIALLY_FILLED, "fill_part"): PARTIALLY_FILLED,
    (PARTIALLY_FILLED, "fill_rest"): FILLED,
    (PARTIALLY_FILLED, "cancel"): CANCELED,
    (PARTIALLY_FILLED, "expire"): EXPIRED,
}


def next_status(status: str, step: str) -> str:
    """Return the state after a step.

    Args:
        status: the present state.
        step: accept, reject, fill_part, fill_rest, cancel or expire.

    Returns:
        The state after it; a terminal state stays what it is.

    Raises:
        KeyError: no such step from this state.
    """
    if status in TERMINAL:
        return status
    return _WAYS[status, step]
