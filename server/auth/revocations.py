"""Logins that were ended while access tokens of theirs still live.

An access token cannot be called back; this node remembers, for as long as such a token may live,
which logins no longer count. Other nodes accept the token until it expires (at most 15 minutes)
but its refresh token is dead everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from server.auth.tokens import LEEWAY_S, LIFETIME_S


REVOCATIONS_MAX = 100_000
"""Logins remembered; when reached, the one revoked first leaves."""


class Revocations:
    """A bounded memory of revoked logins, in order of revocation."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until: dict[str, float] = {}

    def revoke(self, login: str) -> None:
        """Remember a login until its last access token has expired."""
        now = self._monotonic()
        while self._until:
            first = next(iter(self._until))
            if self._until[first] > now and len(self._until) < REVOCATIONS_MAX:
                break
            del self._until[first]
        self._until.pop(login, None)
        self._until[login] = now + LIFETIME_S + LEEWAY_S

    def revoked(self, login: str) -> bool:
        """Return whether a login was revoked and may still have live tokens."""
        until = self._until.get(login)
        return until is not None and until > self._monotonic()
