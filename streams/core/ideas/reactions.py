"""What others say to an idea: likes and comments, also after it was closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.commands import Command, CommentIdea, LikeIdea, UnlikeIdea
from streams.core.context import Context, Decision, Refusal
from streams.core.events import Event, IdeaCommented, IdeaLiked, IdeaUnliked
from streams.core.idea_state import Comment, Idea
from streams.core.ideas.terms import is_public
from streams.core.ideas.trending import engaged
from streams.core.limits import COMMENTS_PER_IDEA_MAX, LIKES_PER_IDEA_MAX
from streams.core.reasons import Reason
from streams.core.sentiment import record_reply
from streams.core.social import unknown_trader
from streams.core.state import State


def public_idea(ctx: Context, idea_id: str) -> Idea | Refusal:
    """Check UNKNOWN_TRADER (principal), UNKNOWN_IDEA, IDEA_NOT_PUBLISHED in this order."""
    if ctx.principal not in ctx.state.traders:
        return unknown_trader(ctx.principal)
    idea = ctx.state.ideas.get(idea_id)
    if idea is None:
        return Refusal(Reason.UNKNOWN_IDEA, f"expected an idea, was {idea_id!r}", "idea")
    if not is_public(idea):
        return Refusal(Reason.IDEA_NOT_PUBLISHED, "expected a published idea, was a draft", "idea")
    return idea


def decide_like_idea(ctx: Context, command: LikeIdea) -> Decision:
    """Like an idea.

    Checks in order: UNKNOWN_TRADER, UNKNOWN_IDEA, IDEA_NOT_PUBLISHED, ALREADY_LIKED,
    LIMIT_REACHED.
    """
    idea = public_idea(ctx, command.idea)
    if isinstance(idea, Refusal):
        return idea
    if ctx.principal in idea.likes:
        return Refusal(Reason.ALREADY_LIKED, "expected an idea that you do not like yet", "idea")
    count = len(idea.likes)
    if count >= LIKES_PER_IDEA_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"expected at most {LIKES_PER_IDEA_MAX} likes")
    ctx.emit(IdeaLiked(idea.idea, idea.symbol, ctx.principal, count + 1, ctx.time(0)))
    return idea.idea


def evolve_idea_liked(state: State, event: IdeaLiked) -> None:
    """Remember who likes the idea."""
    idea = state.ideas[event.idea]
    idea.likes[event.trader] = None
    engaged(state, idea)


def decide_unlike_idea(ctx: Context, command: UnlikeIdea) -> Decision:
    """Take a like back.

    Checks in order: UNKNOWN_TRADER, UNKNOWN_IDEA, IDEA_NOT_PUBLISHED, NOT_LIKED.
    """
    idea = public_idea(ctx, command.idea)
    if isinstance(idea, Refusal):
        return idea
    if ctx.principal not in idea.likes:
        return Refusal(Reason.NOT_LIKED, "expected an idea that you like", "idea")
    count = len(idea.likes) - 1
    ctx.emit(IdeaUnliked(idea.idea, idea.symbol, ctx.principal, count, ctx.time(0)))
    return idea.idea


def evolve_idea_unliked(state: State, event: IdeaUnliked) -> None:
    """Forget the like."""
    idea = state.ideas[event.idea]
    idea.likes.pop(event.trader, None)
    engaged(state, idea)


def decide_comment_idea(ctx: Context, command: CommentIdea) -> Decision:
    """Comment an idea, or answer one of its comments.

    Checks in order: UNKNOWN_TRADER, UNKNOWN_IDEA, IDEA_NOT_PUBLISHED, UNKNOWN_COMMENT,
    LIMIT_REACHED.

    Returns:
        The id of the comment.
    """
    idea = public_idea(ctx, command.idea)
    if isinstance(idea, Refusal):
        return idea
    parent, comments = command.parent, idea.comments
    if parent and all(comment.comment != parent for comment in comments):
        return Refusal(
            Reason.UNKNOWN_COMMENT, f"expected a comment of the idea, was {parent!r}", "parent_id"
        )
    count = len(comments)
    if count >= COMMENTS_PER_IDEA_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"expected at most {COMMENTS_PER_IDEA_MAX} comments")
    comment = ctx.new_id("c")
    ctx.emit(
        IdeaCommented(
            idea=idea.idea,
            symbol=idea.symbol,
            comment=comment,
            trader=ctx.principal,
            text=command.text,
            parent=parent,
            comments=count + 1,
            at_us=ctx.time(0),
        )
    )
    return comment


def evolve_idea_commented(state: State, event: IdeaCommented) -> None:
    """Add the comment; it answers the idea's author."""
    idea = state.ideas[event.idea]
    idea.comments.append(
        Comment(event.comment, event.trader, event.text, event.parent, event.at_us)
    )
    engaged(state, idea)
    record_reply(state, event.trader, idea.trader, event.at_us)


DECIDERS: dict[type[Command], Callable[..., Decision]] = {
    LikeIdea: decide_like_idea,
    UnlikeIdea: decide_unlike_idea,
    CommentIdea: decide_comment_idea,
}

EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {
    IdeaLiked: evolve_idea_liked,
    IdeaUnliked: evolve_idea_unliked,
    IdeaCommented: evolve_idea_commented,
}
