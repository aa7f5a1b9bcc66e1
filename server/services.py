"""What a node is made of, as REST sees it. Built by the composition root, handed to `create_app`.

`None` stands for a part that this node does not have: without PostgreSQL (tests, simulation)
identity and history answer 503, everything live works.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from server.api.idea_index import IdeaIndex
from server.api.trader_index import TraderIndex
from server.auth.api_keys import ApiKeys
from server.auth.identity import Identity
from server.auth.node_authenticator import NodeAuthenticator
from server.gateway.gateway import Gateway
from server.observability.meters import Meters
from server.settings import Settings
from storage.archiver import Archiver
from storage.history import ArchiveHistory
from storage.pool import Pool
from streams.fanout.hub import Hub
from streams.log.submitter import Submitter
from streams.ports import Clock, Log
from streams.replica.edge import Edge
from streams.replica.replica import Replica
from streams.replica.source import ReplicaSource


class FeedIngest(Protocol):
    """Takes records of a recorded market (`streams.replica.recorded_feed`)."""

    async def ingest(self, run: str, first: int, records: list[dict[str, Any]]) -> dict[str, int]:
        """Submit records; return what was made of them.

        Args:
            run: name of the replay.
            first: number of the first record in it.
            records: as in the recording.
        """
        ...


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of one node.

    Attributes:
        settings: as read from the environment.
        replica: the state, its offset and its readiness.
        edge: where commands go.
        source: channels with their history in memory.
        authenticator: turns credentials into principals; the gateway uses the same one.
        clock: time of the edge.
        meters: counters filled while serving, read at a scrape.
        ideas: places of ideas, for their lists.
        traders: places of traders, for searches.
        identity: accounts and logins.
        api_keys: API keys of accounts.
        history: what has left memory, from PostgreSQL.
        recorded_feed: takes recorded markets.
        submitter: group commit, for health and metrics.
        log: asked for an answer by health.
        hub: fan-out, for metrics.
        gateway: the sockets: closed when their login ends.
        archiver: for health and metrics.
        pool: PostgreSQL, asked for an answer by health.
    """

    settings: Settings
    replica: Replica
    edge: Edge
    source: ReplicaSource
    authenticator: NodeAuthenticator
    clock: Clock
    meters: Meters
    ideas: IdeaIndex = msgspec.field(default_factory=IdeaIndex)
    traders: TraderIndex = msgspec.field(default_factory=TraderIndex)
    identity: Identity | None = None
    api_keys: ApiKeys | None = None
    history: ArchiveHistory | None = None
    recorded_feed: FeedIngest | None = None
    submitter: Submitter[Any] | None = None
    log: Log | None = None
    hub: Hub | None = None
    gateway: Gateway | None = None
    archiver: Archiver | None = None
    pool: Pool | None = None
