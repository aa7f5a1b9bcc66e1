"""One load test from a profile to a result: node, population, swarm, users, judgement.

The order: the node is ready and its market plays, the population is made, the swarm grows; when
all its sockets are up the measured time begins, and with it the users.

Invariant: whatever fails, no process that was started here is left.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from loadtests.page import page
from loadtests.place import place
from loadtests.population import credential_of, make_population
from loadtests.processes import Accounts
from loadtests.profile_file import Profile, SwarmPart
from loadtests.reporting_process import LoadProcessFailed
from loadtests.result import Result, judge
from loadtests.sampler import Row, Sampler
from loadtests.swarm.settings import SwarmSettings
from loadtests.swarm_process import SwarmProcess
from loadtests.target import Target, at_address, own_node
from loadtests.users_process import UsersProcess


GROWING_SECONDS_MAX: Final = 300.0
"""Time beyond the planned pace until all sockets must be up."""

ENDING_SECONDS_MAX: Final = 180.0
"""Time beyond the measured one that a storm under way may take."""


def run(
    name: str,
    profile: Profile,
    url: str | None,
    credentials: list[str],
    say: Callable[[str], None],
) -> Result:
    """Run a load test.

    Args:
        name: of the profile.
        profile: what to do.
        url: of a node to load; None starts one.
        credentials: values of `Authorization`, one an account; empty: `Dev` handles.
        say: takes lines about the progress.

    Raises:
        TargetFailed, LoadProcessFailed: it could not be carried out.
    """
    taken = place()
    with ExitStack() as stack:
        say("starting a node" if url is None else f"looking for the node at {url}")
        target = at_address(url) if url else stack.enter_context(own_node(profile))
        population = {"accounts": profile.population.accounts}
        if not credentials:
            say("making the population")
            population = make_population(target, profile.population)
        result = Result(
            profile=name,
            about=profile.about,
            machine=taken.machine,
            commit=taken.commit,
            date=taken.date,
            target=target.conditions,
            command=f"./optix load {name}" + (f" --url {url}" if url else ""),
            plan=msgspec.to_builtins(profile),
            population=population,
            swarm=None,
            users=None,
            rows=[],
        )
        _measure(result, profile, target, credentials, say)
    result.checks = judge(result, profile)
    return result


def _measure(
    result: Result,
    profile: Profile,
    target: Target,
    credentials: list[str],
    say: Callable[[str], None],
) -> None:
    accounts = Accounts(target.processes)
    with ExitStack() as stack:
        swarm = None
        if profile.swarm is not None:
            settings = _swarm_settings(profile, profile.swarm, target, credentials)
            swarm = stack.enter_context(SwarmProcess(settings))
            accounts.watch("swarm", swarm.pid)

        parts: dict[str, SwarmProcess | UsersProcess] = {}
        if swarm is not None:
            parts["swarm"] = swarm

        def look() -> Row:
            return {name: part.sample for name, part in parts.items()}

        sampler = Sampler(accounts, look, lambda row: _progress(row, say))
        sampler.start()
        stack.callback(sampler.stop)
        if swarm is not None and profile.swarm is not None:
            say(f"growing to {profile.swarm.sockets:,} sockets")
            growing = profile.swarm.sockets / profile.swarm.per_second
            if not swarm.whole.wait(growing + GROWING_SECONDS_MAX):
                raise LoadProcessFailed(
                    f"expected all sockets up, were {swarm.sample.get('sockets', 0)}"
                )
            say(f"all sockets are up, measuring for {profile.seconds:g} s")
        if profile.users is not None:
            users = UsersProcess(profile.users, target, profile.population.accounts, credentials)
            parts["users"] = stack.enter_context(users)
            accounts.watch("users", users.pid)
            result.users = _findings(users.wait(profile.seconds + ENDING_SECONDS_MAX))
        if swarm is not None:
            result.swarm = {
                **_findings(swarm.wait(profile.seconds + ENDING_SECONDS_MAX)),
                "whole_seconds": swarm.whole_seconds,
                "storms": swarm.storms,
            }
    result.rows = sampler.rows


def _findings(done: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in done.items() if name != "event"}


def _swarm_settings(
    profile: Profile, part: SwarmPart, target: Target, credentials: list[str]
) -> SwarmSettings:
    own = [credential_of(account) for account in range(profile.population.accounts)]
    return SwarmSettings(
        host=target.host,
        port=target.port,
        sockets=part.sockets,
        per_second=part.per_second,
        opening_max=part.opening_max,
        codec=part.codec,
        subscriptions=[tuple(names) for names in part.subscriptions],
        credentials=credentials or own,
        seconds=profile.seconds,
        storms=list(part.storms),
    )


def _progress(row: dict[str, Any], say: Callable[[str], None]) -> None:
    parts = []
    swarm = row.get("swarm")
    if swarm:
        parts.append(f"{swarm['sockets']:,} sockets, {swarm['frames']:,} frames")
        if swarm["p99_ms"] is not None:
            parts.append(f"p99 {swarm['p99_ms']:.1f} ms")
        if swarm["faults"]:
            parts.append(f"{swarm['faults']} FAULTS")
    users = row.get("users")
    if users:
        parts.append(f"{users['users']} users, {users['requests_per_second']:.0f} requests/s")
        if users["failures"]:
            parts.append(f"{users['failures']} failures")
    cpu = ", ".join(f"{kind} {share:.0%}" for kind, share in row["cpu"].items())
    say("; ".join([*parts, cpu]))


def write(result: Result, folder: Path) -> tuple[Path, Path]:
    """Write the result as JSON and as a page; return both paths.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{result.profile}-{result.date.translate({ord(':'): None, ord('-'): None})}"
    data, text = folder / f"{stem}.json", folder / f"{stem}.html"
    data.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1))
    text.write_text(page(result), "utf-8")
    return data, text
