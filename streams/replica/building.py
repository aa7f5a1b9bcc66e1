"""From a request to a command, by command name.

Decimals arrive as strings and leave as ticks, lots and micro-units; this is the only place where
they are parsed. A price off the tick, an unknown instrument or trader is refused here with the
field's name, before anything reaches the log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from streams.core import commands, limits
from streams.core.money import parse_money, parse_steps
from streams.core.state import Instrument, State
from streams.ports import CommandError
from streams.replica import idea_requests
from streams.replica.arguments import (
    instrument_argument,
    invalid,
    parsed_argument,
    price_argument,
)
from streams.replica.copy_settings import copy_patch
from streams.replica.message_building import build_message
from streams.replica.money_requests import amount_micros, expiry_us, fee_terms
from streams.replica.requests import (
    CancelAfter,
    CancelOrder,
    CashAmount,
    CloseAccount,
    CloseCopyPosition,
    CloseIdea,
    CommentIdea,
    CopySettingsPatch,
    CreateIdea,
    EditIdea,
    EditOrder,
    EnterSeason,
    IdeaOnly,
    LeaderOnly,
    OpenOrder,
    PostMessage,
    ReadNotifications,
    ReportTrade,
    Request,
    SetCopy,
    SetCopyScope,
    SetExitLevels,
    SetFees,
    SetNotificationLevels,
    StopCopy,
    TraderOnly,
    UpdateIdea,
    UpdateProfile,
)
from streams.replica.texts import (
    clean,
    clean_handle,
    clean_links,
    clean_or_none,
    clean_tags,
)


def find_trader(state: State, name: str, field: str = "trader") -> str:
    """Return the id for an id or `@handle`.

    Raises:
        CommandError: `UNKNOWN_TRADER`.
    """
    found = state.handles.get(name[1:].lower()) if name.startswith("@") else name
    if found is None or found not in state.traders:
        raise CommandError("UNKNOWN_TRADER", f"no trader {name}", field=field)
    return found


def _lots(instrument: Instrument, text: str) -> int:
    lots = parsed_argument("quantity", parse_steps, text, instrument.lot)
    if lots <= 0:
        raise invalid("quantity", f"expected a quantity above 0, was {text}")
    return lots


def _open_order(state: State, request: OpenOrder) -> commands.Command:
    instrument = instrument_argument(state, request.symbol)
    if (request.type == "limit") != (request.limit_price is not None):
        wanted = "a price" if request.type == "limit" else "none"
        raise invalid("limit_price", f"expected {wanted} for a {request.type} order")
    return commands.PlaceOrder(
        symbol=request.symbol,
        side=request.side,
        lots=_lots(instrument, request.quantity),
        limit_ticks=price_argument(instrument, "limit_price", request.limit_price),
        client_order_id=request.client_order_id or "",
        idea=request.idea_id or "",
        stop_ticks=price_argument(instrument, "stop_loss", request.stop_loss),
        take_ticks=price_argument(instrument, "take_profit", request.take_profit),
        expires_at_us=expiry_us(request),
    )


def _patched_price(
    instrument: Instrument, field: str, text: str | msgspec.UnsetType | None
) -> int | None:
    """Return None for an absent field, 0 for null, else the ticks."""
    return None if text is msgspec.UNSET else price_argument(instrument, field, text)


def _edit_order(state: State, request: EditOrder) -> commands.Command:
    order = state.orders.get(request.order) or state.ended_orders.get(request.order)
    if order is None:
        raise CommandError("UNKNOWN_ORDER", f"no order {request.order}", field="order")
    instrument = state.instruments[order.symbol]
    quantity = request.quantity
    return commands.EditOrder(
        order=request.order,
        lots=None if quantity is msgspec.UNSET else _lots(instrument, quantity),
        limit_ticks=_patched_price(instrument, "limit_price", request.limit_price),
        stop_ticks=_patched_price(instrument, "stop_loss", request.stop_loss),
        take_ticks=_patched_price(instrument, "take_profit", request.take_profit),
    )


def _set_exit_levels(state: State, request: SetExitLevels) -> commands.Command:
    instrument = instrument_argument(state, request.symbol)
    leader = request.leader
    return commands.SetExitLevels(
        symbol=request.symbol,
        stop_ticks=_patched_price(instrument, "stop_loss", request.stop_loss),
        take_ticks=_patched_price(instrument, "take_profit", request.take_profit),
        leader=find_trader(state, leader, "leader") if leader else "",
    )


def _report_trade(state: State, request: ReportTrade) -> commands.Command:
    instrument = instrument_argument(state, request.symbol)
    lots = _lots(instrument, request.quantity)
    return commands.ReportFill(
        symbol=request.symbol,
        lots=lots if request.side in ("buy", "cover") else -lots,
        price_ticks=price_argument(instrument, "price", request.price),
        fee_micros=parsed_argument("fee", parse_money, request.fee),
        source="self_reported",
        execution="",
    )


def _post_message(state: State, request: PostMessage) -> commands.Command:
    for symbol in request.symbols:
        instrument_argument(state, symbol)
    return build_message(request)


def _set_copy(state: State, request: SetCopy) -> commands.Command:
    patch: CopySettingsPatch = request.settings or request
    leader = find_trader(state, request.leader, "leader")
    return commands.SetCopy(leader=leader, **copy_patch(patch))


def _set_copy_scope(_: State, request: SetCopyScope) -> commands.Command:
    return commands.SetCopyScope(request.scope, commands.SetCopy("", **copy_patch(request)))


def _update_profile(_: State, request: UpdateProfile) -> commands.Command:
    handle, links, tags = request.handle, request.links, request.tags
    return commands.UpdateTrader(
        name=clean_or_none("display_name", request.display_name, (1, limits.NAME_LENGTH_MAX)),
        bio=clean_or_none("bio", request.bio, (0, limits.BIO_LENGTH_MAX), lines=True),
        signals_access=request.signals_access,
        links=None if links is None else clean_links("links", links),
        tags=None if tags is None else clean_tags("tags", tags),
        handle=None if handle is None else clean_handle(handle),
    )


def _close_account(_: State, request: CloseAccount) -> commands.Command:
    reason = clean("reason", request.reason, (0, limits.COMMENT_LENGTH_MAX))
    return commands.CloseTrader(reason)


class RequestKind(NamedTuple):
    """How a named request becomes a command.

    Attributes:
        form: the strict struct of its arguments.
        build: makes the command; raises `CommandError`.
        scope: what the credential must allow.
        keyed: whether an idempotency key is required on the socket (trading).
    """

    form: type[Request]
    build: Callable[[State, Any], commands.Command]
    scope: str
    keyed: bool = False


def _on_idea(make: Callable[[str], commands.Command]) -> Callable[[State, Any], commands.Command]:
    return lambda _, request: make(request.idea)


def _on_trader(make: Callable[[str], commands.Command]) -> Callable[[State, Any], commands.Command]:
    return lambda state, request: make(find_trader(state, request.trader))


def _on_leader(make: Callable[[str], commands.Command]) -> Callable[[State, Any], commands.Command]:
    return lambda state, request: make(find_trader(state, request.leader, "leader"))


REQUESTS: dict[str, RequestKind] = {
    "open_order": RequestKind(OpenOrder, _open_order, "trade", keyed=True),
    "cancel_order": RequestKind(
        CancelOrder, lambda _, r: commands.CancelOrder(r.order), "trade", keyed=True
    ),
    "edit_order": RequestKind(EditOrder, _edit_order, "trade", keyed=True),
    "set_exit_levels": RequestKind(SetExitLevels, _set_exit_levels, "trade"),
    "cancel_after": RequestKind(CancelAfter, lambda _, r: commands.CancelAfter(r.ms), "trade"),
    "deposit": RequestKind(
        CashAmount, lambda _, r: commands.MoveCash(amount_micros(r)), "trade", keyed=True
    ),
    "withdraw": RequestKind(
        CashAmount, lambda _, r: commands.MoveCash(-amount_micros(r)), "trade", keyed=True
    ),
    "report_trade": RequestKind(ReportTrade, _report_trade, "trade", keyed=True),
    "create_idea": RequestKind(CreateIdea, idea_requests.create_idea, "trade"),
    "edit_idea": RequestKind(EditIdea, idea_requests.edit_idea, "trade"),
    "publish_idea": RequestKind(IdeaOnly, _on_idea(commands.PublishDraft), "trade"),
    "close_idea": RequestKind(CloseIdea, idea_requests.close_idea, "trade"),
    "undo_idea": RequestKind(IdeaOnly, _on_idea(commands.UndoIdea), "trade"),
    "delete_idea": RequestKind(IdeaOnly, _on_idea(commands.HideIdea), "trade"),
    "update_idea": RequestKind(UpdateIdea, idea_requests.update_idea, "trade"),
    "like_idea": RequestKind(IdeaOnly, _on_idea(commands.LikeIdea), "trade"),
    "unlike_idea": RequestKind(IdeaOnly, _on_idea(commands.UnlikeIdea), "trade"),
    "comment_idea": RequestKind(CommentIdea, idea_requests.comment_idea, "trade"),
    "share_idea": RequestKind(IdeaOnly, _on_idea(commands.ShareIdea), "trade"),
    "view_idea": RequestKind(IdeaOnly, _on_idea(commands.ViewIdea), "trade"),
    "post_message": RequestKind(PostMessage, _post_message, "trade"),
    "follow_trader": RequestKind(TraderOnly, _on_trader(commands.FollowTrader), "trade"),
    "unfollow_trader": RequestKind(TraderOnly, _on_trader(commands.UnfollowTrader), "trade"),
    "enter_season": RequestKind(EnterSeason, lambda _, r: commands.EnterSeason(r.season), "trade"),
    "update_profile": RequestKind(UpdateProfile, _update_profile, "trade"),
    "close_account": RequestKind(CloseAccount, _close_account, "trade"),
    "read_notifications": RequestKind(
        ReadNotifications, lambda _, r: commands.ReadNotifications(r.through), "trade"
    ),
    "set_notification_levels": RequestKind(
        SetNotificationLevels,
        lambda _, r: commands.SetNotificationLevels(
            {name: level for name, level in msgspec.structs.asdict(r).items() if level is not None}
        ),
        "trade",
    ),
    "set_copy": RequestKind(SetCopy, _set_copy, "copy", keyed=True),
    "set_fees": RequestKind(SetFees, lambda _, r: fee_terms(r), "copy"),
    "pause_copy": RequestKind(LeaderOnly, _on_leader(commands.PauseCopy), "copy", keyed=True),
    "resume_copy": RequestKind(LeaderOnly, _on_leader(commands.ResumeCopy), "copy", keyed=True),
    "close_only_copy": RequestKind(
        LeaderOnly, _on_leader(commands.CloseOnlyCopy), "copy", keyed=True
    ),
    "stop_copy": RequestKind(
        StopCopy,
        lambda state, r: commands.StopCopy(find_trader(state, r.leader, "leader"), r.on_stop or ""),
        "copy",
        keyed=True,
    ),
    "resync_copy": RequestKind(LeaderOnly, _on_leader(commands.ResyncCopy), "copy", keyed=True),
    "close_copy_position": RequestKind(
        CloseCopyPosition,
        lambda state, r: commands.CloseCopyPosition(
            find_trader(state, r.leader, "leader"), r.symbol
        ),
        "copy",
        keyed=True,
    ),
    "set_copy_scope": RequestKind(SetCopyScope, _set_copy_scope, "copy", keyed=True),
}
"""Every command a client may name, on the socket and behind REST."""


def build_command(state: State, name: str, args: Any) -> commands.Command:
    """Validate arguments and return the command.

    Args:
        state: for instruments and handles; read only.
        name: a key of `REQUESTS`.
        args: a mapping as decoded from JSON or msgpack, or the request struct itself.

    Raises:
        CommandError: `UNKNOWN_COMMAND`, `INVALID_ARGUMENT` with `field`, or an `UNKNOWN_*` code.
    """
    kind = REQUESTS.get(name)
    if kind is None:
        raise CommandError("UNKNOWN_COMMAND", f"no command {name}", field="name")
    if not isinstance(args, Request):
        try:
            args = msgspec.convert(args, kind.form)
        except msgspec.ValidationError as error:
            raise _translated(error) from None
    return kind.build(state, args)


def _translated(error: msgspec.ValidationError) -> CommandError:
    text, _, path = str(error).partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    if not field and " field `" in text:
        field = text.split("`")[1]
    return CommandError("INVALID_ARGUMENT", text, field=field or "args")
