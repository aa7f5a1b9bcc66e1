"""Detectors of gaming, and what follows from what they find."""
