"""The closed list of error codes of REST, with the status each is answered with.

Codes of the core (`streams.core.reasons`) and of the stream keep their name here; those that are
not in the table are refusals by a rule and answered 422. docs/reference/errors.md lists them all;
a test compares.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class ErrorKind(NamedTuple):
    """How a code is answered.

    Attributes:
        status: HTTP status.
        title: the same for every occurrence.
        remedy: what the caller should do.
    """

    status: int
    title: str
    remedy: str


RULE: Final = ErrorKind(422, "Refused by a rule", "Read `detail`; the request itself was sound.")

KINDS: Final[dict[str, ErrorKind]] = {
    # the request
    "MALFORMED": ErrorKind(400, "Malformed request", "Send valid JSON or msgpack."),
    "INVALID_ARGUMENT": ErrorKind(400, "Invalid argument", "Correct the fields in `errors`."),
    "UNKNOWN_PARAMETER": ErrorKind(400, "Unknown query parameter", "Leave it out."),
    "INVALID_CURSOR": ErrorKind(400, "Invalid cursor", "Start again without a cursor."),
    "UNKNOWN_COMMAND": ErrorKind(400, "Unknown command", "Use one of the documented commands."),
    "UNAUTHENTICATED": ErrorKind(401, "Authentication required", "Send a valid credential."),
    "FORBIDDEN": ErrorKind(403, "Forbidden", "Use a credential that may do this."),
    "NOT_FOUND": ErrorKind(404, "Not found", "Check the address."),
    "METHOD_NOT_ALLOWED": ErrorKind(405, "Method not allowed", "Use a method named in `Allow`."),
    "TOO_LARGE": ErrorKind(413, "Request too large", "Send less in one request."),
    "UNSUPPORTED_MEDIA_TYPE": ErrorKind(
        415, "Unsupported media type", "Send application/json or application/msgpack."
    ),
    "RATE_LIMITED": ErrorKind(429, "Too many requests", "Wait as long as `Retry-After` says."),
    # identity
    "EMAIL_TAKEN": ErrorKind(409, "E-mail address taken", "Log in, or use another address."),
    "WRONG_CREDENTIALS": ErrorKind(401, "Wrong e-mail address or password", "Correct them."),
    "REFRESH_UNKNOWN": ErrorKind(401, "Unknown refresh token", "Log in again."),
    "REFRESH_EXPIRED": ErrorKind(401, "Expired refresh token", "Log in again."),
    "REFRESH_REVOKED": ErrorKind(401, "Revoked refresh token", "Log in again."),
    "REFRESH_REUSED": ErrorKind(
        401, "Refresh token used twice", "Log in again; the login was revoked."
    ),
    "CONFLICT": ErrorKind(409, "Conflict", "Read the object and try again."),
    # things the core does not know
    "UNKNOWN_TRADER": ErrorKind(404, "Unknown trader", "Use an id or a handle that exists."),
    "UNKNOWN_INSTRUMENT": ErrorKind(404, "Unknown instrument", "See /v1/instruments."),
    "UNKNOWN_IDEA": ErrorKind(404, "Unknown idea", "See /v1/ideas."),
    "UNKNOWN_COMMENT": ErrorKind(404, "Unknown comment", "See the idea's comments."),
    "UNKNOWN_ORDER": ErrorKind(404, "Unknown order", "See /v1/orders."),
    "UNKNOWN_POSITION": ErrorKind(404, "No open position", "See /v1/positions."),
    "UNKNOWN_COPY": ErrorKind(404, "Unknown copy", "See /v1/copies."),
    "UNKNOWN_CHANNEL": ErrorKind(404, "Unknown channel", "See the channels of the stream."),
    "UNKNOWN_SEASON": ErrorKind(404, "Unknown season", "See /v1/seasons."),
    "UNKNOWN_BOARD": ErrorKind(404, "Unknown leaderboard", "See /v1/leaderboards."),
    # conflicts with what is
    "TRADER_EXISTS": ErrorKind(409, "Trader exists", "Log in."),
    "SEASON_EXISTS": ErrorKind(409, "Season exists", "Choose another name."),
    "SEASON_FROZEN": ErrorKind(409, "Entry list is frozen", "Enter the next season."),
    "HANDLE_TAKEN": ErrorKind(409, "Handle taken", "Choose another handle."),
    "HANDLE_TOO_SOON": ErrorKind(409, "Handle changed lately", "Wait as long as `detail` says."),
    "TRADER_CLOSED": ErrorKind(409, "Account closed", "Nothing: it is closed for good."),
    "INSTRUMENT_EXISTS": ErrorKind(409, "Instrument exists", "Nothing is left to do."),
    "ALREADY_FOLLOWING": ErrorKind(409, "Already following", "Nothing is left to do."),
    "NOT_FOLLOWING": ErrorKind(409, "Not following", "Nothing is left to do."),
    "ALREADY_LIKED": ErrorKind(409, "Already liked", "Nothing is left to do."),
    "NOT_LIKED": ErrorKind(409, "Not liked", "Nothing is left to do."),
    "CLIENT_ORDER_ID_TAKEN": ErrorKind(
        409, "Client order id taken", "Use another `client_order_id`."
    ),
    "ORDER_ENDED": ErrorKind(409, "Order has ended", "Read the order's status."),
    "IDEA_NOT_DRAFT": ErrorKind(409, "Idea is not a draft", "Read the idea's status."),
    "IDEA_NOT_PUBLISHED": ErrorKind(409, "Idea is not published", "Read the idea's status."),
    "IDEA_TERMS_IMMUTABLE": ErrorKind(
        409, "Terms of a published idea never change", "Close it and publish another."
    ),
    "IDEA_RESOLVING": ErrorKind(409, "Idea is being resolved", "Read it again in a second."),
    "IDEA_UNDO_LATE": ErrorKind(409, "Too late to undo", "Close the idea instead."),
    "IDEA_UNDO_MOVED": ErrorKind(409, "The market has moved", "Close the idea instead."),
    "IDEA_UNDO_REACTED": ErrorKind(409, "Somebody has reacted", "Close the idea instead."),
    "COPY_STOPPED": ErrorKind(409, "Copy is stopped", "Start it again with PUT."),
    "COPY_NOT_PAUSED": ErrorKind(409, "Copy is not paused", "Read the copy's status."),
    "NO_COPIED_POSITION": ErrorKind(404, "Nothing copied in it", "Read the copy's positions."),
    "ALREADY_SUSPENDED": ErrorKind(409, "Suspended already", "Nothing is left to do."),
    "NOT_SUSPENDED": ErrorKind(409, "Not suspended", "Nothing is left to do."),
    "DUPLICATE_TICK": ErrorKind(409, "Tick seen before", "Nothing is left to do."),
    # permission
    "NOT_OWNER": ErrorKind(403, "Not the owner", "Only the owner may do this."),
    "NOT_ALLOWED": ErrorKind(403, "Not allowed", "Only a service may do this."),
    # the node
    "INTERNAL": ErrorKind(500, "Internal error", "Report it with the `X-Request-Id`."),
    "NOT_READY": ErrorKind(503, "Node is catching up", "Try again after `Retry-After`."),
    "NOT_CAUGHT_UP": ErrorKind(
        503, "Offset not applied yet", "Try again, or ask without X-Min-Log-Offset."
    ),
    "LOG_FULL": ErrorKind(503, "Too much is waiting", "Try again after `Retry-After`."),
    "OUTCOME_UNKNOWN": ErrorKind(
        503, "Outcome unknown", "Repeat the request with the same Idempotency-Key."
    ),
    "STORE_UNAVAILABLE": ErrorKind(
        503, "PostgreSQL is away", "Live data is served; try again later for this."
    ),
}
"""Every code that is not a plain refusal by a rule."""


def kind_of(code: str) -> ErrorKind:
    """Return how a code is answered; a code of the core that is not listed is a rule's refusal."""
    return KINDS.get(code, RULE)
