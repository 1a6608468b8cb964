"""The login of a run over time: a newer token is taken as soon as there is one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import aiohttp

from ticktick.domain.clock import NS_PER_MINUTE, Clock, ist
from ticktick.domain.event import NoteTaken
from ticktick.engine.runner import Runner
from ticktick.errors import AuthError, ConfigError
from ticktick.login import Held, Login

_LOOK_S: Final = 1.0
_WARN_NS: Final = 30 * NS_PER_MINUTE


class Renewal(Protocol):
    """Where the next token comes from."""

    async def newest(self, *, is_needed: bool) -> Held | None:
        """A token to use from now on, None while there is none; `is_needed` if the present one
        is of no use any more.

        Raises ConfigError for a sentence that the user must read.
        """
        ...


class ExchangeTokens:
    """The built-in exchange gives a new token to whoever needs one."""

    def __init__(self, fetch: Callable[[], Awaitable[str]]) -> None:
        self._fetch = fetch

    async def newest(self, *, is_needed: bool) -> Held | None:
        """The exchange's token, if one is needed and the exchange answers."""
        if is_needed:
            with suppress(aiohttp.ClientError, TimeoutError):
                return Held(await self._fetch())
        return None


class CredentialsFile:
    """A person signs in with another command, which writes a file; the broker is not asked."""

    def __init__(self, path: Path, read: Callable[[], Held | None]) -> None:
        self._path = path
        self._read = read
        self._seen = self._mark()

    async def newest(self, *, is_needed: bool) -> Held | None:
        """What the file says, if it was written since the last look."""
        mark = self._mark()
        if mark == self._seen:
            return None
        self._seen = mark
        return await asyncio.to_thread(self._read)

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


class Signing:
    """Keeps the login of a run up to date, and warns before it ends.

    `is_open` says whether a market that is watched trades at the moment.
    """

    def __init__(
        self, login: Login, clock: Clock, renewal: Renewal, is_open: Callable[[], bool]
    ) -> None:
        self._login = login
        self._clock = clock
        self._renewal = renewal
        self._is_open = is_open
        self._warned = ""

    async def run(self, runner: Runner) -> None:
        """Look every second, for ever."""
        while True:
            await asyncio.sleep(_LOOK_S)
            for level, text in await self.look():
                await runner.put(NoteTaken(self._clock.now_ns(), level, text))

    async def look(self) -> list[tuple[str, str]]:
        """Take a newer token if there is one; level and text of what the user must know."""
        try:
            held = await self._renewal.newest(
                is_needed=bool(self._login.trouble(self._clock.now_ns()))
            )
            if held is not None and held.token != self._login.token:
                self._login.take(held)
                return [("info", f"{held.name} is new; everything goes on with it")]
        except (AuthError, ConfigError) as error:
            return [("warning", f"the new login cannot be used: {error}")]
        return self._warning()

    def _warning(self) -> list[tuple[str, str]]:
        """Once, half an hour before the end; outside trading nothing is lost by it."""
        now_ns, ends_ns, token = self._clock.now_ns(), self._login.expires_ns, self._login.token
        if not ends_ns - _WARN_NS <= now_ns < ends_ns or self._warned == token:
            return []
        self._warned = token
        level = "warning" if self._is_open() else "info"
        held = self._login.held
        return [(level, f"{held.name} ends at {ist(ends_ns):%H:%M} IST; after that {held.advice}")]
