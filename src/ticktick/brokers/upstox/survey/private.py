"""What must not leave this computer: everything an answer tells of the account's owner."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

MASK: Final = "***"
_PUBLIC: Final = ("broker", "user_type")
_SHORTEST: Final = 3


def of_claims(claims: dict[str, Any]) -> Iterator[str]:
    """What a token says of its owner."""
    yield from (str(claims[name]) for name in ("sub", "jti") if name in claims)


def of_answer(path: str, data: Any) -> Iterator[str]:
    """The private values of an answer, by its path: owner, addresses, one-time codes."""
    if not isinstance(data, dict):
        return
    texts = {name: value for name, value in data.items() if isinstance(value, str)}
    if path == "/v2/user/profile":
        yield from (value for name, value in texts.items() if name not in _PUBLIC)
    elif path == "/v2/user/ip":
        yield from texts.values()
    elif path.endswith("/authorize"):
        for url in texts.values():
            yield from (
                value for values in parse_qs(urlsplit(url).query).values() for value in values
            )


def masked(text: str, private: Iterable[str]) -> str:
    """The text without these values, wherever one stands as a word of its own."""
    for value in sorted(private, key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, text)
    return text
