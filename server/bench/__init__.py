"""Benchmarks that ship: each measures against a floor in the same run."""
