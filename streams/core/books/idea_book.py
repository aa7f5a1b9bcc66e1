"""The idea book of an instrument: open published ideas by the prices they name.

Invariants:
    * The entry of an idea to buy or cover stands on side `b`, of one to sell or short on side
      `s`; its targets and stop are exits and stand on the other side.
    * Each price is one entry of its level; a level without entries is deleted. Its weight is the
      idea's confidence times what its author had shown when it was published, shared among the
      targets by their weights.
    * What an idea brings is a function of the idea: `remove` takes away what `add` brought as
      long as the idea did not change in between.

Rows are identified by `level x 2`, plus 1 on side `s`, in channel `book:{symbol}`.

Source: domain.md, section 7, "Idea book"; docs/adr/0022-weight-of-an-idea.md.
"""

from __future__ import annotations

from streams.core.books.levels import fix_level, level_of
from streams.core.channels import touch
from streams.core.idea_state import Idea
from streams.core.money import BPS
from streams.core.state import IdeaBook, Instrument, Level, State


WEIGHT_BPS_DEFAULT = 5_000
"""Weight of an idea that states no confidence."""

ACCURACY_PER_NAT = 20
"""A reputation of +0.05 nats an idea doubles the weight of its author's ideas."""

ACCURACY_PPM_MIN, ACCURACY_PPM_MAX = 100_000, 4_000_000
"""An author's accuracy makes a weight a tenth at least and four times at most."""

MICRO = 1_000_000

BUY, SELL = 0, 1


def side_of(trade_type: str) -> int:
    """Return the side of an idea's entry: `BUY` or `SELL`."""
    return BUY if trade_type in ("buy", "cover") else SELL


def weight_bps_of(confidence_bps: int, reputation_micronats: int) -> int:
    """Return the weight of an idea in ten-thousandths: confidence times accuracy.

    Args:
        confidence_bps: as stated, 0 = `WEIGHT_BPS_DEFAULT`.
        reputation_micronats: of its author in the asset class; 0 for a newcomer, who counts once.
    """
    accuracy = MICRO + ACCURACY_PER_NAT * reputation_micronats
    accuracy = min(max(accuracy, ACCURACY_PPM_MIN), ACCURACY_PPM_MAX)
    return max((confidence_bps or WEIGHT_BPS_DEFAULT) * accuracy // MICRO, 1)


def entries_of(instrument: Instrument, idea: Idea) -> list[tuple[int, int, int]]:
    """Return (side, level in ticks, weight) of each price the idea names and has not reached."""
    side = side_of(idea.trade_type)
    weight_bps = idea.frozen.weight_bps
    entries = []
    if idea.entry_ticks:
        entries.append((side, level_of(instrument, idea.entry_ticks), weight_bps))
    if idea.targets:
        for price, share_bps in idea.targets[len(idea.targets_hit) :]:
            shared = max(weight_bps * share_bps // BPS, 1)
            entries.append((1 - side, level_of(instrument, price), shared))
    elif idea.target_ticks:
        entries.append((1 - side, level_of(instrument, idea.target_ticks), weight_bps))
    stop_ticks = idea.stop_now_ticks or idea.stop_ticks
    if stop_ticks:
        entries.append((1 - side, level_of(instrument, stop_ticks), weight_bps))
    return entries


def add(state: State, idea: Idea) -> None:
    """Add a published idea's entries. Called by `evolve_*` only.

    The first price ever named fixes the width of the instrument's levels.
    """
    instrument = state.instruments[idea.symbol]
    first = idea.entry_ticks or idea.target_ticks or idea.stop_ticks
    if first:
        fix_level(instrument, first)
    _change(state, instrument, idea, 1)


def remove(state: State, idea: Idea) -> None:
    """Remove the entries of an idea that was added."""
    _change(state, state.instruments[idea.symbol], idea, -1)


def _change(state: State, instrument: Instrument, idea: Idea, count: int) -> None:
    symbol = idea.symbol
    book = state.idea_books.get(symbol)
    if book is None:
        book = state.idea_books[symbol] = IdeaBook()
    for side, price, weight_bps in entries_of(instrument, idea):
        levels = book.buys if side == BUY else book.sells
        level = levels.get(price)
        if level is None:
            level = levels[price] = Level()
        level.weight_bps += weight_bps * count
        level.ideas += count
        if level.ideas < 0:
            raise AssertionError(f"expected an idea at {symbol} {price}, {idea.idea} was not there")
        if level.ideas == 0:
            del levels[price]
        touch(state, f"book:{symbol}", price * 2 + side)
