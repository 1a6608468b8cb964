"""Whose prices a Redis holds: made-up and real ones must never mix under the same keys."""

from typing import Final

from ticktick.errors import ConfigError
from ticktick.store.keys import (
    ALERTS_STREAM,
    ANALYSIS_DATABASE,
    CANDLE_DATABASE,
    OWNER_KEY,
    TICK_DATABASE,
)
from ticktick.store.link import Link, masked

DEMO_MARKET: Final = "demo"
REAL_MARKET: Final = "real"
_OURS: Final = {
    CANDLE_DATABASE: ("candle:*",),
    TICK_DATABASE: ("symbol:*", "tick:*"),
    ANALYSIS_DATABASE: ("indicators:*", "patterns:*", "crossings:*", ALERTS_STREAM),
}
_KEYS_AT_ONCE: Final = 1000


def claim(url: str, market: str) -> None:
    """Note which market's prices the Redis holds from here on, `demo` or `real`.

    Each demo starts a market of its own, so what an earlier demo left is removed.
    Raises ConfigError if the other market's prices are there, RedisError or OSError if the
    server does not answer.
    """
    link = Link(url, CANDLE_DATABASE)
    try:
        owner = link.ask("GET", OWNER_KEY)
        if owner not in (None, market) or (
            owner is None and market == DEMO_MARKET and _holds(link)
        ):
            raise ConfigError(
                f"Redis at {masked(url)} holds prices of the {owner or REAL_MARKET} market: "
                "unset REDIS_URL, or name another server in it"
            )
        link.ask("SET", OWNER_KEY, market)
    finally:
        link.close()
    if market == DEMO_MARKET:
        _forget(url)


def _holds(link: Link) -> bool:
    return any(link.ask("SCAN", 0, "MATCH", "candle:*", "COUNT", _KEYS_AT_ONCE)[1])


def _forget(url: str) -> None:
    for database, patterns in _OURS.items():
        link = Link(url, database)
        try:
            for pattern in patterns:
                _unlink(link, pattern)
        finally:
            link.close()


def _unlink(link: Link, pattern: str) -> None:
    cursor: str | int = "0"
    while True:
        cursor, names = link.ask("SCAN", cursor, "MATCH", pattern, "COUNT", _KEYS_AT_ONCE)
        if names:
            link.ask("UNLINK", *names)
        if int(cursor) == 0:
            return
