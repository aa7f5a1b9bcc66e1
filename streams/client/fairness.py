"""Checks the fairness report of a day from what is public: its openings and the revealed seed.

Nothing here trusts the node that answered: from the seed follow the order of each signal and who
gets a lot that is left over, from prices and quantities follow the sums and ratios of the report.
What an outsider cannot see (that an alias stands for one relationship, that no signal was left out
of both openings and report) `./optix verify` checks from the archive.

Source: domain.md, section 4.7; ADR 0015.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

import msgspec

from streams.core.copying.allocation import largest_remainder
from streams.core.copying.fairness import add_signal, correlation, jain_index, sums_of
from streams.core.copying.seeds import commitment_of, day_key, dispatch_key
from streams.core.money import BPS
from streams.core.state import FairnessDay


PROBLEMS_MAX = 20
"""Sentences kept; more would say the same."""


class PublicSeed(msgspec.Struct, frozen=True):
    """The seed as a report shows it, hexadecimal."""

    number: int
    commitment: str
    salt: str
    opened: bool
    seed: str | None = None


class PublicSums(msgspec.Struct, frozen=True):
    """The sums that a report's ratios are made of."""

    leader_better: int
    place: int
    place_squares: int
    slippage: int
    slippage_squares: int
    products: int


class Report(msgspec.Struct, frozen=True):
    """`GET /v1/fairness/{day}`, as far as it is checked."""

    day: str
    closed: bool
    signals: int
    signals_executed: int
    signals_unsealed: int
    followers_asked: int
    executions: int
    rank_slippage_correlation: float | None
    jain_index: float | None
    leader_better_share: float | None
    sums: PublicSums
    seed: PublicSeed | None


class Opening(msgspec.Struct, frozen=True, tag="opening"):
    """One follower's opening: an item of `GET /v1/fairness/{day}/openings`."""

    leader: str
    signal_seq: int
    rank: int
    alias: str | None
    symbol: str
    leader_symbol: str
    side: str | None
    asked: str
    quantity: str
    lot: str
    price: str | None = None
    reference_price: str | None = None
    slippage_bps: int | None = None

    @property
    def sign(self) -> int:
        """+1 to buy, -1 to sell."""
        return -1 if self.side == "sell" else 1

    def lots(self, quantity: str) -> int:
        """Return a quantity in whole lots.

        Raises:
            ValueError: it is no number, or no whole number of lots.
        """
        count = Fraction(quantity) / Fraction(self.lot)
        if count.denominator != 1 or count < 0:
            raise ValueError(f"expected whole lots of {self.lot}, was {quantity}")
        return int(count)

    def slippage(self) -> int:
        """Return how much worse the price is than the reference, basis points away from 0.

        Raises:
            ValueError: a price is missing, or no number above 0.
        """
        price, reference = Fraction(self.price or 0), Fraction(self.reference_price or 0)
        if price <= 0 or reference <= 0:
            raise ValueError(f"expected prices above 0, was {self.price}, {self.reference_price}")
        worse = (price - reference) * self.sign * BPS / reference
        return ceil(worse) if worse >= 0 else floor(worse)


class Signal(msgspec.Struct, frozen=True, tag="signal"):
    """What ends the openings of one signal."""

    leader: str
    signal_seq: int
    sealed: bool
    followers_asked: int
    executions: int
    depth: str | None = None


