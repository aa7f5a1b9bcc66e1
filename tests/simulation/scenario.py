"""One seed: a cluster, its clients, its faults, and the checks at every quiet point."""

from __future__ import annotations

import asyncio
import gc
from random import Random
from typing import NamedTuple

from streams.core.snapshots import digest
from tests.simulation.archive import SimulatedStore
from tests.simulation.cluster import Cluster
from tests.simulation.faults import FaultDriver
from tests.simulation.intents import LEADER
from tests.simulation.oracle import (
    Replayed,
    check_history,
    check_losses,
    check_nodes,
    check_record,
    check_snapshots,
    replay,
)
from tests.simulation.readers import Reader
from tests.simulation.virtual_loop import run_virtual
from tests.simulation.workload import Workload


ROUNDS = 2
TRADERS = 5
STEPS_A_ROUND = 11
MARKET_STEPS_A_ROUND = 22
QUIET_S_MAX = 60.0
SETTLE_S = 0.1


class Report(NamedTuple):
    """How a seed went."""

    seed: int
    chain: str
    digest: str
    entries: int
    commands: int
    answered: int
    lost: int
    epoch: str
    faults: dict[str, int]
    resumed: int
    virtual_s: float


class Breach(AssertionError):
    """A promise was broken; carries how to repeat it."""

    def __init__(self, seed: int, breaches: list[str], steps: list[str]) -> None:
        shown = "\n  ".join(breach[:600] for breach in breaches[:12])
        last = "\n  ".join(steps)
        super().__init__(
            f"seed {seed}: {len(breaches)} breaches\n  {shown}\nlast steps\n  {last}\n"
            f"repeat with: python -m pytest tests/simulation/test_cluster.py --seed {seed}"
        )


class Scenario:
    """Everything of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._random = Random(seed)
        names = ["a", "b", "c"][: self._random.choice((2, 2, 3))]
        self.cluster = Cluster(
            names,
            listen_one_of=self._random.randint(2, 5),
            double_role=self._random.random() < 0.25,
        )
        self.workload = Workload(self.cluster, self._fork())
        truncations = self._random.random() < 0.5
        self._faults = FaultDriver(self.cluster, self._fork(), truncations=truncations)
        traders = [f"t_{number}" for number in range(TRADERS)]
        keys = [f"signals:{LEADER}", *(f"account:{trader}" for trader in traders)]
        keys += [f"copies:{traders[0]}", f"signals:{traders[0]}", "ideas"]
        self._reader = Reader(self.cluster, self._fork(), keys)
        self._traders = traders

    def _fork(self) -> Random:
        return Random(self._random.getrandbits(64))

    async def run(self) -> Report:
        """Run all rounds.

        Raises:
            Breach: something promised does not hold.
        """
        cluster = self.cluster
        for name in cluster.names:
            cluster.start(name, SimulatedStore(cluster.archive))
        await self.workload.open_market(self._fork())
        reader = cluster.loop.create_task(self._reader.run())
        for _ in range(ROUNDS - 1):
            await self._round()
        replayed = await self._round()
        reader.cancel()
        self._fail_if(check_record(replayed))
        return self._report()

    async def _round(self) -> Replayed:
        """Let clients and faults loose, then heal everything and check."""
        faults = self.cluster.loop.create_task(self._faults.run())
        clients = [
            self.workload.trader(trader, self._fork(), STEPS_A_ROUND) for trader in self._traders
        ]
        market = self.workload.market(self._fork(), MARKET_STEPS_A_ROUND)
        await asyncio.gather(*clients, market)
        faults.cancel()
        await self._quiet()
        return self._check()

    async def _quiet(self) -> None:
        """End all faults, start who is down, and wait until everybody agrees on the log's end."""
        cluster = self.cluster
        cluster.note("quiet")
        cluster.heal()
        cluster.ticking = False
        for name in cluster.names:
            if name not in cluster.nodes:
                cluster.start(name, SimulatedStore(cluster.archive))
        deadline = cluster.loop.time() + QUIET_S_MAX
        await asyncio.sleep(SETTLE_S)
        while not cluster.settled():
            if cluster.loop.time() > deadline:
                seen = {name: str(node.replica.seen) for name, node in cluster.nodes.items()}
                self._fail([f"expected the nodes to settle, they had seen {seen}"])
            await asyncio.sleep(SETTLE_S)
        cluster.ticking = True

    def _check(self) -> Replayed:
        cluster = self.cluster
        failures = cluster.failures()
        if failures:
            self._fail(failures)
        self._reader.poll()
        replayed = replay(cluster)
        self._fail_if(
            [
                *check_nodes(cluster, replayed),
                *check_snapshots(cluster, replayed, self._random),
                *check_history(self.workload.operations, replayed, cluster.lost),
                *check_losses(cluster, replayed),
                *self._reader.breaches,
            ]
        )
        return replayed

    def _fail_if(self, breaches: list[str]) -> None:
        if breaches:
            self._fail(breaches)

    def _fail(self, breaches: list[str]) -> None:
        raise Breach(self.seed, breaches, list(self.cluster.steps))

    def _report(self) -> Report:
        cluster = self.cluster
        state = next(iter(cluster.nodes.values())).replica.state
        answered = [each for each in self.workload.operations if each.answers]
        return Report(
            seed=self.seed,
            chain=state.chain.hex(),
            digest=digest(state),
            entries=cluster.server.length,
            commands=len(self.workload.operations),
            answered=len(answered),
            lost=len(cluster.lost),
            epoch=cluster.server.epoch,
            faults=self._faults.counts,
            resumed=self._reader.resumed,
            virtual_s=cluster.loop.time(),
        )


def run_seed(seed: int) -> Report:
    """Run one seed in virtual time."""

    async def work() -> Report:
        return await Scenario(seed).run()

    # A third of the time would go into looking for cycles that a finished run leaves anyway.
    gc.disable()
    try:
        return run_virtual(work())
    finally:
        gc.enable()
