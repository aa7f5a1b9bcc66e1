"""What a new subscription receives: a snapshot, the missed frames, or only what comes next.

Invariants:
    * `seq` of the plan is the channel's newest number at the instant of planning; nothing is
      awaited between reading it and attaching the subscriber, so the subscriber sees exactly
      `seq + 1` next.
    * A resume point that cannot be honoured is answered with `why`, never with a guess.

Source: wire-protocol.md, paragraph on `subscribe`.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import quote

from streams.ports import ChannelInfo, ChannelSource
from streams.protocol.operations import ResumePoint


SubscribeMode: TypeAlias = Literal["snapshot", "live", "resumed"]
WhyNotResumed: TypeAlias = Literal["TOO_OLD", "EPOCH", "AHEAD"]


class SubscribePlan(NamedTuple):
    """How a subscription begins.

    Attributes:
        seq: newest number of the channel now.
        mode: `snapshot` (a `snap` follows), `live` (frames after `seq`), `resumed` (the frames
            after `after_seq`, then live).
        after_seq: last number the client has, when `resumed`; else `seq`.
        why: why a resume point was not honoured.
        history: REST path that returns the missing events of a lossless channel.
    """

    seq: int
    mode: SubscribeMode
    after_seq: int
    why: WhyNotResumed | None = None
    history: str | None = None


def plan_subscription(
    source: ChannelSource, info: ChannelInfo, resume: ResumePoint | None
) -> SubscribePlan:
    """Decide how a subscription to `info` begins. Changes nothing."""
    seq = source.seq(info.key)
    fresh: SubscribeMode = "snapshot" if info.conflatable else "live"
    if resume is None:
        return SubscribePlan(seq, fresh, seq)
    why = _why_not_resumed(source, info.key, seq, resume)
    if why is None:
        return SubscribePlan(seq, "resumed", resume.seq)
    history = None if info.conflatable else history_path(info.name, resume)
    return SubscribePlan(seq, fresh, seq, why, history)


def history_path(name: str, resume: ResumePoint) -> str:
    """Return the REST path of a lossless channel's events after a resume point."""
    return (
        f"/v1/stream/history?ch={quote(name, safe=':@')}"
        f"&epoch={quote(resume.epoch, safe='')}&after_seq={resume.seq}"
    )


def subscription_entry(info: ChannelInfo, epoch: str, plan: SubscribePlan) -> dict[str, Any]:
    """Return the channel's entry in the answer to `subscribe`."""
    entry: dict[str, Any] = {
        "ch": info.name,
        "epoch": epoch,
        "seq": plan.seq,
        "mode": plan.mode,
    }
    if plan.why is not None:
        entry["why"] = plan.why
    if plan.history is not None:
        entry["history"] = plan.history
    return entry


def _why_not_resumed(
    source: ChannelSource, key: str, seq: int, resume: ResumePoint
) -> WhyNotResumed | None:
    if resume.epoch != source.epoch:
        return "EPOCH"
    if resume.seq > seq:
        return "AHEAD"
    if resume.seq < seq and source.history(key, resume.seq) is None:
        return "TOO_OLD"
    return None
