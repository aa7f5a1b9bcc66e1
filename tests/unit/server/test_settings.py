from __future__ import annotations

from pathlib import Path

import pytest

from server.settings import ROLES, Settings, SettingsInvalid, load_settings


SECRET = "q8Zr2LxT0uVn5bYc7WmKd1Pf9HsJg4Ae"

PRODUCTION = {
    "OPTIX_ENV": "production",
    "OPTIX_SECRET_KEY": SECRET,
    "OPTIX_DATABASE_URL": "postgresql://db/optix",
    "OPTIX_REDIS_URL": "redis://log",
}


def problems(**changes: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings({**PRODUCTION, **changes})
    return [problem.partition(":")[0] for problem in caught.value.problems]


def test_nothing_has_to_be_set_in_development() -> None:
    settings = load_settings({"PATH": "/bin"})
    assert settings == Settings()
    assert settings.admits_development_auth
    assert (settings.host, settings.port, settings.roles) == ("127.0.0.1", 8000, ROLES)
    assert settings.node_name


def test_values_are_converted() -> None:
    settings = load_settings(
        {
            "OPTIX_PORT": " 9000 ",
            "OPTIX_STATE_DIR": "~/optix",
            "OPTIX_CORS_ORIGINS": "https://a.example, https://b.example",
            "OPTIX_DEVELOPMENT_AUTH": "false",
            "OPTIX_RATE_PER_SECOND": "2.5",
            "OPTIX_SECRET_KEYS": f"{SECRET},{SECRET}2",
            "OPTIX_NODE": "n7",
            "OPTIX_HOST": "",
        }
    )
    assert settings.port == 9000
    assert settings.state_dir == Path.home() / "optix"
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert not settings.admits_development_auth
    assert settings.rate_per_second == 2.5
    assert settings.secrets == (SECRET, f"{SECRET}2")
    assert settings.node_name == "n7"
    assert settings.host == "127.0.0.1"


def test_production_starts_with_what_it_needs() -> None:
    settings = load_settings(PRODUCTION)
    assert not settings.admits_development_auth
    assert settings.replica_url == "postgresql://db/optix"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"OPTIX_SECRET_KEY": ""}, ["OPTIX_SECRET_KEY"]),
        ({"OPTIX_SECRET_KEY": "short"}, ["OPTIX_SECRET_KEY"]),
        ({"OPTIX_SECRET_KEY": "a" * 40}, ["OPTIX_SECRET_KEY"]),
        ({"OPTIX_SECRET_KEY": "change-me-before-you-start-the-node"}, ["OPTIX_SECRET_KEY"]),
        ({"OPTIX_DATABASE_URL": ""}, ["OPTIX_DATABASE_URL"]),
        ({"OPTIX_REDIS_URL": ""}, ["OPTIX_REDIS_URL"]),
        ({"OPTIX_DEVELOPMENT_AUTH": "true"}, ["OPTIX_DEVELOPMENT_AUTH"]),
        ({"OPTIX_ENV": "staging", "OPTIX_REDIS_URL": ""}, ["OPTIX_REDIS_URL"]),
        ({"OPTIX_SECRET_KEYS": SECRET}, ["OPTIX_SECRET_KEYS"]),
        ({"OPTIX_CORS_ORIGINS": "*"}, ["OPTIX_CORS_ORIGINS"]),
        ({"OPTIX_DATABASE_URL": "postgresql://pooler/optix?pgbouncer=true"},
         ["OPTIX_DATABASE_DIRECT_URL"]),
        ({"OPTIX_ROLES": "api,cook"}, ["OPTIX_ROLES"]),
        ({"OPTIX_PORT": "http"}, ["OPTIX_PORT"]),
        ({"OPTIX_PORT": "70000"}, ["OPTIX_PORT"]),
        ({"OPTIX_DURABILITY": "none"}, ["OPTIX_DURABILITY"]),
        ({"OPTIX_PORT": "x", "OPTIX_RATE_BURST": "0", "OPTIX_REDIS_URL": ""},
         ["OPTIX_PORT", "OPTIX_RATE_BURST", "OPTIX_REDIS_URL"]),
    ],
)  # fmt: skip
def test_all_problems_are_named(changes: dict[str, str], names: list[str]) -> None:
    assert problems(**changes) == names


def test_a_value_is_never_repeated() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings({"OPTIX_SECRET_KEY": "hunter2", "OPTIX_ENV": "production"})
    assert "hunter2" not in str(caught.value)
