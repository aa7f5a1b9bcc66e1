"""Who may see what of a trader, as the stream's channels decide it."""

from __future__ import annotations

from server.api.problems import ApiError
from server.api.request import ApiRequest
from streams.core.idea_state import Idea
from streams.core.state import Trader


def may_see_signals(request: ApiRequest, trader: Trader) -> bool:
    """Return whether the caller may see a trader's fills and orders."""
    info = request.services.source.resolve(f"signals:{trader.trader}", request.principal)
    return not isinstance(info, str)


def may_see_idea(request: ApiRequest, idea: Idea) -> bool:
    """Return whether the caller may see an idea: drafts, also discarded ones, are the author's."""
    if idea.published_at_us:
        return True
    principal = request.principal
    return principal is not None and principal.trader == idea.trader


def idea_of(request: ApiRequest, name: str) -> Idea:
    """Return an idea that the caller may see.

    Raises:
        ApiError: `UNKNOWN_IDEA`.
    """
    idea = request.core.ideas.get(name)
    if idea is None or not may_see_idea(request, idea):
        raise ApiError("UNKNOWN_IDEA", f"no idea {name}", field="idea")
    return idea
