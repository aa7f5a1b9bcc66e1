"""What an account may be called, how its password must be, and what its log-in may do."""

from __future__ import annotations

import re
import unicodedata

from server.auth.passwords import LENGTH_MAX, LENGTH_MIN
from streams.ports import CommandError, Principal


SCOPES = ("read", "trade", "copy", "stream")
"""What a person's log-in may do."""

ADMIN_SCOPES = (*SCOPES, "admin")

HANDLE = re.compile(r"[a-z0-9_]{3,30}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


def principal_of(trader: str, role: str, login: str) -> Principal:
    """Return the principal of a person's login; roles above a trader's keep a trader's rights."""
    roles = ("trader",) if role == "trader" else ("trader", role)
    scopes = ADMIN_SCOPES if role == "admin" else SCOPES
    return Principal(trader=trader, roles=roles, scopes=scopes, login=login)


def checked_email(text: str) -> str:
    """Return an address in lower case.

    Raises:
        CommandError: `INVALID_ARGUMENT`.
    """
    email = unicodedata.normalize("NFC", text).strip().lower()
    if not EMAIL.fullmatch(email):
        raise CommandError(
            "INVALID_ARGUMENT", "email: expected an address like name@example.org", field="email"
        )
    return email


def checked_handle(text: str) -> str:
    """Return a handle in lower case; only ASCII, so that none looks like another.

    Raises:
        CommandError: `INVALID_ARGUMENT`.
    """
    handle = unicodedata.normalize("NFKC", text).strip().removeprefix("@").lower()
    if not HANDLE.fullmatch(handle):
        raise CommandError(
            "INVALID_ARGUMENT", "handle: expected 3 to 30 of a-z, 0-9 and _", field="handle"
        )
    return handle


def check_password(password: str, email: str, handle: str, field: str = "password") -> None:
    """Check what a password must be: long enough, and not what everybody knows of the account.

    Raises:
        CommandError: `INVALID_ARGUMENT`.
    """
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise CommandError(
            "INVALID_ARGUMENT",
            f"{field}: expected {LENGTH_MIN} to {LENGTH_MAX} characters, were {len(password)}",
            field=field,
        )
    if password.lower() in (email, handle) or len(set(password)) == 1:
        raise CommandError(
            "INVALID_ARGUMENT", f"{field}: expected one that is hard to guess", field=field
        )
