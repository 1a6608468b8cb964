"""What may be shown: text without secrets and without characters that steer a terminal.

A secret is known by its shape (tokens, headers, named values in queries, JSON and Python text)
or by its value, once `hide` was told it.
"""

import re
from typing import Final
from urllib.parse import quote

MASK: Final = "***"

_SHORTEST_SECRET = 6

_QUOTE = r"""\\*["']"""
_TO_QUOTE = r"""b?(?P<quote>\\*["'])(?:\\.|(?!(?P=quote)).)*?(?:(?P=quote)|$)"""
_VALUE = rf"""(?!None\b|null\b|[{{\[(])(?:{_TO_QUOTE}|[^\s&"'<>,;)\]}}]+)"""
_IS = rf"(?:(?:{_QUOTE})?\s*(?:[:=]|%3A|%3D)\s*|{_QUOTE}\s*,\s*)"
_NAMES = (
    r"(?:access|refresh|extended|analytics|bearer|csrf|id|session)[_-]?token"
    r"|(?:api|client|app)[_-]?secret|api[_-]?key|(?:auth|authorization|start|socket)[_-]?code|request[_-]?id|session[_-]?id"
    r"|ticktick_session|ticktick-csrf|csrf|passwd|password|passphrase|secret|totp|(?<![a-z])pin"
)
_WORD_START = r"(?:(?<![a-z0-9_])|(?<=%23)|(?<=%26)|(?<=%3F))"
_KEY_IS = rf"(?:\s*(?:=|%3D)\s*|{_QUOTE}\s*[:,]\s*)"
_CLOSE_CODE = r"\d{1,4}(?![\w%-])"

_SHAPES = [
    (re.compile(pattern, re.IGNORECASE | re.MULTILINE), replacement)
    for pattern, replacement in (
        (rf"""((?:authorization|cookie){_IS})(?:{_TO_QUOTE}|[^\r\n"']+)""", rf"\g<1>{MASK}"),
        (r"(bearer(?:\s+|%20))[\w.~+/=-]{6,}", rf"\g<1>{MASK}"),
        (r"(\bbasic(?:\s+|%20))(?=\S*[0-9=])[\w.~+/=-]{8,}", rf"\g<1>{MASK}"),
        (r"eyJ[\w-]{6,}(?:\.[\w-]*)*", MASK),
        (r"""(://)[^/\s"']*@""", rf"\g<1>{MASK}@"),
        (rf"((?:{_NAMES}){_IS}){_VALUE}", rf"\g<1>{MASK}"),
        (rf"({_WORD_START}(?:token|session){_KEY_IS}){_VALUE}", rf"\g<1>{MASK}"),
        (rf"({_WORD_START}code{_KEY_IS})(?!{_CLOSE_CODE}){_VALUE}", rf"\g<1>{MASK}"),
    )
]
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_hidden: tuple[str, ...] = ()


def hide(secret: str) -> None:
    """Mask this very text wherever it is logged from now on, also URL-encoded or as a repr.

    A text under six characters is left alone: masking it would eat ordinary words.
    """
    global _hidden
    if len(secret) >= _SHORTEST_SECRET:
        forms = {*_hidden, secret, quote(secret, safe=""), repr(secret)[1:-1]}
        _hidden = tuple(sorted(forms, key=len, reverse=True))


def redact(text: str) -> str:
    """The text with every known secret and everything shaped like one masked."""
    for secret in _hidden:
        text = text.replace(secret, MASK)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def safe(text: str) -> str:
    """One line without secrets and without characters that steer a terminal."""
    return _UNPRINTABLE.sub(_escape, redact(text))


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "backslashreplace").decode("ascii")
