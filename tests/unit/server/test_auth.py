from __future__ import annotations

from pathlib import Path

import jwt
import pytest

from server.auth.keys import base62, environment_of, make_key
from server.auth.passwords import Passwords
from server.auth.revocations import REVOCATIONS_MAX, Revocations
from server.auth.state_files import StateFileInvalid, service_key, signing_secrets
from server.auth.tokens import AUDIENCE, ISSUER, LEEWAY_S, LIFETIME_S, AccessTokens, _key, _kid
from server.settings import Settings
from streams.ports import CommandError, Principal


OLD, NEW = "an old secret of some length", "a new secret of some length"
ALICE = Principal("t_a", ("trader", "admin"), ("read", "trade"), "l_1")


class Watch:
    def __init__(self) -> None:
        self.now_s = 1_769_947_200

    def now_us(self) -> int:
        return self.now_s * 1_000_000

    def monotonic(self) -> float:
        return float(self.now_s)


def refused(tokens: AccessTokens, text: str) -> str:
    with pytest.raises(CommandError) as caught:
        tokens.verify(text)
    assert caught.value.code == "UNAUTHENTICATED"
    return caught.value.message


def test_a_token_says_who_it_is() -> None:
    watch = Watch()
    tokens = AccessTokens([NEW], watch)
    issued = tokens.issue(ALICE)
    found = tokens.verify(issued.text)

    assert issued.expires_in == LIFETIME_S
    assert (found.trader, found.roles, found.scopes, found.login) == (
        "t_a",
        ("trader", "admin"),
        ("read", "trade"),
        "l_1",
    )
    assert found.expires_at_us == (watch.now_s + LIFETIME_S) * 1_000_000
    assert tokens.issue(ALICE).text != issued.text


def test_a_token_ends_with_some_leeway() -> None:
    watch = Watch()
    tokens = AccessTokens([NEW], watch)
    text = tokens.issue(ALICE).text
    watch.now_s += LIFETIME_S + LEEWAY_S
    assert tokens.verify(text).trader == "t_a"
    watch.now_s += 1
    assert "expired" in refused(tokens, text)


def test_keys_rotate() -> None:
    watch = Watch()
    old = AccessTokens([OLD], watch).issue(ALICE).text
    both = AccessTokens([NEW, OLD], watch)
    assert both.verify(old).trader == "t_a"
    assert jwt.get_unverified_header(both.issue(ALICE).text)["kid"] == _kid(NEW)
    assert "unknown key" in refused(AccessTokens([NEW], watch), old)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "else"},
        {"aud": "else"},
        {"exp": None},
        {"jti": None},
        {"exp": 1_769_947_200 + 86_400},
        {"iat": 1_769_947_200 + 3_600, "exp": 1_769_947_200 + 3_700},
        {"exp": "soon"},
        {"roles": "admin"},
        {"sub": None},
    ],
)
def test_forged_claims_are_refused(changes: dict[str, object]) -> None:
    watch = Watch()
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "t_a",
        "login": "l_1",
        "roles": ["trader"],
        "scope": "read",
        "iat": watch.now_s,
        "exp": watch.now_s + 60,
        "jti": "1",
    }
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    text = jwt.encode(claims, _key(NEW), algorithm="HS256", headers={"kid": _kid(NEW)})
    refused(AccessTokens([NEW], watch), text)


@pytest.mark.parametrize("algorithm", ["none", "HS384"])
def test_the_algorithm_is_pinned(algorithm: str) -> None:
    watch = Watch()
    whole = AccessTokens([NEW], watch).issue(ALICE).text
    claims = jwt.decode(whole, options={"verify_signature": False})
    key = None if algorithm == "none" else _key(NEW) * 2
    text = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": _kid(NEW)})  # type: ignore[arg-type]
    refused(AccessTokens([NEW], watch), text)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "x" * 5_000, "é.é.é"])
def test_garbage_is_refused(text: str) -> None:
    refused(AccessTokens([NEW], Watch()), text)


def test_a_secret_is_required() -> None:
    with pytest.raises(ValueError, match="at least one"):
        AccessTokens([], Watch())


def test_a_key_carries_its_checksum() -> None:
    made = make_key("production")
    assert environment_of(made.text) == "production"
    assert made.text.startswith(made.prefix)
    assert len(made.digest) == 32
    assert make_key("production").text != made.text
    for index in range(len("optix_production_"), len(made.text)):
        other = "A" if made.text[index] != "A" else "B"
        assert environment_of(made.text[:index] + other + made.text[index + 1 :]) is None
    assert environment_of("optix_production_") is None


def test_base62() -> None:
    assert [base62(number, 2) for number in (0, 61, 62, 3843)] == ["00", "0z", "10", "zz"]


async def test_passwords() -> None:
    passwords = Passwords(memory_kib=19 * 1024, time_cost=2)
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "wrong horse")
    assert not await passwords.verify(None, "correct horse")
    assert not await passwords.verify("no hash", "correct horse")
    assert not passwords.outdated(stored)
    stronger = Passwords()
    assert stronger.outdated(stored)
    passwords._waiting = 32
    with pytest.raises(CommandError, match="at once"):
        await passwords.hash("one more")
    passwords.close()
    stronger.close()


def test_revocations_are_forgotten_when_their_tokens_are_dead() -> None:
    watch = Watch()
    revocations = Revocations(watch.monotonic)
    revocations.revoke("l_1")
    assert revocations.revoked("l_1")
    assert not revocations.revoked("l_2")
    watch.now_s += LIFETIME_S + LEEWAY_S + 1
    assert not revocations.revoked("l_1")
    revocations.revoke("l_2")
    assert list(revocations._until) == ["l_2"]
    assert REVOCATIONS_MAX >= 1_000


def test_secrets_of_the_state_directory_are_made_once(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    (secret,) = signing_secrets(settings)
    assert signing_secrets(settings) == (secret,)
    key = service_key(settings)
    assert service_key(settings) == key
    assert environment_of(key) == "service"
    for name in ("secret.key", "service.key"):
        assert (settings.state_dir / name).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in settings.state_dir.iterdir()) == [
        "secret.key",
        "service.key",
    ]
    (settings.state_dir / "service.key").write_text("x" * 40)
    with pytest.raises(StateFileInvalid):
        service_key(settings)
    (settings.state_dir / "secret.key").write_text("")
    with pytest.raises(StateFileInvalid):
        signing_secrets(settings)


def test_secrets_of_the_environment_come_first(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, secret_keys=(NEW, OLD))
    assert signing_secrets(settings) == (NEW, OLD)
    assert list(tmp_path.iterdir()) == []
