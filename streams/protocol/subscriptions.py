"""The channels one socket receives.

Invariants:
    * A channel is held once, under its key; the names a client used for it all lead there.
    * At most `subscriptions_max` channels; what is beyond is refused item by item, and the rest
      of the request stands.

Source: wire-protocol.md, paragraph on `subscribe`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streams.ports import ChannelInfo, ChannelSource, Principal
from streams.protocol.channels import ChannelNameError, parse_channel
from streams.protocol.codes import ErrorCode
from streams.protocol.effects import Attach, Detach, Effect, Reply
from streams.protocol.operations import SubscribeItem
from streams.protocol.resume import plan_subscription, subscription_entry


class Subscriptions:
    """What a socket receives, by key and by the names used.

    Args:
        source: channels of this node.
        subscriptions_max: channels held at most.
    """

    __slots__ = ("_asked", "_info", "_source", "_subscriptions_max")

    def __init__(self, source: ChannelSource, *, subscriptions_max: int) -> None:
        self._source = source
        self._subscriptions_max = subscriptions_max
        self._info: dict[str, ChannelInfo] = {}
        # Name as asked or as sent -> key. Two names at most a channel.
        self._asked: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._info)

    def __contains__(self, key: object) -> bool:
        return key in self._info

    def subscribe(
        self, items: Sequence[SubscribeItem], principal: Principal | None
    ) -> tuple[list[dict[str, Any]], list[Attach]]:
        """Add channels.

        Returns:
            The entries of the answer, one an item in its order, and what to attach.
        """
        entries: list[dict[str, Any]] = []
        attached: list[Attach] = []
        for item in items:
            info = self._admit(item.ch, principal)
            if isinstance(info, str):
                entries.append({"ch": item.ch, "mode": "refused", "code": info})
                continue
            plan = plan_subscription(self._source, info, item.resume)
            self._info[info.key] = info
            self._asked[info.name] = info.key
            self._asked[item.ch] = info.key
            entry = subscription_entry(info, self._source.epoch, plan)
            if item.ch != info.name:
                entry["asked"] = item.ch
            entries.append(entry)
            attached.append(Attach(info, plan.seq, plan.mode, plan.after_seq))
        return entries, attached

    def unsubscribe(self, names: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
        """Remove channels by a name they were asked by or sent under.

        Returns:
            The entries of the answer, one a name in its order, and the keys to detach.
        """
        entries: list[dict[str, Any]] = []
        keys: list[str] = []
        for name in names:
            key = self._asked.get(name)
            if key is None:
                entries.append({"ch": name, "code": str(ErrorCode.NOT_SUBSCRIBED)})
                continue
            self._forget(key)
            entries.append({"ch": name})
            keys.append(key)
        return entries, keys

    def recheck(self, key: str, principal: Principal | None) -> list[Effect]:
        """End a subscription that `principal` may not hold any more."""
        info = self._info.get(key)
        if info is None:
            return []
        resolved = self._source.resolve(info.name, principal)
        if not isinstance(resolved, str):
            return []
        self._forget(key)
        return [Detach(key), Reply({"t": "gone", "ch": info.name, "code": resolved})]

    def _admit(self, name: str, principal: Principal | None) -> ChannelInfo | str:
        try:
            parse_channel(name)
        except ChannelNameError:
            return str(ErrorCode.UNKNOWN_CHANNEL)
        info = self._source.resolve(name, principal)
        if isinstance(info, str):
            return info
        if info.key in self._info:
            return str(ErrorCode.ALREADY_SUBSCRIBED)
        if len(self._info) >= self._subscriptions_max:
            return str(ErrorCode.TOO_MANY_SUBSCRIPTIONS)
        return info

    def _forget(self, key: str) -> None:
        del self._info[key]
        for name in [name for name, named in self._asked.items() if named == key]:
            del self._asked[name]
