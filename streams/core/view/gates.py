"""Which stage of the pipeline a decision's code belongs to."""

from __future__ import annotations

from streams.core.reasons import Reason


STAGES: dict[str, tuple[Reason, ...]] = {
    "intake": (
        Reason.STALE_SIGNAL,
        Reason.LIMIT_NOT_FULL,
        Reason.LIMIT_MIRRORED,
        Reason.LEADER_TEST_TRADE,
    ),
    "state": (
        Reason.REL_PAUSED,
        Reason.REL_CLOSE_ONLY,
        Reason.REL_HALTED,
        Reason.REL_COOLDOWN,
        Reason.LEADER_SUSPENDED,
        Reason.LEADER_IS_COPY,
        Reason.KILL_SWITCH,
    ),
    "filters": (
        Reason.SYMBOL_NOT_ALLOWED,
        Reason.SYMBOL_DENIED,
        Reason.SIDE_NOT_ALLOWED,
        Reason.SESSION_CLOSED,
        Reason.NEWS_WINDOW,
        Reason.ASSET_UNSUPPORTED,
        Reason.NOT_SHORTABLE,
    ),
    "mapping": (
        Reason.NO_FOLLOWER_POSITION,
        Reason.DETACHED_BY_FOLLOWER,
        Reason.SYMBOL_UNMAPPED,
    ),
    "sizing": (
        Reason.NO_LEADER_EQUITY,
        Reason.NO_STOP_LOSS,
        Reason.EXPRESSION_FAILED,
        Reason.BELOW_MIN_QTY,
        Reason.BELOW_MIN_NOTIONAL,
        Reason.FORCE_MIN_TOO_RISKY,
        Reason.ZERO_AFTER_ROUNDING,
    ),
    "caps": (
        Reason.MAX_OPEN_POSITIONS,
        Reason.MAX_PER_SYMBOL,
        Reason.INSUFFICIENT_FUNDS,
        Reason.INSUFFICIENT_MARGIN,
        Reason.LIMIT_REACHED,
    ),
    "loss": (
        Reason.COPY_STOP_HIT,
        Reason.TRAILING_STOP_HIT,
        Reason.DAILY_LOSS,
        Reason.DAILY_DRAWDOWN,
        Reason.DAILY_TARGET,
        Reason.MAX_TRADES_DAY,
    ),
    "price": (Reason.NO_QUOTE, Reason.QUOTE_STALE, Reason.SLIPPAGE_PRE),
    "execution": (Reason.IOC_UNFILLED,),
}
"""Stages in their written order with the codes that skip there. Source: domain.md, section 4.4."""

_STAGE_OF = {code.value: stage for stage, codes in STAGES.items() for code in codes}


def gate_of(code: str) -> str | None:
    """Return the stage that a decision ended in, None when it was executed."""
    return _STAGE_OF.get(code)