class Recheck:
    """One day, checked as its openings arrive.

    Attributes:
        openings: checked so far.
        signals: checked so far.
        problems: what does not hold, a sentence each.
    """

    def __init__(self, report: Report, commitment: str | None = None) -> None:
        """Begin.

        Args:
            report: of the day.
            commitment: the one that was published before the day, hexadecimal, if it was kept;
                without it only the report says what was committed to.
        """
        self.openings = 0
        self.signals = 0
        self.problems: list[str] = []
        self._report = report
        self._day = FairnessDay()
        self._key = b""
        self._served: list[Opening] = []
        self._check_seed(report.seed, commitment)

    def take(self, items: Sequence[Opening | Signal]) -> None:
        """Check the next items of the day, in order."""
        for item in items:
            if isinstance(item, Opening):
                self.openings += 1
                self._served.append(item)
            else:
                self.signals += 1
                served, self._served = self._served, []
                try:
                    self._check_signal(item, served)
                except (ValueError, ZeroDivisionError) as error:
                    self._problem(f"signal {item.signal_seq} of {item.leader}: {error}")

    def finish(self) -> None:
        """Compare the report with the sum of what was taken."""
        if self._served:
            self._problem(f"expected a signal to end the openings, was {len(self._served)} more")
        day, report = self._day, self._report
        signals = day.signals_executed
        self._same("signals", day.signals, report.signals)
        self._same("signals_executed", signals, report.signals_executed)
        self._same("signals_unsealed", day.unsealed, report.signals_unsealed)
        self._same("followers_asked", day.asked, report.followers_asked)
        self._same("executions", day.executed, report.executions)
        for name in PublicSums.__struct_fields__:
            self._same(f"sums.{name}", getattr(day, name), getattr(report.sums, name))
        self._same("jain_index", jain_index(day), report.jain_index)
        self._same("rank_slippage_correlation", correlation(day), report.rank_slippage_correlation)
        share = day.leader_better / signals if signals else None
        self._same("leader_better_share", share, report.leader_better_share)

    def _check_seed(self, seed: PublicSeed | None, commitment: str | None) -> None:
        if seed is None or not seed.opened:
            if commitment is not None:
                self._problem("the day had no open seed, though one was committed to")
            return
        if commitment is not None and seed.commitment != commitment.lower():
            self._problem(f"expected the commitment {commitment}, was {seed.commitment}")
        if seed.seed is None:
            self._problem("the seed of the day is not revealed")
            return
        try:
            secret, salt = bytes.fromhex(seed.seed), bytes.fromhex(seed.salt)
            self._key = day_key(secret, salt)
        except ValueError:
            self._problem("expected seed and salt as hexadecimal text")
            return
        if commitment_of(secret).hex() != seed.commitment:
            self._problem("the revealed seed is not what was committed to")

    def _check_signal(self, signal: Signal, served: list[Opening]) -> None:
        name = f"signal {signal.signal_seq} of {signal.leader}"
        places = [(each.leader, each.signal_seq, each.rank) for each in served]
        expected = [(signal.leader, signal.signal_seq, rank) for rank in range(len(served))]
        if places != expected or signal.followers_asked != len(served):
            self._problem(f"{name}: expected {signal.followers_asked} openings numbered from 0")
        if signal.sealed:
            self._check_order(name, signal, served)
        self._check_shares(name, signal, served)
        slippages = self._slippages(name, served)
        if signal.executions != len(slippages):
            self._problem(f"{name}: expected {signal.executions} executed, was {len(slippages)}")
        add_signal(self._day, len(served), sums_of(slippages), sealed=signal.sealed)

    def _check_order(self, name: str, signal: Signal, served: list[Opening]) -> None:
        aliases = [each.alias or "" for each in served]
        if len(set(aliases)) != len(aliases):
            self._problem(f"{name}: an alias stands twice")
        if not self._key:
            self._problem(f"{name}: sealed by a seed that is not shown")
            return
        keys = [
            dispatch_key(self._key, signal.leader, signal.signal_seq, alias) for alias in aliases
        ]
        if keys != sorted(keys):
            self._problem(f"{name}: followers were served in another order than the seed's")

    def _check_shares(self, name: str, signal: Signal, served: list[Opening]) -> None:
        """Check who got how much; what trades another instrument is in no block."""
        for sign in (1, -1):
            block = [
                each for each in served if each.sign == sign and each.symbol == each.leader_symbol
            ]
            if not block:
                continue
            asked = [each.lots(each.asked) for each in block]
            filled = sum(asked) if signal.depth is None else block[0].lots(signal.depth)
            if [each.lots(each.quantity) for each in block] != largest_remainder(filled, asked):
                self._problem(f"{name}: quantities are not the shares of what was asked")
        if any(each.asked != each.quantity for each in served if each.symbol != each.leader_symbol):
            self._problem(f"{name}: quantities are not what was asked")

    def _slippages(self, name: str, served: list[Opening]) -> list[int]:
        prices: dict[tuple[str, int], str | None] = {}
        found = []
        for each in served:
            if each.lots(each.quantity) == 0:
                continue
            if prices.setdefault((each.symbol, each.sign), each.price) != each.price:
                self._problem(f"{name}: followers paid different prices")
            slippage = each.slippage()
            if slippage != each.slippage_bps:
                self._problem(f"{name}: expected a slippage of {slippage}, was {each.slippage_bps}")
            found.append(slippage)
        return found

    def _same(self, name: str, expected: float | None, found: float | None) -> None:
        if expected != found:
            self._problem(f"{name}: expected {expected}, was {found}")

    def _problem(self, sentence: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(sentence)
