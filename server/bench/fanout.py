"""What one delivered frame costs the server, against a bare send loop in C.

Two servers send the same number of bytes to the same number of sockets: the real gateway behind
uvicorn, and `fanout_floor.c` (or, without a C compiler, a bare Python loop). Rounds of the two
alternate within one run, each server alone on one core and its reader on another, and the CPU
time of the server process is what counts: it does not depend on how fast the reader is.

    python -m server.bench.fanout [--sockets N] [--rounds N] [--json]

The hello and snapshot frames of the set-up are read before a round begins, so a round is exactly
one frame a socket.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

from server.bench.figures import Figure, Report, at_most, percentile


SOCKETS: Final = 2_000
FRAME_BYTES: Final = 200
ROUNDS: Final = 60
BLOCKS: Final = 5
WARM_UP_ROUNDS: Final = 10
TARGET_RATIO: Final = 1.5

_FLOOR_SOURCE: Final = Path(__file__).parents[2] / "tests" / "benchmarks" / "fanout_floor.c"


class _Party:
    """A server with its readers, ready to run rounds."""

    def __init__(
        self, command: Sequence[str], kind: str, sockets: int, frame_bytes: int, cores: list[int]
    ) -> None:
        self._server = _start(command, cores[0])
        port = _line(self._server)
        reader = [sys.executable, "-m", "server.bench.fanout_reader"]
        self._reader = _start([*reader, port, str(sockets), str(frame_bytes), kind], cores[-1])
        for process in (self._server, self._reader):
            if _line(process) != "ready":
                raise RuntimeError("expected a benchmark process to become ready")

    def round_ns(self) -> int:
        """Send one frame to every socket; return the server's CPU nanoseconds."""
        _pipe(self._server.stdin).write("go\n")
        _pipe(self._server.stdin).flush()
        cost_ns = int(_line(self._server))
        if _line(self._reader) != "done":
            raise RuntimeError("expected every byte to arrive")
        return cost_ns

    def stop(self) -> None:
        """End both processes."""
        _pipe(self._server.stdin).close()
        for process in (self._server, self._reader):
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _pipe(process.stdout).close()
        _pipe(self._reader.stdin).close()


def run(sockets: int = SOCKETS, rounds: int = ROUNDS, blocks: int = BLOCKS) -> Report:
    """Measure both servers and report their ratio; see `measure`."""
    measured = measure(sockets=sockets, rounds=rounds, blocks=blocks)
    floor = {"c": "a C send loop", "python": "a Python send loop"}[measured["floor"]]
    return Report(
        f"CPU of a delivered frame against {floor}",
        [
            at_most("ratio to the bare send loop", measured["ratio"], "times", TARGET_RATIO),
            Figure("a frame of the gateway", measured["gateway_ns"] / 1e3, "µs"),
            Figure(f"a frame of {floor} (floor)", measured["floor_ns"] / 1e3, "µs"),
            Figure("p99 of a round, gateway", measured["gateway_p99_ns"] / 1e3, "µs/frame"),
            Figure("p99 of a round, floor", measured["floor_p99_ns"] / 1e3, "µs/frame"),
        ],
        f"{measured['frame_bytes']}-byte frames to {sockets:,} sockets over the loopback, "
        f"{measured['rounds']} rounds of each in {blocks} turns; process CPU time of the server, "
        "medians of the rounds; server and reader on one core each",
    )


def measure(
    *,
    sockets: int = SOCKETS,
    frame_bytes: int = FRAME_BYTES,
    rounds: int = ROUNDS,
    blocks: int = BLOCKS,
) -> dict[str, Any]:
    """Measure both servers and compare them.

    Args:
        sockets: subscribers, each on its own TCP connection over the loopback.
        frame_bytes: size of a frame on the wire, WebSocket header included; at least 120.
        rounds: frames to each socket in one block.
        blocks: how often the two servers take turns.

    Returns:
        `gateway_ns` and `floor_ns`: median CPU nanoseconds of the server for one delivered frame,
        with `_p99_ns` those of the costly rounds; `ratio` of the two medians, `target`, `floor`
        (`c` or `python`), and the parameters.

    Raises:
        RuntimeError: a process did not do its part.
    """
    _allow_files(2 * sockets + 100)
    cores = sorted(os.sched_getaffinity(0))
    numbers = [str(sockets), str(frame_bytes)]
    python = [sys.executable, "-m", "server.bench.fanout_server"]
    with tempfile.TemporaryDirectory() as folder:
        binary = _compile(Path(folder))
        floor = [str(binary), *numbers] if binary else [*python, "loop", *numbers]
        parties = [
            _Party([*python, "gateway", *numbers], "ws", sockets, frame_bytes, cores),
            _Party(floor, "raw", sockets, frame_bytes, cores),
        ]
        try:
            gateway, floor_costs = _alternate(parties, rounds, blocks)
        finally:
            for party in parties:
                party.stop()
    return {
        "sockets": sockets,
        "frame_bytes": frame_bytes,
        "rounds": rounds * blocks,
        "cores": len(cores),
        "floor": "c" if binary else "python",
        "gateway_ns": round(statistics.median(gateway) / sockets, 1),
        "floor_ns": round(statistics.median(floor_costs) / sockets, 1),
        "gateway_p99_ns": round(percentile(gateway, 0.99) / sockets, 1),
        "floor_p99_ns": round(percentile(floor_costs, 0.99) / sockets, 1),
        "ratio": round(statistics.median(gateway) / statistics.median(floor_costs), 3),
        "target": TARGET_RATIO,
    }


def _alternate(parties: list[_Party], rounds: int, blocks: int) -> list[list[int]]:
    """Return what the rounds of each party cost in nanoseconds, their blocks taking turns."""
    costs: list[list[int]] = [[] for _ in parties]
    for party in parties:
        for _ in range(WARM_UP_ROUNDS):
            party.round_ns()
    for _ in range(blocks):
        for party, cost in zip(parties, costs, strict=True):
            cost.extend(party.round_ns() for _ in range(rounds))
    return costs


def _compile(folder: Path) -> Path | None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not _FLOOR_SOURCE.exists():
        return None
    binary = folder / "fanout_floor"
    subprocess.run([compiler, "-O2", "-o", str(binary), str(_FLOOR_SOURCE)], check=True)  # noqa: S603  # our own source
    return binary


def _start(command: Sequence[str], core: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(  # noqa: S603  # our own programs
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    os.sched_setaffinity(process.pid, {core})
    return process


def _line(process: subprocess.Popen[str]) -> str:
    line = _pipe(process.stdout).readline()
    if not line:
        raise RuntimeError(f"expected a line, was the end of {process.args!r}")
    return line.strip()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("expected a pipe")
    return pipe


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def main() -> None:
    """Run from the command line and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=SOCKETS)
    parser.add_argument("--frame-bytes", type=int, default=FRAME_BYTES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(
        sockets=options.sockets,
        frame_bytes=options.frame_bytes,
        rounds=options.rounds,
        blocks=options.blocks,
    )
    text = json.dumps(result) if options.json else _table(result)
    sys.stdout.write(f"{text}\n")


def _table(result: dict[str, Any]) -> str:
    return "\n".join(f"{name:<12} {value}" for name, value in result.items())


if __name__ == "__main__":
    main()
