"""Development authentication: `Dev <handle>` acts as that trader, created at first use.

Never constructed outside development: settings refuse it, and the authenticator is not given it.
"""

from __future__ import annotations

from server.auth.checks import HANDLE
from streams.core.commands import RegisterTrader
from streams.core.money import MICROS
from streams.ports import CommandError, Principal
from streams.replica.edge import Edge
from streams.replica.replica import Replica


SERVICE = "development"
"""Name under which traders are created."""


class DevelopmentLogins:
    """Turns handles into traders.

    Attributes:
        created: traders created since the start.
    """

    def __init__(self, replica: Replica, edge: Edge, opening_cash: int) -> None:
        """Prepare.

        Args:
            replica: knows the handles.
            edge: creates traders.
            opening_cash: whole units of the account currency.
        """
        self._replica = replica
        self._edge = edge
        self._cash_micros = opening_cash * MICROS
        self.created = 0

    async def identify(self, text: str) -> Principal:
        """Return the trader of a handle, with all of a trader's scopes.

        Two requests at once for a new handle create one trader: the id follows from the handle.

        Raises:
            CommandError: `UNAUTHENTICATED` for what is no handle, or as `Edge.submit`.
        """
        handle = text.strip().removeprefix("@").lower()
        if not HANDLE.fullmatch(handle):
            raise CommandError(
                "UNAUTHENTICATED", "expected Dev and a handle of 3 to 30 of a-z, 0-9 and _"
            )
        handles = self._replica.state.handles
        if handle not in handles:
            command = RegisterTrader(
                trader=f"t_{handle}",
                handle=handle,
                name=handle,
                origin="development",
                cash_micros=self._cash_micros,
            )
            outcome = await self._edge.submit(command, SERVICE, privileged=True)
            handles = self._replica.state.handles
            if outcome.code == "OK":
                self.created += 1
            elif handle not in handles:
                raise CommandError(
                    "UNAUTHENTICATED", f"{handle} could not be created: {outcome.message}"
                )
        trader = handles[handle]
        return Principal(trader=trader, login=f"dev_{trader}")
