"""Scoring the text of a message with the lexicon that ships.

Floor: lower-casing the text and splitting it at spaces, the least that any word model does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from server.bench.figures import Figure, Report, at_most, percentile
from streams.replica.lexicon import trading_lexicon


ROUNDS = 200
SCORE_US_MAX = 100.0

MESSAGES = (
    "$ETH.X don't sell now, this is going to 1500 by Friday 🚀🚀",
    "$BTC.X $ETH.X $DOGE.X Folks traded real money for fake money and now they have way less.",
    "$TSLA what a day! Shorts are burning 🔥🔥🔥 up 5% and we are not done, target $420.69",
    "$SPY puts printing",
    "U.S. regulators seem to be leading from behind on this issue https://example.com/a/b?c=def",
    (
        "Range breaks upward, three closes above it, funding is flat. I add on the retest. "
        "Out when it closes below the low of the week, target twice the risk. $ETH.X"
    ),
    "LMAO bears 🐻🤡",
    "not selling, never selling",
)
"""Of the lengths that real messages have: 10 to 250 characters."""


def run(messages: Sequence[str] = MESSAGES, rounds: int = ROUNDS) -> Report:
    """Measure the mean of each round over all messages."""
    lexicon = trading_lexicon()
    scoring = _rounds(lexicon.score, messages, rounds)
    floor = _rounds(lambda text: text.lower().split(), messages, rounds)
    median = percentile(scoring, 0.5)
    characters = sum(map(len, messages)) / len(messages)
    return Report(
        "text of a message scored",
        [
            at_most("a message", median, "µs", SCORE_US_MAX),
            Figure("p99 of a round", percentile(scoring, 0.99), "µs"),
            Figure("lower-cased and split (floor)", percentile(floor, 0.5), "µs"),
            Figure("rows of the lexicon", len(lexicon), "rows"),
        ],
        f"{len(messages)} messages of {characters:.0f} characters on average, {rounds} rounds; "
        "process CPU time, median of the rounds",
    )


def _rounds(work: Callable[[str], object], messages: Sequence[str], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        started = time.process_time_ns()
        for message in messages:
            work(message)
        times.append((time.process_time_ns() - started) / len(messages) / 1000)
    return times
