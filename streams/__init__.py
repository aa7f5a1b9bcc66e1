"""The log, the deterministic core, the wire and the fan-out."""
