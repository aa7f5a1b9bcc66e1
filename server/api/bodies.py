"""Bodies of requests: the stream's request structs without what the path already names.

One definition serves both ways in; `without` derives the body, so the two cannot drift apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from streams.replica.requests import (
    CloseIdea,
    CommentIdea,
    EditIdea,
    EditOrder,
    Request,
    SetCopy,
    SetCopyScope,
    SetExitLevels,
    UpdateIdea,
)


def without(form: type[Request], path_field: str) -> Any:
    """Return the struct of a request without the field that stands in the path."""
    hints = get_type_hints(form, include_extras=True)
    fields: list[Any] = []
    for field in msgspec.structs.fields(form):
        if field.name == path_field:
            continue
        if field.required:
            fields.append((field.name, hints[field.name]))
        elif field.default_factory is not msgspec.NODEFAULT:
            default = msgspec.field(default_factory=field.default_factory)
            fields.append((field.name, hints[field.name], default))
        else:
            fields.append((field.name, hints[field.name], field.default))
    body = msgspec.defstruct(
        f"{form.__name__}Body",
        fields,
        module=__name__,
        forbid_unknown_fields=True,
        frozen=True,
        kw_only=True,
    )
    body.__doc__ = form.__doc__
    return body


# For the type checker a body is the request itself: it has the same fields but one, and handlers
# only ever take it apart with `arguments`.
if TYPE_CHECKING:
    EditIdeaBody = EditIdea
    CloseIdeaBody = CloseIdea
    CommentIdeaBody = CommentIdea
    UpdateIdeaBody = UpdateIdea
    SetCopyBody = SetCopy
    EditOrderBody = EditOrder
    SetExitLevelsBody = SetExitLevels
    SetCopyScopeBody = SetCopyScope
else:
    EditIdeaBody = without(EditIdea, "idea")
    CloseIdeaBody = without(CloseIdea, "idea")
    CommentIdeaBody = without(CommentIdea, "idea")
    UpdateIdeaBody = without(UpdateIdea, "idea")
    SetCopyBody = without(SetCopy, "leader")
    EditOrderBody = without(EditOrder, "order")
    SetExitLevelsBody = without(SetExitLevels, "symbol")
    SetCopyScopeBody = without(SetCopyScope, "scope")


def arguments(body: msgspec.Struct, **path: str) -> dict[str, Any]:
    """Return a command's arguments from a body and what the path names."""
    given = msgspec.structs.asdict(body)
    return {name: value for name, value in given.items() if value is not msgspec.UNSET} | path
