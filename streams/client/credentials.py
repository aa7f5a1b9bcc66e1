"""From a token as people write it to the fields of `auth`."""

from __future__ import annotations


def auth_fields(token: str) -> dict[str, str]:
    """Return the fields of an `auth` request.

    Args:
        token: `Bearer <jwt>`, `Dev <handle>`, `Key <api key>`, or a bare access token.

    Raises:
        ValueError: nothing stands behind the scheme.
    """
    scheme, space, rest = token.strip().partition(" ")
    credential = rest.strip()
    if not space and scheme.lower() not in ("bearer", "dev", "key"):
        scheme, credential = "bearer", scheme
    if not credential:
        raise ValueError("expected a token like 'Bearer ...', 'Dev <handle>' or 'Key ...'")
    match scheme.lower():
        case "bearer":
            return {"token": credential}
        case "dev":
            return {"token": f"Dev {credential}"}
        case "key":
            return {"key": credential}
        case _:
            raise ValueError(f"expected the scheme Bearer, Dev or Key, was {scheme[:20]!r}")
