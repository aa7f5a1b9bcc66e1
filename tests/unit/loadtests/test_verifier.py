"""Each fault that a server could show is found, and counted in its own class."""

from __future__ import annotations

import pytest

from loadtests.swarm.counts import FAULTS
from loadtests.swarm.verifier import Verifier
from tests.unit.loadtests.conversation import (
    CHANNEL,
    BookServer,
    Message,
    Socket,
    new_verifier,
)


def faults(verifier: Verifier) -> dict[str, int]:
    """Return the kinds of faults that were found."""
    counts = verifier.counts
    return {name: getattr(counts, name) for name in FAULTS if getattr(counts, name)}


def opened(verifier: Verifier, server: BookServer, sockets: int = 1) -> list[Socket]:
    made = [Socket(verifier, account=f"Dev a{place}") for place in range(sockets)]
    for each in made:
        each.open(server)
    return made


def test_a_right_conversation_has_no_fault() -> None:
    verifier, server = new_verifier(), BookServer()
    sockets = opened(verifier, server, 3)
    for _ in range(40):
        frame = server.delta()
        for each in sockets:
            each.receive(frame, late_us=2_000)
    assert faults(verifier) == {}
    # Three snapshots and forty deltas each; four of the deltas and the snapshot had a checksum.
    assert (verifier.counts.frames, verifier.counts.originals) == (123, 41)
    assert verifier.counts.unverified == 0
    assert verifier.counts.checksums >= 4
    assert len(verifier.latency) == 120
    assert verifier.latency.longest_us == 2_000


def played(*mistakes: tuple[int, str]) -> Verifier:
    """Play thirty deltas to one socket, with a mistake at some of them."""
    verifier, server = new_verifier(), BookServer()
    (socket,) = opened(verifier, server)
    by_place = dict(mistakes)
    held: Message | None = None
    for place in range(30):
        frame = server.delta()
        match by_place.get(place):
            case "lose":
                continue
            case "hold":
                held = frame
                continue
            case "repeat":
                socket.receive(frame, frame)
            case "falsify":
                socket.receive({**frame, "crc": 1})
            case _:
                socket.receive(frame)
        if held is not None:
            socket.receive(held)
            held = None
    return verifier


@pytest.mark.parametrize(
    ("mistakes", "expected"),
    [
        pytest.param([], {}, id="none"),
        pytest.param([(4, "lose")], {"gaps": 1}, id="gap"),
        pytest.param([(4, "lose"), (5, "lose"), (9, "lose")], {"gaps": 3}, id="gaps"),
        pytest.param([(4, "repeat")], {"duplicates": 1}, id="duplicate"),
        pytest.param([(4, "hold")], {"order_errors": 1}, id="reorder"),
        pytest.param([(9, "falsify")], {"checksum_errors": 1}, id="wrong checksum"),
    ],
)
def test_a_mistake_is_counted_in_its_own_class(
    mistakes: list[tuple[int, str]], expected: dict[str, int]
) -> None:
    assert expected == faults(played(*mistakes))


def test_a_gap_of_one_socket_is_found_though_others_had_the_frame() -> None:
    verifier, server = new_verifier(), BookServer()
    first, second = opened(verifier, server, 2)
    frames = [server.delta() for _ in range(10)]
    first.receive(*frames)
    second.receive(*frames[:3], *frames[4:])
    assert faults(verifier) == {"gaps": 1}
    assert verifier.counts.unverified == 0


def test_a_frame_that_only_another_socket_had_fills_the_book() -> None:
    verifier, server = new_verifier(), BookServer()
    first, second = opened(verifier, server, 2)
    frames = [server.delta() for _ in range(20)]
    first.receive(*frames[:3], *frames[4:])
    second.receive(*frames)
    assert (faults(verifier), verifier.counts.unverified) == ({"gaps": 1}, 0)
    assert verifier.counts.checksums >= 2


def test_other_bytes_under_the_same_number_are_found() -> None:
    verifier, server = new_verifier(), BookServer()
    first, second = opened(verifier, server, 2)
    frame = server.delta()
    first.receive(frame)
    second.receive({**frame, "ts": frame["ts"] + 1})
    assert faults(verifier) == {"content_errors": 1}


def late_socket(verifier: Verifier, server: BookServer, snapshot: Message) -> Socket:
    late = Socket(verifier, account="Dev late")
    late.connect()
    late.join(seq=server.seq, mode="snapshot")
    late.receive(snapshot)
    return late


def wrong_snapshot(server: BookServer) -> Message:
    """Return a whole book that is right in itself, and not that of the server."""
    wrong = BookServer()
    for _ in range(3):
        wrong.delta()
    return {**wrong.snapshot(), "seq": server.seq}


def test_a_snapshot_that_does_not_lead_to_the_book_is_found() -> None:
    verifier, server = new_verifier(), BookServer()
    (first,) = opened(verifier, server)
    first.receive(*[server.delta() for _ in range(5)])
    late_socket(verifier, server, wrong_snapshot(server))
    assert faults(verifier) == {}
    first.receive(server.delta())
    assert faults(verifier) == {"checksum_errors": 1}


