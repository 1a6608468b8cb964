"""What goes into the exchange over HTTP and what comes out: requests, responses, envelopes."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

_JSON = "application/json"


class Request(Struct, frozen=True):
    """One HTTP request; `path` is percent-decoded, header names are lower case.

    `arrived_ns` is the real time of a request that counts against the limits.
    """

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    arrived_ns: int | None = None


class Response(Struct, frozen=True):
    """One HTTP answer."""

    status: int
    body: bytes = b""
    content_type: str = _JSON
    headers: Mapping[str, str] = {}


class Refused(Exception):
    """The exchange says no: HTTP status, code and message of the broker."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def success(data: Any, **more: Any) -> Response:
    """The broker's envelope around an answer."""
    return Response(200, msgspec.json.encode({"status": "success", "data": data, **more}))


def bare(data: Any) -> Response:
    """JSON without the envelope, as the token call answers."""
    return Response(200, msgspec.json.encode(data))


def failure(refused: Refused) -> Response:
    """The broker's error body: every field twice, in both spellings."""
    error = {
        "errorCode": refused.code,
        "message": refused.message,
        "propertyPath": None,
        "invalidValue": None,
        "error_code": refused.code,
        "property_path": None,
        "invalid_value": None,
    }
    body = msgspec.json.encode({"status": "error", "errors": [error]})
    return Response(refused.status, body)


def redirect(location: str) -> Response:
    """A 302 to another address."""
    return Response(302, content_type="text/plain", headers={"Location": location})
