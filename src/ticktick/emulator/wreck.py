"""Faults of the REST side: answers late, wrong, cut off or never."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import msgspec
from aiohttp import web

from ticktick.emulator.answers import Refused, failure
from ticktick.emulator.faults import Fault
from ticktick.emulator.line import reset

_LOOK_S = 0.02
_CODES: Final = {
    401: ("UDAPI100050", "Invalid token used to access API"),
    403: ("UDAPI1154", "Access to this API is restricted"),
    423: ("UDAPI100072", "The service is closed at this hour"),
    429: ("UDAPI10005", "Too Many Request Sent"),
}
_OTHER: Final = ("UDAPI100500", "Something went wrong... please contact us")

Answer = Callable[[], Awaitable[web.StreamResponse]]
"""Lets the exchange answer the request."""


async def wrecked(
    request: web.Request, answer: Answer, active: Callable[[], list[Fault]]
) -> web.StreamResponse:
    """The answer as the active faults that match the method and path leave it."""
    faults = {
        fault.verb: fault for fault in active() if fault.match in f"{request.method} {request.path}"
    }
    if "rest.delay" in faults:
        await asyncio.sleep(faults["rest.delay"].args["s"])
    if "rest.rst_before_accept" in faults:
        return _reset(request)
    if "rest.status" in faults:
        return _refusal(faults["rest.status"].args)
    answered = await answer()
    if "rest.hang_after_accept" in faults:
        await _hang(request, faults["rest.hang_after_accept"], active)
    if "rest.rst_after_accept" in faults:
        return _reset(request)
    if isinstance(answered, web.Response) and isinstance(answered.body, bytes):
        return await _spoiled(request, answered, answered.body, faults)
    return answered


def emptied(body: bytes) -> bytes:
    """A JSON answer whose lists hold nothing; other content as it is."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body
    if isinstance(content, dict) and "data" in content:
        content["data"] = _emptied(content["data"])
    return msgspec.json.encode(content)


def _emptied(content: Any) -> Any:
    if isinstance(content, list):
        return []
    if not isinstance(content, dict):
        return content
    if not any(isinstance(part, list) for part in content.values()):
        return {}
    return {name: [] if isinstance(part, list) else part for name, part in content.items()}


async def _spoiled(
    request: web.Request, answered: web.Response, body: bytes, faults: dict[str, Fault]
) -> web.StreamResponse:
    if "rest.empty_list" in faults:
        body = emptied(body)
        answered.body = body
    if "rest.badjson" in faults:
        answered.body = body[: len(body) // 2] or b"{"
    if "rest.partial_body" in faults:
        return await _cut_off(request, answered, body)
    return answered


async def _cut_off(request: web.Request, answered: web.Response, body: bytes) -> web.StreamResponse:
    """Promise the whole body, send half of it and hang up."""
    half = web.StreamResponse(status=answered.status, headers=answered.headers)
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half


async def _hang(request: web.Request, fault: Fault, active: Callable[[], list[Fault]]) -> None:
    never = asyncio.Event()
    while fault in active() and request.transport is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await never.wait()


def _reset(request: web.Request) -> web.StreamResponse:
    if isinstance(request.transport, asyncio.Transport):
        reset(request.transport)
    return web.Response(status=500)


def _refusal(args: Any) -> web.Response:
    """The status with the given body; without one, as the broker words that status."""
    text, status = str(args["body"]), int(args["code"])
    if text:
        kind = "text/html" if text.lstrip().startswith("<") else "application/json"
        return web.Response(status=status, text=text, content_type=kind)
    code, message = _CODES.get(status, _OTHER)
    body = failure(Refused(code, message, status)).body
    return web.Response(status=status, body=body, content_type="application/json")
