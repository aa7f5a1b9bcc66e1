"""Subscribers that move from node to node and must see each number of a channel once."""

from __future__ import annotations

import asyncio
from random import Random

from tests.simulation.cluster import Cluster, Node


def epoch_number(epoch: str) -> int:
    """Return the number in an epoch's name; 0 for none."""
    return int(epoch.partition(".")[0].removeprefix("e") or 0)


class Reader:
    """Resumes lossless channels on any node from the number it has.

    Attributes:
        resumed: frames received by resuming.
        restarted: times a node no longer had what was missing, so that a client would be told.
        breaches: what a client may never see.
    """

    def __init__(self, cluster: Cluster, random: Random, keys: list[str]) -> None:
        self.resumed = 0
        self.restarted = 0
        self.breaches: list[str] = []
        self._cluster = cluster
        self._random = random
        self._at: dict[str, tuple[str, int]] = dict.fromkeys(keys, ("", 0))

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await asyncio.sleep(self._random.uniform(0.05, 0.8))
            self.poll()

    def poll(self) -> None:
        """Connect to some node and resume every channel there."""
        nodes = [node for node in self._cluster.nodes.values() if node.replica.ready]
        if nodes:
            node = self._random.choice(nodes)
            for key in self._at:
                self._resume(node, key)

    def _resume(self, node: Node, key: str) -> None:
        source = node.source
        epoch, seq = self._at[key]
        if epoch != source.epoch:
            if epoch_number(source.epoch) > epoch_number(epoch):  # else it will notice soon
                self._at[key] = source.epoch, source.seq(key)
            return
        frames = source.history(key, seq)
        if frames is None:
            self.restarted += 1
            self._at[key] = epoch, source.seq(key)
            return
        for frame in frames:
            seq += 1
            if frame.seq != seq:
                self.breaches.append(f"{node.run} {key}: expected #{seq}, was #{frame.seq}")
            self._cluster.shared.see(epoch, f"history of {node.run}", frame)
        self.resumed += len(frames)
        self._at[key] = epoch, max(seq, self._at[key][1])
