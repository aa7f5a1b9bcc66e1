"""API keys of accounts: made, listed, revoked, and checked at every request.

A checked key is remembered for some seconds, so that a bot costs PostgreSQL one query in that
time and goes on while PostgreSQL restarts. A revocation on this node counts at once, one on
another node when `RevocationWatch` sees it, at the latest when the memory of the check ends.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from server.auth.identity import Identity, Visitor
from server.auth.keys import digest_of, make_key
from server.auth.revocations import Revocations
from storage.api_keys import (
    ApiKey,
    create_api_key,
    find_api_key,
    list_api_keys,
    revoke_api_key,
    touch_api_keys,
)
from storage.audit import append_audit
from storage.pool import Pool
from streams.ports import Clock, CommandError, Principal


CHECK_LIFE_S = 10.0
"""Seconds for which a check of a key is remembered."""

CHECKS_MAX = 20_000
"""Checks remembered; when reached, the oldest leaves."""

KEYS_PER_ACCOUNT_MAX = 50
"""Live keys of one account; beyond it `LIMIT_REACHED`."""


class NewApiKey(NamedTuple):
    """A key just made; `text` is shown now and never again."""

    key_id: str
    text: str
    prefix: str


class _Checked(NamedTuple):
    key: ApiKey
    until: float


class ApiKeys:
    """The API keys of a node; the `KeyChecker` of its authenticator."""

    def __init__(
        self,
        pool: Pool,
        identity: Identity,
        revocations: Revocations,
        clock: Clock,
        *,
        environment: str,
    ) -> None:
        """Prepare.

        Args:
            pool: connections to the primary.
            identity: knows accounts.
            revocations: remembers revoked keys.
            clock: time of the edge.
            environment: stands in every key.
        """
        self._pool = pool
        self._identity = identity
        self._revocations = revocations
        self._clock = clock
        self._environment = environment
        self._checked: dict[bytes, _Checked] = {}
        self._used: dict[str, datetime] = {}

    async def create(
        self,
        principal: Principal,
        *,
        name: str,
        scopes: Sequence[str],
        addresses: Sequence[str],
        expires_at: datetime | None,
        visitor: Visitor,
    ) -> NewApiKey:
        """Make a key that may do no more than who makes it.

        Raises:
            CommandError: `FORBIDDEN`, `INVALID_ARGUMENT` or `LIMIT_REACHED`.
            StorageError: see storage.errors.
        """
        account = await self._identity.account_of(principal)
        excess = [scope for scope in scopes if scope not in principal.scopes]
        if excess:
            raise CommandError(
                "FORBIDDEN", f"scopes: expected some of {', '.join(principal.scopes)}",
                field="scopes",
            )  # fmt: skip
        networks = [_network(address) for address in addresses]
        if expires_at is not None and expires_at <= self._now():
            raise CommandError(
                "INVALID_ARGUMENT", "expires_at: expected a time to come", field="expires_at"
            )
        if len(await list_api_keys(self._pool, account.account_id)) >= KEYS_PER_ACCOUNT_MAX:
            raise CommandError(
                "LIMIT_REACHED", f"expected at most {KEYS_PER_ACCOUNT_MAX} keys of one account"
            )
        made = make_key(self._environment)
        key_id = f"k_{secrets.token_hex(8)}"
        await create_api_key(
            self._pool,
            key_id=key_id,
            account_id=account.account_id,
            name=name,
            prefix=made.prefix,
            secret_hash=made.digest,
            scopes=list(dict.fromkeys(scopes)),
            addresses=networks,
            now=self._now(),
            expires_at=expires_at,
        )
        await self._audit(account.account_id, "api_key.created", key_id, visitor)
        return NewApiKey(key_id, made.text, made.prefix)

    async def of(self, principal: Principal) -> list[ApiKey]:
        """Return the live keys of a principal's account, newest first.

        Raises:
            CommandError: `FORBIDDEN`.
            StorageError: see storage.errors.
        """
        account = await self._identity.account_of(principal)
        return await list_api_keys(self._pool, account.account_id)

    async def revoke(self, principal: Principal, key_id: str, visitor: Visitor) -> bool:
        """Revoke a key with its sockets; return whether it was live.

        Raises:
            CommandError: `FORBIDDEN`.
            StorageError: see storage.errors.
        """
        account = await self._identity.account_of(principal)
        live = await revoke_api_key(
            self._pool, account_id=account.account_id, key_id=key_id, now=self._now()
        )
        if live:
            self._revocations.revoke(key_id)
            self._identity.ended(key_id)
            await self._audit(account.account_id, "api_key.revoked", key_id, visitor)
        return live

    async def by_key(self, key: str, address: str) -> Principal:
        """See `KeyChecker`."""
        digest = digest_of(key)
        found = await self._find(digest)
        if (
            found is None
            or not found.usable(self._now())
            or self._revocations.revoked(found.key_id)
        ):
            raise CommandError("UNAUTHENTICATED", "expected a live API key")
        if found.addresses and not _inside(address, found.addresses):
            raise CommandError("UNAUTHENTICATED", "expected the key to be used from its addresses")
        self._used[found.key_id] = self._now()
        roles = ("trader",) if found.role == "trader" else ("trader", found.role)
        expires_at = found.expires_at
        return Principal(
            trader=found.trader,
            roles=roles,
            scopes=tuple(found.scopes),
            login=found.key_id,
            expires_at_us=0 if expires_at is None else int(expires_at.timestamp() * 1_000_000),
        )

    async def note_use(self) -> None:
        """Write down when keys were used since the last time.

        Raises:
            StorageError: see storage.errors; the times are kept for the next attempt.
        """
        used, self._used = self._used, {}
        try:
            await touch_api_keys(self._pool, used)
        except BaseException:
            self._used = {**used, **self._used}
            raise

    async def _find(self, digest: bytes) -> ApiKey | None:
        now = self._clock.monotonic()
        remembered = self._checked.get(digest)
        if remembered is not None and remembered.until > now:
            return remembered.key
        found = await find_api_key(self._pool, digest)
        self._checked.pop(digest, None)
        if found is not None:
            if len(self._checked) >= CHECKS_MAX:
                del self._checked[next(iter(self._checked))]
            self._checked[digest] = _Checked(found, now + CHECK_LIFE_S)
        return found

    async def _audit(self, account_id: str, action: str, subject: str, visitor: Visitor) -> None:
        await append_audit(
            self._pool,
            at=self._now(),
            actor=account_id,
            action=action,
            subject=subject,
            address=visitor.address,
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_us() / 1e6, UTC)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise CommandError(
            "INVALID_ARGUMENT",
            "addresses: expected addresses or networks like 192.0.2.0/24",
            field="addresses",
        ) from None


def _inside(address: str, networks: Sequence[str]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(network) for network in networks)
