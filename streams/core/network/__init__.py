"""Traders among each other: profiles, standing, links, feed and notifications."""

from __future__ import annotations

from streams.core.context import Deciders, Evolvers
from streams.core.network import links, notices, profiles, standing, winding


DECIDERS: Deciders = {
    **profiles.DECIDERS,
    **standing.DECIDERS,
    **links.DECIDERS,
    **notices.DECIDERS,
}
EVOLVERS: Evolvers = {
    **profiles.EVOLVERS,
    **standing.EVOLVERS,
    **links.EVOLVERS,
    **notices.EVOLVERS,
    **winding.EVOLVERS,
}