def test_a_wrong_snapshot_of_the_past_is_found_at_once() -> None:
    verifier, server = new_verifier(), BookServer()
    (first,) = opened(verifier, server)
    first.receive(*[server.delta() for _ in range(5)])
    wrong = wrong_snapshot(server)
    first.receive(server.delta())
    late_socket(verifier, server, wrong)
    assert faults(verifier) == {"checksum_errors": 1}


def test_a_snapshot_may_hold_what_the_next_delta_brings() -> None:
    verifier, server = new_verifier(), BookServer()
    (first,) = opened(verifier, server)
    first.receive(*[server.delta() for _ in range(5)])
    following = server.delta()
    late = late_socket(verifier, server, {**server.snapshot(), "seq": following["seq"] - 1})
    afterwards = server.delta()
    for each in (first, late):
        each.receive(following, afterwards)
    assert faults(verifier) == {}


def test_a_snapshot_ahead_of_the_book_is_compared_when_the_book_is_there() -> None:
    verifier, server = new_verifier(), BookServer()
    (first,) = opened(verifier, server)
    frames = [server.delta() for _ in range(5)]
    late_socket(verifier, server, wrong_snapshot(server))
    first.receive(*frames)
    assert faults(verifier) == {}
    first.receive(server.delta())
    assert faults(verifier) == {"checksum_errors": 1}


def test_a_book_that_no_socket_can_follow_is_taken_up_at_the_next_snapshot() -> None:
    verifier, server = new_verifier(), BookServer()
    (first,) = opened(verifier, server)
    server.delta()
    late_socket(verifier, server, server.snapshot())
    for _ in range(300):
        first.receive(server.delta())
    assert faults(verifier) == {"gaps": 1}
    assert (verifier.counts.unverified, verifier.counts.frames - 2) == (0, 300)
    assert verifier.counts.checksums >= 30


def test_a_slow_socket_may_be_sent_a_newer_snapshot() -> None:
    verifier, server = new_verifier(), BookServer()
    (socket,) = opened(verifier, server)
    socket.receive(server.delta())
    for _ in range(7):
        server.delta()
    socket.receive(server.snapshot())
    socket.receive(server.delta())
    assert (faults(verifier), verifier.counts.conflations) == ({}, 1)


def test_an_older_snapshot_is_an_order_error() -> None:
    verifier, server = new_verifier(), BookServer()
    (socket,) = opened(verifier, server)
    before = server.snapshot()
    socket.receive(server.delta(), before)
    assert faults(verifier) == {"order_errors": 1}


def test_a_channel_that_was_not_asked_for_is_malformed() -> None:
    verifier, server = new_verifier(), BookServer()
    (socket,) = opened(verifier, server)
    socket.receive({**server.delta(), "ch": "book:hl:SOL"})
    assert faults(verifier) == {"malformed": 1}


def test_own_channels_of_two_accounts_are_two_channels() -> None:
    verifier = new_verifier()
    for account in ("Dev ada", "Dev bob"):
        socket = Socket(verifier, "account", account=account)
        socket.connect()
        socket.join(ch="account", seq=7, mode="live")
        socket.receive({"t": "ev", "ch": "account", "seq": 8, "ts": 1, "data": {"of": account}})
    assert (faults(verifier), verifier.counts.originals) == ({}, 2)


def test_a_socket_that_resumes_gets_what_it_missed() -> None:
    verifier, server = new_verifier(), BookServer()
    first, second = opened(verifier, server, 2)
    frames = [server.delta() for _ in range(12)]
    first.receive(*frames)
    second.receive(*frames[:5])
    second.member.closed()
    second.connect()
    assert second.asked()["ch"][0]["from"] == {"epoch": "e1.5f0c", "seq": 5}
    second.join(seq=12, mode="resumed")
    timed = len(verifier.latency)
    second.receive(*frames[5:])
    assert ({}, timed) == (faults(verifier), len(verifier.latency))
    assert second.member.run.last == {CHANNEL: 12}


def test_a_resume_that_leaves_a_number_out_is_a_gap() -> None:
    verifier, server = new_verifier(), BookServer()
    first, second = opened(verifier, server, 2)
    frames = [server.delta() for _ in range(12)]
    first.receive(*frames)
    second.receive(*frames[:5])
    second.member.closed()
    second.connect()
    second.join(seq=12, mode="resumed")
    second.receive(*frames[6:])
    assert faults(verifier) == {"gaps": 1}


def test_events_lost_because_they_are_too_old_are_gaps() -> None:
    verifier = new_verifier()
    socket = Socket(verifier, "ideas")
    socket.connect()
    socket.join(ch="ideas", seq=4, mode="live")
    socket.receive({"t": "ev", "ch": "ideas", "seq": 5, "ts": 1, "data": {}})
    socket.member.closed()
    socket.connect()
    socket.join(ch="ideas", seq=900, mode="live", why="TOO_OLD")
    assert faults(verifier) == {"gaps": 895}
    assert verifier.counts.not_resumed == {"TOO_OLD": 1}


def test_a_new_epoch_begins_the_numbers_anew() -> None:
    verifier, server = new_verifier(), BookServer()
    (socket,) = opened(verifier, server)
    socket.receive(*[server.delta() for _ in range(5)])
    socket.member.closed()
    socket.connect()
    verifier.joined(socket.member.run, "e2.1111", [], {})
    assert (socket.member.run.last, verifier.counts.epochs) == ({}, 1)
