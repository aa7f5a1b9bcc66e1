"""Rules of this repository that a machine can check, as ordinary tests.

Each failure names the place and says what to do.
"""
