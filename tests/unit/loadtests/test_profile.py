"""Profiles say what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.profile_file import ProfileInvalid, load_profile, names, parse_profile


WHOLE = """
about = "x"
seconds = 10
[population]
accounts = 10
[swarm]
sockets = 100
subscriptions = [["marks"]]
"""
WITH_USERS = f"""{WHOLE}
[users]
shares = {{reader = 1}}
steps = [{{seconds = 5, users = 10}}]
"""


def test_every_profile_that_ships_can_be_read() -> None:
    assert {"10k", "business", "smoke", "soak", "storm", "stress"} <= set(names())
    for name in names():
        assert load_profile(name).about


def test_a_file_of_ones_own_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(WITH_USERS)
    profile = load_profile(str(path))
    assert profile.swarm is not None
    assert profile.swarm.sockets == 100


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(ProfileInvalid, match=r"expected a profile among .*smoke.*, was nothing"):
        load_profile("nothing")


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("seconds = 10", "seconds = ", "p.toml: Invalid value"),
        ("seconds = 10", "", "missing required field `seconds`"),
        ("seconds = 10", "seconds = -1", "expected `float` > 0"),
        ("seconds = 10", "seconds = 10\nsecond = 1", "unknown field `second`"),
        ("sockets = 100", "sockets = 0", r"Expected `int` >= 1 - at `\$.swarm.sockets`"),
        ("sockets = 100", 'sockets = 100\ncodec = "xml"', "Invalid enum value 'xml'"),
        ("sockets = 100", "sockets = 201", "at most 200 sockets for 10 accounts, 20 each, was 201"),
        ("sockets = 100", "sockets = 100\nstorms = [10]", "storms before second 10, was 10"),
        ('[["marks"]]', f"[{['marks'] * 101}]", "at most 100 channels .*, were 101"),
        ('[["marks"]]', "[]", "length >= 1"),
        ("accounts = 10", "accounts = 10\ncopies = 10", "at most 9 copies for 10 accounts"),
        ("reader = 1", "writer = 1", "shares of terminal, signal_bot, trader, reader, was writer"),
        ("reader = 1", "reader = 0", "a share above 0"),
        ("seconds = 5", "seconds = 11", "steps of 10 s together at most, were 11"),
        ("[users]", "[users]\npause_seconds = [3, 1]", "from short to long"),
    ],
)
def test_what_is_wrong_is_named(before: str, after: str, problem: str) -> None:
    assert before in WITH_USERS
    with pytest.raises(ProfileInvalid, match=f"(?i){problem}"):
        parse_profile(WITH_USERS.replace(before, after), "p.toml")


def test_a_profile_without_load_is_refused() -> None:
    with pytest.raises(ProfileInvalid, match=r"expected \[swarm\] or \[users\]"):
        parse_profile('about = "x"\nseconds = 1\n[population]\naccounts = 1', "p.toml")
