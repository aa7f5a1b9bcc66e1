"""Arrays that follow the state, and what of the state is computed from them.

The valuation and the board arrays are caches: functions of the state, never in a snapshot,
rebuilt when a state is restored. A step is the second half of applying an event: it keeps the
arrays in step and, on ticks and closed days, puts rankings and sentiment into the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from streams.core import sentiment
from streams.core.copying.watch import CopyWatch
from streams.core.events import (
    CashMoved,
    CopyDecided,
    CopyFeeCharged,
    CopyLimitReached,
    CopySet,
    CopyStatusChanged,
    CopyStopped,
    DayClosed,
    EquityReported,
    Event,
    FillBooked,
    FlagCleared,
    HandleChanged,
    MarksPublished,
    PositionReported,
    Ticked,
    TraderClosed,
    TraderFlagged,
    TraderRegistered,
    TraderUpdated,
    TraderVerified,
)
from streams.core.ideas import trending
from streams.core.leaderboard import Boards, close_boards, rank_boards
from streams.core.state import State
from streams.core.valuation import Valuation


class Derived:
    """Owner of the arrays of one kernel.

    Attributes:
        steps: what follows an event that the state's `evolve_*` has just applied, by its type.
        profiles_changed: traders whose public words changed, until an index takes that in.
    """

    __slots__ = ("boards", "copies", "profiles_changed", "steps", "valuation")

    def __init__(self, state: State) -> None:
        self.valuation = Valuation.from_state(state)
        self.boards = Boards(state, self.valuation)
        self.copies = CopyWatch(state)
        self.profiles_changed: dict[str, None] = {}
        self.steps: dict[type[Event], Callable[[State, Any], None]] = {
            FillBooked: self._fill_booked,
            MarksPublished: self._marks_published,
            TraderRegistered: self._trader_registered,
            PositionReported: self._position_reported,
            EquityReported: self._equity_reported,
            CashMoved: self._equity_reported,
            CopySet: self._copy_set,
            CopyStatusChanged: self._copy_touched,
            CopyLimitReached: self._copy_touched,
            CopyDecided: self._copy_decided,
            CopyFeeCharged: self._copy_fee_charged,
            CopyStopped: self._copy_stopped,
            TraderFlagged: self._flags_changed,
            FlagCleared: self._flags_changed,
            TraderClosed: self._flags_changed,
            DayClosed: self._day_closed,
            Ticked: self._ticked,
            TraderUpdated: self._profile_changed,
            HandleChanged: self._profile_changed,
            TraderVerified: self._profile_changed,
        }

    def prepare(self, state: State) -> Iterator[None]:
        """Compute ahead, in short steps, what the next tick will publish.

        It reads the state and changes caches only, so a node may do it or not.

        Args:
            state: as the newest event left it; nothing may change it before the last step.

        Yields:
            None after each step.
        """
        return self.boards.prepare(state)

    def _fill_booked(self, _: State, event: FillBooked) -> None:
        if event.source == "self_reported":
            return
        self.valuation.moved(event.trader, event.symbol)
        if event.source == "recorded":
            self.valuation.marked(event.symbol)

    def _marks_published(self, _: State, event: MarksPublished) -> None:
        marked = self.valuation.marked
        for row in event.rows:
            marked(row.symbol)

    def _trader_registered(self, _: State, event: TraderRegistered) -> None:
        self.valuation.add_trader(
            event.trader, event.cash_micros, margined=event.origin != "recorded"
        )

    def _profile_changed(
        self, _: State, event: TraderUpdated | HandleChanged | TraderVerified
    ) -> None:
        self.profiles_changed[event.trader] = None

    def _position_reported(self, _: State, event: PositionReported) -> None:
        self.valuation.moved(event.trader, event.symbol)

    def _cash_changed(self, state: State, trader_id: str) -> None:
        self.valuation.set_cash(trader_id, state.traders[trader_id].ledger.cash_micros)

    def _equity_reported(self, state: State, event: EquityReported | CashMoved) -> None:
        self._cash_changed(state, event.trader)

    def _copy_touched(self, state: State, event: CopyStatusChanged | CopyLimitReached) -> None:
        self.copies.touched[state.copies[event.leader][event.follower].row] = None

    def _copy_decided(self, state: State, event: CopyDecided) -> None:
        if event.result is not None:
            self.copies.touched[state.copies[event.leader][event.follower].row] = None

    def _copy_set(self, state: State, event: CopySet) -> None:
        self.copies.touched[state.copies[event.leader][event.follower].row] = None
        self._cash_changed(state, event.follower)

    def _copy_fee_charged(self, state: State, event: CopyFeeCharged) -> None:
        self._cash_changed(state, event.leader)

    def _copy_stopped(self, state: State, event: CopyStopped) -> None:
        self.copies.touched[state.copies[event.leader][event.follower].row] = None
        self._cash_changed(state, event.follower)
        for symbol in event.kept:
            self.valuation.moved(event.follower, symbol)

    def _flags_changed(
        self, state: State, event: TraderFlagged | FlagCleared | TraderClosed
    ) -> None:
        self._cash_changed(state, event.trader)

    def _day_closed(self, state: State, event: DayClosed) -> None:
        close_boards(state, self.boards, event.day)
        # The boards were closed while the clock still showed the day; now the day is over.
        state.market_at_us = max(state.market_at_us, event.at_us)

    def _ticked(self, state: State, event: Ticked) -> None:
        rank_boards(state, self.boards)
        if event.second:
            if state.copy_desk.rows:
                self.copies.update(state)
            sentiment.refresh(state)
            trending.refresh(state)
