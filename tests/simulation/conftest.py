"""Options that choose seeds, and a journal that stays quiet about injected faults."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest
import structlog


SEEDS_DEFAULT = 200


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("simulation")
    group.addoption("--seeds", type=int, default=SEEDS_DEFAULT, help="how many seeds to simulate")
    group.addoption("--seed", type=int, default=None, help="simulate this one seed only")


@pytest.fixture(autouse=True)
def silent_journal() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    """Measure no coverage here: the rules are covered by their own tests, and tracing costs most.

    A simulation runs the same lines millions of times, which takes twice as long when each is
    reported.
    """
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)
