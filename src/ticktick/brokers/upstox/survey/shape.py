"""The shape of an answer: names and kinds of its fields, never a value."""

from typing import Any, Final

_MOST_FIELDS: Final = 60
_DEEPEST: Final = 8


def shape(content: Any, depth: int = 0) -> Any:
    """Kinds instead of values; of a list only its first element, of keyed entries only one."""
    if depth > _DEEPEST:
        return "..."
    match content:
        case dict():
            return _fields(content, depth)
        case list():
            return [shape(content[0], depth + 1)] if content else []
        case None:
            return "null"
        case bool():
            return "truth"
        case int() | float():
            return "number"
    return "text"


def _fields(content: dict[str, Any], depth: int) -> dict[str, Any]:
    """The fields; the keys of a map of like entries are the caller's own, so one stands for all."""
    if any(not name.isidentifier() for name in content):
        first = next(iter(content.values()))
        return {"*": shape(first, depth + 1)}
    return {name: shape(value, depth + 1) for name, value in list(content.items())[:_MOST_FIELDS]}
