"""Access tokens: short JSON Web Tokens, signed by one pinned algorithm, with keys that rotate.

Invariants:
    * HS256 only; `kid` chooses among our own keys, never the algorithm.
    * `iss`, `aud`, `exp`, `iat`, `jti` are required; a token lives at most 15 minutes.
    * The first key signs; tokens of all keys are accepted, so a rotation logs nobody out.

Source: RFC 8725; reliability.md, section 6, "Tokens".
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import NamedTuple

import jwt

from streams.ports import Clock, CommandError, Principal


ALGORITHM = "HS256"
ISSUER = "optix"
AUDIENCE = "optix-api"
LIFETIME_S = 900
"""Life of an access token."""

LEEWAY_S = 30
"""Clock difference between nodes that is tolerated."""

TOKEN_LENGTH_MAX = 4096
"""Characters of a token; a longer one is refused unread."""


class IssuedToken(NamedTuple):
    """A token and its life in seconds."""

    text: str
    expires_in: int


class AccessTokens:
    """Issues and checks access tokens."""

    def __init__(self, secret_texts: Sequence[str], clock: Clock) -> None:
        """Prepare.

        Args:
            secret_texts: newest first; at least one.
            clock: decides when a token expires.

        Raises:
            ValueError: no secret was given.
        """
        if not secret_texts:
            raise ValueError("expected at least one secret, was none")
        self._keys = {_kid(text): _key(text) for text in secret_texts}
        self._kid = _kid(secret_texts[0])
        self._clock = clock

    def issue(self, principal: Principal) -> IssuedToken:
        """Sign a token for a principal."""
        now = self._clock.now_us() // 1_000_000
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": principal.trader,
            "login": principal.login,
            "roles": list(principal.roles),
            "scope": " ".join(principal.scopes),
            "iat": now,
            "exp": now + LIFETIME_S,
            "jti": secrets.token_hex(12),
        }
        text = jwt.encode(
            claims, self._keys[self._kid], algorithm=ALGORITHM, headers={"kid": self._kid}
        )
        return IssuedToken(text, LIFETIME_S)

    def verify(self, text: str) -> Principal:
        """Return whom a token was issued to.

        Raises:
            CommandError: `UNAUTHENTICATED`; the reason says what is wrong with the token.
        """
        try:
            if len(text) > TOKEN_LENGTH_MAX:
                raise jwt.InvalidTokenError("too long")
            key = self._keys.get(jwt.get_unverified_header(text).get("kid", ""))
            if key is None:
                raise jwt.InvalidTokenError("signed by an unknown key")
            claims = jwt.decode(
                text,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={
                    "require": ["iss", "aud", "sub", "exp", "iat", "jti"],
                    # our clock is handed in, so that tests decide when a token ends
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            return self._principal(claims)
        except (jwt.InvalidTokenError, ValueError, TypeError, KeyError) as error:
            raise CommandError(
                "UNAUTHENTICATED", f"expected a valid access token: {error}"
            ) from None

    def _principal(self, claims: dict[str, object]) -> Principal:
        expires, issued = claims["exp"], claims["iat"]
        if not isinstance(expires, int) or not isinstance(issued, int):
            raise ValueError("exp and iat are not integers")
        now = self._clock.now_us() // 1_000_000
        if now > expires + LEEWAY_S:
            raise ValueError("it has expired")
        if expires - issued > LIFETIME_S or issued > now + LEEWAY_S:
            raise ValueError("its life is not one that this server gives")
        roles = claims["roles"]
        if not isinstance(roles, list):
            raise TypeError("roles are not a list")
        return Principal(
            trader=str(claims["sub"]),
            roles=tuple(str(role) for role in roles),
            scopes=tuple(str(claims["scope"]).split()),
            login=str(claims["login"]),
            expires_at_us=expires * 1_000_000,
        )


def _key(text: str) -> bytes:
    return hashlib.sha256(b"optix access token\0" + text.encode()).digest()


def _kid(text: str) -> str:
    return hashlib.sha256(b"optix key id\0" + text.encode()).hexdigest()[:12]
