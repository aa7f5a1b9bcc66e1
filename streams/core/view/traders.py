"""Traders as clients see them: the public profile, and with it what the record says in short."""

from __future__ import annotations

from typing import Any

from streams.core.idea_state import AuthorRecord
from streams.core.ideas.record import reputation_micronats
from streams.core.money import MICROS
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import UNIT_PPB, unit_ppb
from streams.core.state import State, Trader
from streams.core.view.author_record import author_record_view
from streams.core.view.stake import stake_view
from streams.core.view.values import format_time, format_time_or_none, money


Data = dict[str, Any]

_NO_IDEAS = AuthorRecord()

RATIO_DIGITS = 6
"""Decimal places of ratios."""


def reputation(state: State, trader_id: str) -> float:
    """Return sum(s) / (n + 30) over the trader's resolved ideas, in nats; 0 before the first.

    Source: domain.md, section 7.
    """
    record = state.author_records.get(trader_id)
    if record is None:
        return 0.0
    return reputation_micronats(record.total, state.market_at_us) / MICROS


def trader_view(state: State, trader: Trader) -> Data:
    """Return a trader's public profile with counts of its links."""
    about, record = trader.about, state.author_records.get(trader.trader)
    return {
        "trader": trader.trader,
        "handle": trader.handle,
        "name": trader.name,
        "origin": trader.origin,
        "bio": trader.bio,
        "links": about.links,
        "tags": about.tags,
        "verified": trader.verified,
        "verified_at": format_time_or_none(about.verified_at_us) if trader.verified else None,
        "reputation": reputation(state, trader.trader),
        "signals_access": trader.signals_access,
        "joined_at": format_time_or_none(trader.joined_at_us),
        "closed_at": format_time_or_none(about.closed_at_us),
        "followers": len(trader.followers),
        "following": len(trader.following),
        "copiers": trader.copiers,
        "copying": len(trader.copying),
        "ideas": record.published if record else 0,
        "signal_seq": trader.signal_seq,
        "fills": trader.track.fills,
        "trades": trader.track.trades,
    }


def profile_view(state: State, trader: Trader) -> Data:
    """Return the profile of one trader with former handles, record in short and own stake."""
    former = [
        {"handle": each.handle, "until": format_time(each.until_us)}
        for each in trader.about.former_handles
    ]
    return {
        **trader_view(state, trader),
        "former_handles": former,
        "record": record_view(state, trader),
        "stake": stake_view(state, trader),
    }


def record_view(state: State, trader: Trader) -> Data:
    """Return what a trader has done in numbers; what is not defined is null, with a reason.

    Trades and win rate are of closed round trips of the own account, `total_return` of its unit
    value since the beginning; both as of now.
    """
    track, record = trader.track, state.author_records.get(trader.trader)
    decided = track.wins + track.losses
    reasons = {} if decided else {"win_rate": "NO_CLOSED_TRADES"}
    total_return = None
    if track.fills:
        unit = unit_ppb(track, ledger_equity(state, trader.ledger)) / UNIT_PPB
        total_return = round(unit - 1, RATIO_DIGITS)
    else:
        reasons["total_return"] = "NO_FILLS"
    return {
        "first_fill_at": format_time_or_none(track.first_fill_us),
        "fills": track.fills,
        "trades": track.trades,
        "wins": track.wins,
        "losses": track.losses,
        "win_rate": round(track.wins / decided, RATIO_DIGITS) if decided else None,
        "total_return": total_return,
        "realised_pnl": money(trader.ledger.realised_micros),
        "fees": money(trader.ledger.fees_micros),
        "open_positions": len(trader.ledger.positions),
        "ideas": record.published if record else 0,
        "ideas_by_stage": dict(record.stages) if record else {},
        "ideas_scored": record.total.scored if record else 0,
        "reputation": reputation(state, trader.trader),
        "author": author_record_view(record or _NO_IDEAS, state.market_at_us),
        "reasons": reasons,
    }
