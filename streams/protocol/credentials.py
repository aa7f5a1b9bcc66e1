"""Credentials in the `Authorization` header of the upgrade."""

from __future__ import annotations

from streams.protocol.effects import AuthRequested


def header_credential(authorization: str) -> AuthRequested | None:
    """Return the authentication asked for by an `Authorization` header, None when it is unclear.

    Args:
        authorization: `Bearer <jwt>`, `Dev <handle>` or `Key <api key>`; the scheme in any case.
    """
    scheme, _, credential = authorization.partition(" ")
    credential = credential.strip()
    if not credential:
        return None
    match scheme.lower():
        case "bearer":
            return AuthRequested(None, credential, None)
        case "dev":
            return AuthRequested(None, f"Dev {credential}", None)
        case "key":
            return AuthRequested(None, None, credential)
        case _:
            return None
