"""The replica as the gateway sees it: channels, their numbers, snapshots and history."""

from __future__ import annotations

from streams.core.channels import split_interval
from streams.core.leaderboard import BOARD_KEYS
from streams.core.state import State
from streams.ports import ChannelInfo, Frame, Principal
from streams.protocol.channels import ChannelName, ChannelNameError, parse_channel
from streams.replica.feed_history import FEED_PREFIX, feed_after, feed_number
from streams.replica.rendering import RENDERERS, snapshot_frame
from streams.replica.replica import Replica


SYMBOL_KINDS = ("book", "positions", "sentiment", "marks", "ideas")
TRADER_KINDS = ("signals", "ideas_by")


class ReplicaSource:
    """The `ChannelSource` of a node."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    @property
    def epoch(self) -> str:
        """Name of the log's present life."""
        return self._replica.epoch

    @property
    def offset(self) -> str:
        """Text of the newest applied offset."""
        return self._replica.offset

    @property
    def ready(self) -> bool:
        """Whether the replica has caught up with the log."""
        return self._replica.ready

    def resolve(self, channel: str, principal: Principal | None) -> ChannelInfo | str:
        """Return the channel's info, or an error code of the stream.

        A handle becomes the trader's id, so that both names lead to one channel.
        """
        try:
            name = parse_channel(channel)
        except ChannelNameError:
            return "UNKNOWN_CHANNEL"
        if name.rules.own:
            if principal is None:
                return "UNAUTHENTICATED"
            return ChannelInfo(f"{name.kind}:{principal.trader}", name.kind, False)
        canonical = self._canonical(name)
        if canonical is None:
            return "UNKNOWN_CHANNEL"
        if name.kind == "signals":
            refusal = self._signals_refused(canonical.arguments[0], principal)
            if refusal is not None:
                return refusal
        key = str(canonical)
        return ChannelInfo(key, key, name.rules.conflatable)

    def _canonical(self, name: ChannelName) -> ChannelName | None:
        """Return the name with a trader's id for a handle, or None when it names nothing."""
        state = self._state
        argument = name.arguments[0] if name.arguments else None
        if name.kind in SYMBOL_KINDS:
            known = argument is None or argument in state.instruments
            return name if known else None
        if name.kind == "leaderboard":
            return name if ":".join(name.arguments) in BOARD_KEYS else None
        if name.kind in TRADER_KINDS and argument is not None:
            trader = argument
            if argument.startswith("@"):
                trader = state.handles.get(argument[1:].lower(), "")
            return name._replace(arguments=(trader,)) if trader in state.traders else None
        return name

    def _signals_refused(self, leader: str, principal: Principal | None) -> str | None:
        """Return why the leader's signals may not be heard, or None."""
        trader = self._state.traders[leader]
        if trader.signals_access == "public":
            return None
        if principal is None:
            return "UNAUTHENTICATED"
        own = principal.trader == leader or "admin" in principal.roles
        return None if own or principal.trader in trader.followers else "FORBIDDEN"

    def seq(self, key: str) -> int:
        """Return the newest number of the channel (0 before the first frame)."""
        state = self._state
        if key.startswith(FEED_PREFIX):
            return feed_number(state, key)
        base, interval = split_interval(key)
        channel = state.conflated.get(base)
        if channel is not None:
            return channel.seqs[interval]
        return state.channel_seqs.get(key, 0)

    def snapshot(self, key: str) -> Frame:
        """Return the whole state of a conflatable channel as a `snap` at its newest number."""
        return snapshot_frame(self._state, key)

    def history(self, key: str, after_seq: int) -> list[Frame] | None:
        """Return the frames after a number in order, or None when memory no longer has them."""
        if key.startswith(FEED_PREFIX):
            return feed_after(self._state, self._replica.history, key, after_seq)
        newest = self.seq(key)
        kind = key.partition(":")[0].partition("@")[0]
        if kind in RENDERERS:
            return self._replica.history.deltas_after(key, after_seq, newest)
        return self._replica.history.events_after(self._state, key, after_seq, newest)

    @property
    def _state(self) -> State:
        return self._replica.state
