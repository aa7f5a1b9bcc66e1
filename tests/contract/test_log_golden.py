"""Payloads stored by earlier versions stay readable: add files, never change one."""

from __future__ import annotations

from pathlib import Path

from streams.core.commands import AnyCommand, Tick
from streams.log.codec import Batch, BatchCodec, Envelope
from tests.unit.log.samples import Count, Say, sample_codec


GOLDEN = Path(__file__).parent / "golden"

SAMPLES = Batch(
    1,
    "n1",
    "n1.5f2a.42",
    [
        Envelope("n1.5f2a.1001", "order-7", "t_leader", 1, Say("grüezi", loud=True)),
        Envelope("n1.5f2a.1002", None, "scheduler", 6, Count(-(2**63))),
    ],
)
TICK = Batch(1, "n2", "n2.0001.1", [Envelope("n2.0001.9", None, "scheduler", 2, Tick(17672256000))])


def golden(name: str) -> bytes:
    return bytes.fromhex((GOLDEN / name).read_text())


def test_samples_of_schema_1() -> None:
    stored = golden("batch_schema_1.hex")

    assert sample_codec().decode(stored) == SAMPLES
    assert sample_codec().encode(SAMPLES) == stored


def test_tick_of_schema_1() -> None:
    stored = golden("batch_schema_1_tick.hex")
    codec: BatchCodec[AnyCommand] = BatchCodec(AnyCommand)

    assert codec.decode(stored) == TICK
    assert codec.encode(TICK) == stored
