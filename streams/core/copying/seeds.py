"""Daily seeds: who is served first is settled before anybody knows it, and checked afterwards.

    day before   a service commits to a seed: `blake2b-256(seed)` is published, the seed is nowhere
                 in the log
    day          at the close of the day before, the commitment becomes the day's, and the chain
                 digest then becomes its salt, which nobody could know at the commitment; the seed
                 is opened into the log, where the nodes need it, and shown to nobody
    day after    the seed is revealed

Followers of a signal are served in ascending order of their dispatch keys, see `dispatch_key`.
These are made from aliases, not from names: an alias is the hash of a relationship keyed by the
*veil* of the day, a second secret that was committed to with the seed and is never revealed. So the
order can be checked by everybody who has the aliases, and nobody can find out by trying all traders
whose they are.

While no seed is open (before the first one, or for the moments until a day's seed arrives) they
are served in the order in which their copies began, and the day's report counts such signals.

Source: domain.md, section 4.7; ADR 0015.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

from streams.core.commands import CommitSeed, OpenSeed
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.events import SeedCommitted, SeedOpened, SeedRevealed
from streams.core.limits import FAIRNESS_DAYS_MAX
from streams.core.reasons import Reason
from streams.core.state import Copy, FairnessDay, Seed, State


SEED_BYTES = 32
KEY_BYTES = 8
ALIAS_BYTES = 16

ALIASES_KEPT_MAX = 1 << 16
"""Aliases that are not hashed again; a leader's followers have the same all day."""


def commitment_of(seed: bytes) -> bytes:
    """Return what is published before a day: the blake2b hash of the seed, 32 bytes."""
    return blake2b(seed, digest_size=SEED_BYTES).digest()


def day_key(seed: bytes, salt: bytes) -> bytes:
    """Return the key of a day: the hash of the chain digest at its opening, keyed by the seed."""
    return blake2b(salt, key=seed, digest_size=SEED_BYTES).digest()


@lru_cache(maxsize=ALIASES_KEPT_MAX)
def alias_of(veil: bytes, leader: str, follower: str) -> str:
    """Return what stands for a follower of a leader on one day, hexadecimal.

    Args:
        veil: of the day; without one (records of earlier versions) the follower's own id stands.
        leader: who is copied.
        follower: who copies.
    """
    if not veil:
        return follower
    text = f"{leader}\n{follower}"
    return blake2b(text.encode(), key=veil, digest_size=ALIAS_BYTES).hexdigest()


def dispatch_key(key: bytes, leader: str, signal_seq: int, alias: str) -> bytes:
    """Return the place of a follower in a signal: the hash of both, keyed by the day.

    Args:
        key: see `day_key`.
        leader: whose signal it is.
        signal_seq: its number.
        alias: of who copies it, see `alias_of`.
    """
    text = f"{leader}\n{signal_seq}\n{alias}"
    return blake2b(text.encode(), key=key, digest_size=KEY_BYTES).digest()


def in_order(state: State, leader: str, signal_seq: int, copies: Iterable[Copy]) -> list[Copy]:
    """Return the copies in the order in which they are served."""
    served = list(copies)
    seed = state.seed_now
    if len(served) < 2 or seed is None or not seed.key:
        return served
    # `dispatch_key` with what all followers share hashed once
    shared = blake2b(f"{leader}\n{signal_seq}\n".encode(), key=seed.key, digest_size=KEY_BYTES)
    veil, keyed = seed.veil, []
    for copy in served:
        own = shared.copy()
        own.update(alias_of(veil, leader, copy.follower).encode())
        keyed.append((own.digest(), copy.follower, copy))
    keyed.sort()
    return [copy for _, _, copy in keyed]


