"""Profiles: what a load test does, as a TOML file under `loadtests/profiles`.

Everything a run depends on stands in its file, so a result names its profile and nothing else.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from loadtests.swarm.settings import Codec
from streams.protocol.limits import StreamLimits


FOLDER: Final = Path(__file__).parent / "profiles"
USERS: Final = ("terminal", "signal_bot", "trader", "reader")

Share = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0)]


class ProfileInvalid(Exception):
    """A profile cannot be run; the text says which field, what was expected and what it was."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a profile."""


class NodePart(Part, frozen=True, kw_only=True):
    """The node that is started when no address is given.

    Attributes:
        pinned: whether it has one core for itself; its stores and the load share the others.
        settings: of the node, by field name.
    """

    pinned: bool = False
    settings: dict[str, str] = {}


class MarketPart(Part, frozen=True, kw_only=True):
    """The recorded market played into the node.

    Attributes:
        speed: recorded seconds a real second.
    """

    speed: Annotated[float, Meta(gt=0)] = 600.0


class PopulationPart(Part, frozen=True, kw_only=True):
    """What is there before the load begins.

    Attributes:
        accounts: whose sockets and users act.
        ideas: published ideas, spread over the accounts.
        copies: copy relations; every tenth account leads.
    """

    accounts: Annotated[int, Meta(ge=1)]
    ideas: Count = 0
    copies: Count = 0


class SwarmPart(Part, frozen=True, kw_only=True):
    """The sockets that only listen, all verified; see `SwarmSettings`.

    Attributes:
        sockets: how many are held.
        per_second: sockets begun each second at first.
        opening_max: sockets on their way at once.
        codec: of all sockets.
        subscriptions: lists of channels, dealt to the sockets in turn.
        storms: seconds into the measured time at which all sockets are cut.
    """

    sockets: Annotated[int, Meta(ge=1)]
    per_second: Annotated[float, Meta(gt=0)] = 500.0
    opening_max: Annotated[int, Meta(ge=1)] = 256
    codec: Codec = "msgpack"
    subscriptions: Annotated[list[Annotated[list[str], Meta(min_length=1)]], Meta(min_length=1)]
    storms: list[Seconds] = []


class Step(Part, frozen=True, kw_only=True):
    """A stretch of time in which the number of users changes evenly.

    Attributes:
        seconds: how long.
        users: how many there are at its end.
    """

    seconds: Annotated[float, Meta(gt=0)]
    users: Count


class UsersPart(Part, frozen=True, kw_only=True):
    """The users that act, driven by locust.

    Attributes:
        shares: weight of each kind of user.
        pause_seconds: shortest and longest pause of a user between two actions.
        steps: how their number changes over the measured time.
    """

    shares: dict[str, Share]
    pause_seconds: tuple[Seconds, Seconds] = (1.0, 3.0)
    steps: Annotated[list[Step], Meta(min_length=1)]


class LimitsPart(Part, frozen=True, kw_only=True):
    """What must hold; a limit that is absent is not judged.

    Attributes:
        error_percent: failed requests of users and failed upgrades, of all of them.
        cached_p95_ms: reads answered from memory.
        calculated_p95_ms: reads that are calculated or come from the archive.
        command_p99_ms: commands, REST and socket.
        frame_p99_ms: log time of a frame to its arrival.
        storm_seconds: from the cut until all sockets have resumed.
        memory_growth_percent: of the node over the second half of the measured time.
    """

    error_percent: float | None = None
    cached_p95_ms: float | None = None
    calculated_p95_ms: float | None = None
    command_p99_ms: float | None = None
    frame_p99_ms: float | None = None
    storm_seconds: float | None = None
    memory_growth_percent: float | None = None


class Profile(Part, frozen=True, kw_only=True):
    """One load test.

    Attributes:
        about: what it proves, in a sentence.
        seconds: measured time, after all sockets are open.
    """

    about: str
    seconds: Annotated[float, Meta(gt=0)]
    node: NodePart = NodePart()
    market: MarketPart = MarketPart()
    population: PopulationPart
    swarm: SwarmPart | None = None
    users: UsersPart | None = None
    limits: LimitsPart = LimitsPart()


def names() -> list[str]:
    """Return the profiles that ship."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_profile(name: str) -> Profile:
    """Read a profile by its name, or by the path of a file.

    Raises:
        ProfileInvalid: there is none, or it cannot be run.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        raise ProfileInvalid(f"expected a profile among {', '.join(names())}, was {name}")
    return parse_profile(path.read_text("utf-8"), path.name)


def parse_profile(text: str, place: str) -> Profile:
    """Parse the text of a profile.

    Args:
        text: TOML.
        place: named in errors.

    Raises:
        ProfileInvalid: not TOML, an unknown or missing field, or a contradiction.
    """
    try:
        profile = msgspec.convert(tomllib.loads(text), Profile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ProfileInvalid(f"{place}: {error}") from None
    problems = _contradictions(profile)
    if problems:
        raise ProfileInvalid("\n".join(f"{place}: {problem}" for problem in problems))
    return profile


def _contradictions(profile: Profile) -> list[str]:
    problems = []
    if profile.swarm is None and profile.users is None:
        problems.append("expected [swarm] or [users], were neither")
    if profile.swarm is not None:
        problems += _of_swarm(profile, profile.swarm)
    if profile.users is not None:
        problems += _of_users(profile, profile.users)
    leaders = (profile.population.accounts + 9) // 10
    if profile.population.copies > profile.population.accounts - leaders:
        problems.append(
            f"expected at most {profile.population.accounts - leaders} copies for "
            f"{profile.population.accounts} accounts, a leader in ten, was "
            f"{profile.population.copies}"
        )
    return problems


def _of_swarm(profile: Profile, swarm: SwarmPart) -> list[str]:
    problems = []
    limits = StreamLimits()
    room = profile.population.accounts * limits.sockets_per_account_max
    if swarm.sockets > room:
        problems.append(
            f"expected at most {room} sockets for {profile.population.accounts} accounts, "
            f"{limits.sockets_per_account_max} each, was {swarm.sockets}"
        )
    longest = max(map(len, swarm.subscriptions))
    if longest > limits.subscribe_batch_max:
        problems.append(
            f"expected at most {limits.subscribe_batch_max} channels in one of subscriptions, "
            f"were {longest}"
        )
    problems += [
        f"expected storms before second {profile.seconds:g}, was {at:g}"
        for at in swarm.storms
        if at >= profile.seconds
    ]
    return problems


def _of_users(profile: Profile, users: UsersPart) -> list[str]:
    problems = [
        f"expected shares of {', '.join(USERS)}, was {name}"
        for name in users.shares
        if name not in USERS
    ]
    if not sum(users.shares.values()):
        problems.append("expected a share above 0, were none")
    if users.pause_seconds[0] > users.pause_seconds[1]:
        problems.append(
            f"expected pause_seconds from short to long, was {list(users.pause_seconds)}"
        )
    ramp = sum(step.seconds for step in users.steps)
    if ramp > profile.seconds:
        problems.append(f"expected steps of {profile.seconds:g} s together at most, were {ramp:g}")
    return problems
