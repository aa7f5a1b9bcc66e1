"""Secrets kept in the state directory: readable by the owner only, made once, shared by nodes.

`secret.key` signs access tokens where the environment gives no secret (development only).
`service.key` is the credential of the command line on this machine (`optix feed`).
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from server.auth.keys import environment_of, make_key
from server.settings import Settings
from streams.ports import OptixError


SECRET_FILE = "secret.key"  # noqa: S105 - a name, no secret
SERVICE_FILE = "service.key"
SERVICE_ENVIRONMENT = "service"


class StateFileInvalid(OptixError):
    """A secret in the state directory is not one this version wrote."""


def signing_secrets(settings: Settings) -> tuple[str, ...]:
    """Return the secrets of the environment, or the one kept in the state directory.

    Raises:
        StateFileInvalid: the file is empty or cut.
        OSError: the directory cannot be written.
    """
    if settings.secrets:
        return settings.secrets
    return (_kept(settings.state_dir / SECRET_FILE, secrets.token_urlsafe(48)),)


def service_key(settings: Settings) -> str:
    """Return the key of services on this machine, made at first use.

    Raises:
        StateFileInvalid: the file does not hold a key.
        OSError: the directory cannot be written.
    """
    path = settings.state_dir / SERVICE_FILE
    text = _kept(path, make_key(SERVICE_ENVIRONMENT).text)
    if environment_of(text) != SERVICE_ENVIRONMENT:
        raise StateFileInvalid(f"expected a service key in {path}, was something else")
    return text


def _kept(path: Path, fresh: str) -> str:
    """Return the file's text; a missing file is made with `fresh`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(fresh)
        # a link never replaces: the first of several starting nodes wins
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    text = path.read_text(encoding="ascii").strip()
    if len(text) < 32:
        raise StateFileInvalid(f"expected a secret in {path}, were {len(text)} characters")
    return text
