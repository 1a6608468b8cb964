"""The page comes after the feed: what only it needs is loaded when frames arrive."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from socket import socket
from types import ModuleType
from typing import TYPE_CHECKING, Final

from ticktick.engine.market_half import MarketHalf
from ticktick.errors import ConfigError
from ticktick.memory import calm_collector, give_back

if TYPE_CHECKING:
    from fastapi import FastAPI

_FEED_LOOK_S: Final = 0.01
_MOST_FEED_LOOKS: Final = 50
_SWITCH_S: Final = 0.0005


async def serve_when_fed(
    market: MarketHalf,
    make: "Callable[[ModuleType], FastAPI]",
    listener: socket,
    is_ready: asyncio.Event,
) -> None:
    """Serve the dashboard that `make` makes of ticktick.site; set `is_ready` when it answers.

    A browser that comes early waits in the listener's queue. Raises ConfigError if the page
    cannot be loaded.
    """
    await _first_data(market)
    with _frames_first():
        site = await asyncio.to_thread(_load_site)
        page = await asyncio.to_thread(make, site)
    calm_collector()
    give_back()
    is_ready.set()
    await site.serve(page, listener.dup())


def _load_site() -> ModuleType:
    """What only the page needs. Raises ConfigError if it is not there: no second try would help."""
    try:
        return import_module("ticktick.site")
    except ImportError as error:
        raise ConfigError(
            f"the page cannot be loaded ({error}): install Tick-Tick again with "
            "python3 start.py setup"
        ) from error


@contextmanager
def _frames_first() -> Iterator[None]:
    """Let a thread that computes give way to the event loop at once instead of after 5 ms."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(usual_s)


async def _first_data(market: MarketHalf) -> None:
    """Wait until the feed is up, but not long: the page also tells why it is not."""
    for _ in range(_MOST_FEED_LOOKS):
        if market.link_up:
            return
        await asyncio.sleep(_FEED_LOOK_S)
