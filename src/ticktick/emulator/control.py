"""Asking the built-in exchange for what a real one does not tell: its clock and a token."""

import aiohttp

_LIMIT = aiohttp.ClientTimeout(total=5)


async def read_clock(http: aiohttp.ClientSession, url: str) -> tuple[int, float]:
    """Market time in nanoseconds and market seconds per real second.

    Raises aiohttp.ClientError or TimeoutError if no built-in exchange answers there.
    """
    async with http.get(f"{url}/_emu/clock", timeout=_LIMIT, raise_for_status=True) as answer:
        clock = await answer.json()
    return int(clock["now_ns"]), float(clock["rate"])


async def new_token(http: aiohttp.ClientSession, url: str) -> str:
    """An access token, as a login would give it.

    Raises aiohttp.ClientError or TimeoutError if no built-in exchange answers there.
    """
    async with http.post(
        f"{url}/_emu/token", json={}, timeout=_LIMIT, raise_for_status=True
    ) as answer:
        token = await answer.json()
    return str(token["access_token"])
