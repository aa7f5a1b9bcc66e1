"""Fan-out: one encoded frame, the same bytes to every subscriber, bounded memory for the slow."""
