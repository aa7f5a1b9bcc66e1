"""The deterministic core: commands in, events out, no I/O, no clock, no randomness."""
