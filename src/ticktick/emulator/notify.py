"""The person's part of the semi-automated login: `/_emu/notifier` and `/_emu/approve`."""

from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from ticktick.emulator.token_request import Notice, TokenRequests

_LIMIT = aiohttp.ClientTimeout(total=5)


class NotDeliveredError(RuntimeError):
    """The notifier did not take the token."""


class _Address(Struct):
    url: str


class _Decision(Struct):
    approved: bool = True


def register(requests: TokenRequests, body: bytes) -> dict[str, Any]:
    """Send tokens to the given address from now on.

    Raises ValueError if there is none in the body, or it is not on this machine.
    """
    requests.register(msgspec.json.decode(body, type=_Address).url)
    return {"url": requests.notifier_url}


async def decide(requests: TokenRequests, body: bytes, at_ns: int) -> dict[str, Any]:
    """Approve or reject the open request; an approved one is sent its token.

    Raises ValueError if the body is no decision, LookupError without an open request,
    NotDeliveredError if nobody took the token.
    """
    decision = msgspec.json.decode(body or b"{}", type=_Decision)
    notice = requests.decide(decision.approved, at_ns)
    return {"notified": None if notice is None else await _post(notice)}


async def _post(notice: Notice) -> int:
    """Post a notice; returns the status it was answered with."""
    headers = {"Content-Type": "application/json"}
    try:
        async with (
            aiohttp.ClientSession(timeout=_LIMIT) as http,
            http.post(
                notice.url, data=notice.body, headers=headers, allow_redirects=False
            ) as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NotDeliveredError(f"{notice.url} did not take the token: {error!r}") from error
