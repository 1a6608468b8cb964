"""What every answer has in common: security headers, and one plain sentence for each refusal."""

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.types import Scope, Send

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'self'; object-src 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}

_log = logging.getLogger(__name__)


class Refused(Exception):
    """The request does not pass; the sentence is for the user."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def new_error_id() -> str:
    """A short id that the answer and the log line share."""
    return secrets.token_hex(4)


def error_body(sentence: str, error_id: str) -> bytes:
    """The body of every answer that is not a success."""
    return msgspec.json.encode({"error": sentence, "error_id": error_id})


def logged_path(scope: Scope) -> str:
    """The path as the log may hold it: nobody fills the log with one request."""
    return str(scope["path"])[:200]


async def refuse(scope: Scope, send: Send, refused: Refused) -> None:
    """Answer a request, or a WebSocket handshake, with the refusal and log it under its id."""
    error_id = new_error_id()
    _log.warning(
        "refused %s %r: %s (error_id %s)",
        scope.get("method", "socket"),
        logged_path(scope),
        refused.sentence,
        error_id,
    )
    prefix = "http" if scope["type"] == "http" else "websocket.http"
    headers = [(b"content-type", b"application/json")]
    start = {"type": f"{prefix}.response.start", "status": refused.status, "headers": headers}
    await send(start)
    body = error_body(refused.sentence, error_id)
    await send({"type": f"{prefix}.response.body", "body": body})
