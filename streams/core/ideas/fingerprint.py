"""The hash of an idea's terms: anybody can compute it again from what REST shows.

The text that is hashed has one `name=value` a line, in the order written here, with values as
REST shows them (empty for null); see docs/reference/rest.md, "Ideas". `author_record` is the
head of the author's chain of ended ideas, so that the terms also fix the record they came with.

Source: domain.md, section 7, "Immutable terms".
"""

from __future__ import annotations

from hashlib import sha256

from streams.core.idea_state import AuthorRecord, Idea, IdeaFrozen
from streams.core.ideas.terms import targets_of
from streams.core.money import Step, format_steps


FORMAT = "optix-idea-terms-1"
"""First line of the text; another format of it gets another number."""


def record_hash(record: AuthorRecord | None) -> str:
    """Return the head of an author's chain of ended ideas; empty before the first end."""
    return "" if record is None else record.chain


def terms_text(idea: Idea, frozen: IdeaFrozen, tick: Step, published_at_us: int) -> str:
    """Return the text whose SHA-256 is the hash of the terms.

    Args:
        idea: with its entry as stated, 0 = at the market.
        frozen: what publishing fixed; its `terms_hash` is not read.
        tick: price step of the instrument.
        published_at_us: market time.
    """

    def price(ticks: int) -> str:
        return format_steps(ticks, tick) if ticks else ""

    lines = [
        FORMAT,
        f"trader={idea.trader}",
        f"symbol={idea.symbol}",
        f"trade_type={idea.trade_type}",
        f"entry={price(idea.entry_ticks)}",
        f"stop={price(idea.stop_ticks)}",
        "targets=" + ",".join(f"{price(ticks)}*{weight}" for ticks, weight in targets_of(idea)),
        f"breakeven_after={idea.breakeven_after}",
        f"timeframe={idea.timeframe}",
        f"confidence_bps={idea.confidence_bps}",
        f"stance={idea.stance}",
        f"bid={price(frozen.bid_ticks)}",
        f"ask={price(frozen.ask_ticks)}",
        f"quoted_at_us={frozen.quoted_at_us}",
        f"published_at_us={published_at_us}",
        f"expires_at_us={frozen.expires_at_us}",
        f"author_record={frozen.record_hash}",
    ]
    return "\n".join(lines)


def terms_hash(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal."""
    return sha256(text.encode()).hexdigest()
