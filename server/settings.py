"""Settings of a node, from the environment only: names start with `OPTIX_`.

Invariants:
    * All problems are found at once and named, so that one start shows them all.
    * A value from the environment is never repeated in an error: it may be a secret.
    * In staging and production a node does not start with a short or missing secret, with stores
      of its own, or with development authentication.

docs/reference/settings.md is made from the descriptions here; a test compares them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from streams.ports import OptixError


PREFIX = "OPTIX_"

SECRET_LENGTH_MIN = 32
"""Characters of a secret that a production node accepts."""

SECRETS_REFUSED = ("change", "secret", "example", "default", "password", "insecure")
"""Words that betray a secret copied from a document."""

ROLES = ("gateway", "api", "archiver", "executor", "scheduler")

Environment = Literal["development", "staging", "production"]
Durability = Literal["fsync", "everysec"]
LogFormat = Literal["auto", "json", "pretty"]
LogLevel = Literal["debug", "info", "warning", "error"]


class SettingsInvalid(OptixError):
    """The environment is not one a node can start with.

    Attributes:
        problems: one line for each, with the name of the setting.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("the settings are not valid:\n  " + "\n  ".join(problems))
        self.problems = problems


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a node can be told. Lists are separated by commas."""

    env: Annotated[
        Environment,
        Meta(description="`development` starts its own stores and admits `Dev` authentication"),
    ] = "development"
    host: Annotated[str, Meta(min_length=1, description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535, description="port to listen on; 0 = any free")] = (
        8000
    )
    database_url: Annotated[
        str, Meta(description="PostgreSQL; empty = the node's own (development only)")
    ] = ""
    database_direct_url: Annotated[
        str,
        Meta(description="PostgreSQL itself, for roles, when `OPTIX_DATABASE_URL` is a pooler's"),
    ] = ""
    database_replica_url: Annotated[
        str, Meta(description="PostgreSQL for reads of history; empty = the same")
    ] = ""
    redis_url: Annotated[
        str, Meta(description="Redis or Valkey of the log; empty = the node's own (development)")
    ] = ""
    state_dir: Annotated[
        Path, Meta(description="directory of own stores, keys and the service credential")
    ] = Path(".optix")
    secret_key: Annotated[
        str, Meta(description="signs access tokens; empty = made and kept in the state directory")
    ] = ""
    secret_keys: Annotated[
        tuple[str, ...],
        Meta(description="several of them: the first signs, all are accepted (rotation)"),
    ] = ()
    cors_origins: Annotated[
        tuple[str, ...],
        Meta(description="origins of other sites that may call REST and open sockets"),
    ] = ()
    durability: Annotated[
        Durability,
        Meta(description="`fsync`: acknowledged means on disk; `everysec`: 2 s may be lost"),
    ] = "fsync"
    snapshot_seconds: Annotated[
        float, Meta(ge=1, description="seconds between snapshots while anything changes")
    ] = 60.0
    retention_days: Annotated[
        int, Meta(ge=0, description="age at which months of the record are dropped; 0 = never")
    ] = 0
    node: Annotated[
        str, Meta(description="name of this node; empty = host name and process id")
    ] = ""
    roles: Annotated[tuple[str, ...], Meta(description="what this node does")] = ROLES
    development_auth: Annotated[
        bool | None,
        Meta(description="admit `Authorization: Dev <handle>`; default: in development"),
    ] = None
    opening_cash: Annotated[
        int, Meta(ge=0, le=1_000_000_000, description="paper cash of a new trader, whole units")
    ] = 100_000
    rate_per_second: Annotated[
        float, Meta(gt=0, description="sustained REST requests a second of one account or address")
    ] = 50.0
    rate_burst: Annotated[int, Meta(ge=1, description="REST requests that may come at once")] = 200
    auth_rate_per_minute: Annotated[
        float, Meta(gt=0, description="sustained log-in attempts a minute of one address")
    ] = 30.0
    trusted_proxies: Annotated[
        tuple[str, ...], Meta(description="proxies whose `X-Forwarded-For` is believed")
    ] = ()
    max_sockets: Annotated[int, Meta(ge=1, description="sockets of this node")] = 20_000
    max_sockets_per_account: Annotated[int, Meta(ge=1, description="sockets of one account")] = 20
    log_level: Annotated[LogLevel, Meta(description="least severe level that is written")] = "info"
    log_format: Annotated[
        LogFormat, Meta(description="`auto` = pretty on a terminal, JSON elsewhere")
    ] = "auto"

    @property
    def node_name(self) -> str:
        """Name of this node."""
        return self.node or f"{socket.gethostname()}-{os.getpid()}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Secrets that sign access tokens, newest first; empty = make one."""
        return self.secret_keys or ((self.secret_key,) if self.secret_key else ())

    @property
    def admits_development_auth(self) -> bool:
        """Whether `Dev <handle>` identifies a trader."""
        if self.development_auth is None:
            return self.env == "development"
        return self.development_auth

    @property
    def replica_url(self) -> str:
        """PostgreSQL for reads of history."""
        return self.database_replica_url or self.database_url


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Args:
        environ: names and values; names without the prefix are not looked at.

    Raises:
        SettingsInvalid: with every problem.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    hints = get_type_hints(Settings, include_extras=True)
    for field in msgspec.structs.fields(Settings):
        raw = environ.get(name_of(field.name), "").strip()
        if not raw:
            continue
        try:
            values[field.name] = _parse(raw, hints[field.name])
        except msgspec.ValidationError as error:
            problems.append(f"{name_of(field.name)}: {error}")
    settings = Settings(**values)
    problems += _contradictions(settings)
    if problems:
        raise SettingsInvalid(problems)
    return settings


