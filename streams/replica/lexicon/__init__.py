"""What a trading message says, when its author declares no stance: a lexicon learned from messages.

Used at the edge only: a text is scored while its command is built, and the score travels in the
command, so the core stays a function of the log. How the lexicon was made, from what, and how
well it does stands in PROVENANCE.md beside it and in docs/benchmarks.md.
"""

from streams.replica.lexicon.scorer import (
    Lexicon,
    LexiconError,
    Opinion,
    text_score_milli,
    trading_lexicon,
)


__all__ = ["Lexicon", "LexiconError", "Opinion", "text_score_milli", "trading_lexicon"]