def decide_commit_seed(ctx: Context, command: CommitSeed) -> Decision:
    """Take the commitment for the next day, unless there is one.

    Checks in order: NOT_ALLOWED, SEED_KNOWN, INVALID_SEED.
    """
    state = ctx.state
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "expected a service to commit to seeds")
    if state.seed_next is not None or command.number != state.seeds + 1:
        return Refusal(Reason.SEED_KNOWN, f"expected seed {state.seeds + 1}, was {command.number}")
    if len(command.commitment) != SEED_BYTES:
        return Refusal(
            Reason.INVALID_SEED,
            f"expected {SEED_BYTES} bytes, was {len(command.commitment)}",
            "commitment",
        )
    if len(command.veil_commitment) not in (0, SEED_BYTES):
        return Refusal(
            Reason.INVALID_SEED,
            f"expected none or {SEED_BYTES} bytes, was {len(command.veil_commitment)}",
            "veil_commitment",
        )
    ctx.emit(
        SeedCommitted(
            command.number,
            command.nonce,
            command.commitment,
            ctx.time(0),
            command.veil_commitment,
        )
    )
    return ""


def evolve_seed_committed(state: State, event: SeedCommitted) -> None:
    """Keep the commitment for the next day."""
    state.seeds = event.number
    state.seed_next = Seed(
        event.number, event.nonce, event.commitment, veil_commitment=event.veil_commitment
    )


def decide_open_seed(ctx: Context, command: OpenSeed) -> Decision:
    """Take the seed of the present day, if it is what was committed to.

    Checks in order: NOT_ALLOWED, SEED_KNOWN, INVALID_SEED.
    """
    seed = ctx.state.seed_now
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "expected a service to open seeds")
    if seed is None or seed.key or seed.number != command.number:
        wanted = "none" if seed is None or seed.key else str(seed.number)
        return Refusal(Reason.SEED_KNOWN, f"expected seed {wanted}, was {command.number}")
    if len(command.seed) != SEED_BYTES or commitment_of(command.seed) != seed.commitment:
        return Refusal(Reason.INVALID_SEED, "expected the seed that was committed to", "seed")
    if not _fits(command.veil, seed.veil_commitment):
        return Refusal(Reason.INVALID_SEED, "expected the veil that was committed to", "veil")
    ctx.emit(SeedOpened(command.number, command.seed, ctx.time(0), command.veil))
    return ""


def _fits(veil: bytes, commitment: bytes) -> bool:
    return commitment_of(veil) == commitment if commitment else not veil


def evolve_seed_opened(state: State, event: SeedOpened) -> None:
    """Serve by it from now on."""
    seed = state.seed_now
    if seed is not None:
        seed.seed, seed.veil = event.seed, event.veil
        seed.key = day_key(event.seed, seed.salt)


def turn_seeds(state: State, day: int) -> None:
    """End a day's seed and report, and begin the next; called by `evolve_day_closed`."""
    report = state.fairness
    report.day, report.seed = day, state.seed_now
    state.fairness_days[day] = report
    if len(state.fairness_days) > FAIRNESS_DAYS_MAX:
        del state.fairness_days[next(iter(state.fairness_days))]
    state.fairness = FairnessDay()
    if state.seed_now is not None and state.seed_now.key:
        state.reveal_day = day
    state.seed_now, state.seed_next = state.seed_next, None
    if state.seed_now is not None:
        state.seed_now.salt = state.chain


def reveal_seed(ctx: Context) -> None:
    """Publish the seed of the day that was closed last."""
    state = ctx.state
    report = state.fairness_days.get(state.reveal_day)
    if report is not None and report.seed is not None:
        seed = report.seed
        ctx.emit(
            SeedRevealed(
                state.reveal_day,
                seed.number,
                seed.commitment,
                seed.seed,
                seed.salt,
                ctx.time(0),
                seed.veil_commitment,
            )
        )


def evolve_seed_revealed(state: State, event: SeedRevealed) -> None:
    """Nothing is left to reveal."""
    del event
    state.reveal_day = 0


DECIDERS: Deciders = {CommitSeed: decide_commit_seed, OpenSeed: decide_open_seed}
EVOLVERS: Evolvers = {
    SeedCommitted: evolve_seed_committed,
    SeedOpened: evolve_seed_opened,
    SeedRevealed: evolve_seed_revealed,
}
