"""Options that choose seeds, and a journal that stays quiet about injected faults."""

from __future__ import annotations

import logging
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
