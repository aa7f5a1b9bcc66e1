"""The one place where a credential becomes a principal, for REST and for the stream alike."""

from __future__ import annotations

import hmac
from typing import Protocol

from server.auth.development import DevelopmentLogins
from server.auth.keys import environment_of
from server.auth.revocations import Revocations
from server.auth.tokens import AccessTokens
from server.observability.meters import Meters
from streams.ports import CommandError, Principal


SERVICE_PRINCIPAL = Principal(
    trader="service", roles=("service",), scopes=("admin", "read", "stream"), login="service"
)
"""What the key in the state directory is good for. It is no trader: it cannot trade or copy."""

DEVELOPMENT_SCHEME = "dev"


class KeyChecker(Protocol):
    """Knows API keys."""

    async def by_key(self, key: str, address: str) -> Principal:
        """Return whose key it is.

        Raises:
            CommandError: `UNAUTHENTICATED`, or why it could not be checked.
        """
        ...


class NodeAuthenticator:
    """The `Authenticator` of a node.

    Accepts an access token, `Dev <handle>` where development logins are given, an API key, and
    the key of services on this machine.
    """

    def __init__(
        self,
        tokens: AccessTokens,
        meters: Meters,
        *,
        service_key: str | None = None,
        keys: KeyChecker | None = None,
        development: DevelopmentLogins | None = None,
        revocations: Revocations | None = None,
    ) -> None:
        """Prepare.

        Args:
            tokens: checks access tokens.
            meters: counts what was checked.
            service_key: the key in the state directory; None = no services from outside.
            keys: knows API keys; None = there are none.
            development: knows handles; None = `Dev` is refused.
            revocations: logins that were ended while their tokens live on.
        """
        self._tokens = tokens
        self._meters = meters
        self._service_key = service_key.encode() if service_key else None
        self._keys = keys
        self._development = development
        self._revocations = revocations or Revocations()

    async def authenticate(self, *, token: str | None, key: str | None, address: str) -> Principal:
        """See `streams.ports.Authenticator`.

        Args:
            token: access token, or `Dev <handle>`.
            key: API key.
            address: of the client, for keys that are bound to addresses.

        Raises:
            CommandError: `UNAUTHENTICATED`, or why it could not be checked.
        """
        kind = "key" if key is not None else "token"
        try:
            if key is not None:
                principal = await self._by_key(key, address)
            elif token is not None:
                principal = await self._by_token(token, address)
            else:
                raise CommandError("UNAUTHENTICATED", "expected a token or a key, was neither")
        except CommandError as error:
            self._meters.authentications[kind, error.code] += 1
            raise
        self._meters.authentications[kind, "OK"] += 1
        return principal

    async def authenticate_header(self, authorization: str, address: str) -> Principal:
        """Check the `Authorization` header of a request.

        Args:
            authorization: `Bearer <access token or API key>`, `Key <API key>` or `Dev <handle>`.
            address: of the client.

        Raises:
            CommandError: `UNAUTHENTICATED`, or why it could not be checked.
        """
        scheme, _, credential = authorization.partition(" ")
        credential = credential.strip()
        if not credential:
            raise CommandError("UNAUTHENTICATED", "expected a scheme and a credential")
        match scheme.lower():
            case "bearer":
                return await self.authenticate(token=credential, key=None, address=address)
            case "key":
                return await self.authenticate(token=None, key=credential, address=address)
            case "dev":
                return await self.authenticate(
                    token=f"{DEVELOPMENT_SCHEME} {credential}", key=None, address=address
                )
            case _:
                raise CommandError("UNAUTHENTICATED", "expected the scheme Bearer, Key or Dev")

    async def _by_token(self, token: str, address: str) -> Principal:
        scheme, _, handle = token.partition(" ")
        if scheme.lower() == DEVELOPMENT_SCHEME:
            if self._development is None:
                raise CommandError("UNAUTHENTICATED", "development logins are switched off")
            return await self._development.identify(handle)
        if environment_of(token) is not None:
            return await self._by_key(token, address)
        principal = self._tokens.verify(token)
        if self._revocations.revoked(principal.login):
            raise CommandError("UNAUTHENTICATED", "expected a live login, was a revoked one")
        return principal

    async def _by_key(self, key: str, address: str) -> Principal:
        if environment_of(key) is None:
            raise CommandError("UNAUTHENTICATED", "expected an API key, was something else")
        if self._service_key is not None and hmac.compare_digest(self._service_key, key.encode()):
            return SERVICE_PRINCIPAL
        if self._keys is None:
            raise CommandError("UNAUTHENTICATED", "expected a known API key")
        return await self._keys.by_key(key, address)
