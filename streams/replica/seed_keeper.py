"""Commits to the seed of the next day, and opens the present day's: see `core.copying.seeds`.

The seed is derived from a secret of the nodes and a public nonce, so nothing is stored, any node
with the secret can go on where another stopped, and the log holds no seed before its day begins.
Two keepers at once are harmless: the core takes the first.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable

import structlog

from streams.core.commands import Command, CommitSeed, OpenSeed
from streams.core.copying.seeds import SEED_BYTES, commitment_of
from streams.core.state import State
from streams.ports import CommandError
from streams.replica.edge import Edge


PERIOD_SECONDS = 0.2
"""Time between two looks; a day's first signals wait at most this long for their seed."""

SEED_PURPOSE = b"optix daily dispatch seed"
VEIL_PURPOSE = b"optix daily veil of aliases"


def derived_seed(secret: str, number: int, nonce: bytes, purpose: bytes = SEED_PURPOSE) -> bytes:
    """Return the seed that a secret gives for a number and a public nonce, 32 bytes.

    Args:
        secret: of the nodes.
        number: of the day's seed.
        nonce: public, of the moment of the commitment.
        purpose: which of the day's two secrets.
    """
    message = purpose + number.to_bytes(8, "big") + nonce
    return hmac.digest(secret.encode(), message, "sha256")[:SEED_BYTES]


class SeedKeeper:
    """Looks after the seeds while it holds the role.

    Attributes:
        committed: commitments acknowledged.
        opened: seeds acknowledged.
    """

    def __init__(
        self, edge: Edge, secrets: tuple[str, ...], holds_role: Callable[[], bool]
    ) -> None:
        """Keep seeds.

        Args:
            edge: where commands are handed in.
            secrets: newest first; the first makes seeds, all may open them (rotation).
            holds_role: whether this node is to act.
        """
        self._edge = edge
        self._secrets = secrets
        self._holds_role = holds_role
        self.committed = 0
        self.opened = 0
        self._journal = structlog.get_logger("optix.seeds")

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            if self._holds_role():
                try:
                    await self.step()
                except CommandError as error:
                    self._journal.debug("seed_missed", code=error.code)

    async def step(self) -> None:
        """Do what is due now.

        Raises:
            CommandError: a command was not accepted, or its outcome is unknown.
        """
        opening = self._opening(self._edge.state)
        if opening is not None:
            self.opened += await self._submit(opening)
        committing = self._committing(self._edge.state)
        if committing is not None:
            self.committed += await self._submit(committing)

    def _opening(self, state: State) -> OpenSeed | None:
        seed = state.seed_now
        if seed is None or seed.key:
            return None
        for secret in self._secrets:
            found = derived_seed(secret, seed.number, seed.nonce)
            if commitment_of(found) == seed.commitment:
                veil = derived_seed(secret, seed.number, seed.nonce, VEIL_PURPOSE)
                return OpenSeed(seed.number, found, veil if seed.veil_commitment else b"")
        return None

    def _committing(self, state: State) -> CommitSeed | None:
        if state.seed_next is not None:
            return None
        number, nonce = state.seeds + 1, state.chain
        secret = self._secrets[0]
        return CommitSeed(
            number,
            nonce,
            commitment_of(derived_seed(secret, number, nonce)),
            commitment_of(derived_seed(secret, number, nonce, VEIL_PURPOSE)),
        )

    async def _submit(self, command: Command) -> bool:
        outcome = await self._edge.submit(command, "seeds", privileged=True)
        return outcome.code == "OK"
