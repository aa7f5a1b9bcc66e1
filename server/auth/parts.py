"""Puts the parts of authentication together, so that a composition root need not know them all."""

from __future__ import annotations

from typing import NamedTuple

from server.auth.api_keys import ApiKeys
from server.auth.development import DevelopmentLogins
from server.auth.identity import Identity
from server.auth.node_authenticator import NodeAuthenticator
from server.auth.passwords import Passwords
from server.auth.revocations import Revocations
from server.auth.state_files import service_key, signing_secrets
from server.auth.tokens import AccessTokens
from server.observability.meters import Meters
from server.settings import Settings
from storage.pool import Pool
from streams.ports import Clock
from streams.replica.edge import Edge
from streams.replica.replica import Replica


class AuthParts(NamedTuple):
    """What `build_auth` makes.

    Attributes:
        authenticator: for the gateway and for REST.
        identity: accounts; None without PostgreSQL. Set `identity.ended` to `Gateway.revoke`.
        api_keys: None without PostgreSQL.
        revocations: for a `RevocationWatch`.
        passwords: to be closed with the node.
    """

    authenticator: NodeAuthenticator
    identity: Identity | None
    api_keys: ApiKeys | None
    revocations: Revocations
    passwords: Passwords


def build_auth(
    settings: Settings,
    replica: Replica,
    edge: Edge,
    clock: Clock,
    meters: Meters,
    pool: Pool | None,
) -> AuthParts:
    """Build the authenticator and what stands behind it.

    Raises:
        StateFileInvalid: a secret in the state directory is damaged.
        OSError: the state directory cannot be written.
    """
    tokens = AccessTokens(signing_secrets(settings), clock)
    revocations, passwords = Revocations(), Passwords()
    identity = api_keys = None
    if pool is not None:
        identity = Identity(
            pool,
            replica,
            edge,
            tokens,
            passwords,
            revocations,
            clock,
            opening_cash=settings.opening_cash,
        )
        api_keys = ApiKeys(pool, identity, revocations, clock, environment=settings.env)
    development = None
    if settings.admits_development_auth:
        development = DevelopmentLogins(replica, edge, settings.opening_cash)
    authenticator = NodeAuthenticator(
        tokens,
        meters,
        service_key=service_key(settings),
        keys=api_keys,
        development=development,
        revocations=revocations,
    )
    return AuthParts(authenticator, identity, api_keys, revocations, passwords)
