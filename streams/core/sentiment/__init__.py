"""What the crowd declares to think of each symbol, weighted by how recent it is."""

from streams.core.sentiment.views import row, window_score
from streams.core.sentiment.voices import record_stance, refresh


__all__ = ["record_stance", "refresh", "row", "window_score"]