def name_of(field: str) -> str:
    """Return the environment's name of a field."""
    return PREFIX + field.upper()


def _parse(raw: str, annotated: Any) -> Any:
    plain = annotated.__origin__
    if plain == tuple[str, ...]:
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if plain is Path:
        return Path(raw).expanduser()
    return msgspec.convert(raw, annotated, strict=False)


def _contradictions(settings: Settings) -> list[str]:
    problems = [
        f"{name_of('roles')}: expected some of {', '.join(ROLES)}, was one that is not"
        for role in settings.roles
        if role not in ROLES
    ]
    if settings.secret_key and settings.secret_keys:
        problems.append(
            f"{name_of('secret_keys')}: expected either it or {name_of('secret_key')}, were both"
        )
    problems += _addresses(settings)
    if "*" in settings.cors_origins:
        problems.append(f"{name_of('cors_origins')}: expected origins by name, was *")
    if "pgbouncer=true" in settings.database_url and not settings.database_direct_url:
        problems.append(
            f"{name_of('database_direct_url')}: expected the server's own address beside a pooler's"
        )
    if settings.env != "development":
        problems += _unsafe(settings)
    return problems


def _addresses(settings: Settings) -> list[str]:
    """Return which addresses of stores name no such store."""
    expected = {
        "database_url": ("postgresql", "postgres"),
        "database_direct_url": ("postgresql", "postgres"),
        "database_replica_url": ("postgresql", "postgres"),
        "redis_url": ("redis", "rediss", "unix"),
    }
    problems = []
    for field, schemes in expected.items():
        scheme, separator, _ = getattr(settings, field).partition("://")
        if scheme and (scheme not in schemes or not separator):
            was = f"{scheme}://…" if separator else "an address without ://"
            problems.append(f"{name_of(field)}: expected {schemes[0]}://…, was {was}")
    return problems


def _unsafe(settings: Settings) -> list[str]:
    """Return what only development may be without."""
    env = settings.env
    problems: list[str] = []
    if not settings.secrets:
        problems.append(f"{name_of('secret_key')}: expected a secret in {env}, was none")
    for secret in settings.secrets:
        if len(secret) < SECRET_LENGTH_MIN:
            problems.append(
                f"{name_of('secret_key')}: expected at least {SECRET_LENGTH_MIN} characters in "
                f"{env}, were {len(secret)}"
            )
        elif len(set(secret)) < SECRET_LENGTH_MIN // 4 or any(
            word in secret.lower() for word in SECRETS_REFUSED
        ):
            problems.append(
                f"{name_of('secret_key')}: expected a random secret in {env}, was a default; "
                "make one with `openssl rand -base64 48`"
            )
    if settings.admits_development_auth:
        problems.append(f"{name_of('development_auth')}: expected false in {env}, was true")
    for field, url in (("database_url", settings.database_url), ("redis_url", settings.redis_url)):
        if not url:
            problems.append(f"{name_of(field)}: expected an address in {env}, was none")
    return problems


def settings_table() -> str:
    """Return the settings as a Markdown table, for docs/reference/settings.md."""
    lines = ["| Name | Default | Meaning |", "|--|--|--|"]
    hints = get_type_hints(Settings, include_extras=True)
    for field in msgspec.structs.fields(Settings):
        default = _default_text(field.default)
        meaning = _description(hints[field.name])
        lines.append(f"| `{name_of(field.name)}` | {default} | {meaning} |")
    return "\n".join(lines)


def _description(annotated: Any) -> str:
    text = next(
        (meta.description or "" for meta in annotated.__metadata__ if isinstance(meta, Meta)), ""
    )
    choices = getattr(annotated.__origin__, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        text += " (" + ", ".join(f"`{choice}`" for choice in choices) + ")"
    return text


def _default_text(default: Any) -> str:
    if default in ("", (), None):
        return ""
    if isinstance(default, tuple):
        return f"`{','.join(default)}`"
    return f"`{default}`"
