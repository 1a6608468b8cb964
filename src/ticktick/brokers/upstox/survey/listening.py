"""Listening to the feed for the survey: a few connections, each for one question."""

import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final
from urllib.parse import urlsplit

from ticktick.brokers.upstox.survey.heard import Connection, Heard, Message
from ticktick.brokers.upstox.survey.line import Line, opened
from ticktick.brokers.upstox.survey.subject import INDEX, STOCK, STOCKS, UNKNOWN, Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen
from ticktick.domain.clock import NS_PER_S
from ticktick.errors import BrokerError
from ticktick.proto.MarketDataFeed_pb2 import Feed, RequestMode

AUTHORISE: Final = "/v3/feed/market-data-feed/authorize"
_ADDRESS_NAMES: Final = ("authorized_redirect_uri", "authorizedRedirectUri")
_LOOK_S = 0.25

Tell = Callable[[str, float], None]


class Listening:
    """Listens for so many seconds of market time, or real ones if that is less; used once.

    `tell` gets a sentence and how much of the listening is done, from 0 to 1. After each other
    step it waits `quiet_s` real seconds for what comes of it, at most `answer_s` for the first.
    """

    def __init__(
        self,
        listen_s: float,
        rng: Random,
        tell: Tell,
        *,
        quiet_s: float = 1.5,
        answer_s: float = 5.0,
    ) -> None:
        self._listen_ns = round(listen_s * NS_PER_S)
        self._rng = rng
        self._tell = tell
        self._quiet_s = quiet_s
        self._answer_s = answer_s

    async def hear(self, subject: Subject) -> Heard:
        """Everything the feed's looks need. Raises NotSeen if the feed cannot be reached."""
        first_url, names = await _address(subject)
        idle_url, aged_url = [(await _address(subject))[0] for _ in range(2)]
        authorised_s = time.monotonic()
        keys = (*STOCKS, INDEX, *await _contracts(subject))
        heard = Heard(keys, names, urlsplit(first_url).scheme)
        now_ns = subject.clock.now_ns
        async with (
            opened(first_url, heard.main, now_ns) as line,
            opened(idle_url, heard.idle, now_ns),
        ):
            if line is None:
                raise NotSeen(f"the feed refused the connection (HTTP {heard.main.status})")
            await _try(subject, (await _address(subject))[0], heard.third)
            await self._listen(subject, line, heard)
            heard.main.pong_ms = await line.round_trip_ms()
            await self._modes(line, heard)
            await self._unknown(line, heard)
        await _try(subject, first_url, heard.again)
        heard.code_age_s = time.monotonic() - authorised_s
        await _try(subject, aged_url, heard.aged)
        return heard

    async def _listen(self, subject: Subject, line: Line, heard: Heard) -> None:
        """The long part: a full subscription and what comes of it."""
        heard.from_ns = subject.clock.now_ns()
        end_ns = heard.from_ns + self._listen_ns
        end_s = time.monotonic() + self._listen_ns / NS_PER_S  # a market's clock may stand
        await line.ask("sub", heard.asked_keys, "full", self._rng)
        while line.connection.closed is None and (left_ns := end_ns - subject.clock.now_ns()) > 0:
            if time.monotonic() >= end_s:
                break
            await line.wait(_LOOK_S)
            done = 1 - left_ns / self._listen_ns
            self._tell(f"listening to the feed, {len(line.messages)} messages", min(done, 1.0))
        heard.until_ns = subject.clock.now_ns()
        heard.messages = line.take()

    async def _modes(self, line: Line, heard: Heard) -> None:
        """What the other modes give, and that a key that was given back is not sent any more."""
        self._tell("asking for the other modes", 1.0)
        await line.ask("change_mode", [STOCK], "ltpc", self._rng)
        heard.in_ltpc = await self._answers(line, lambda feed: feed.HasField("ltpc"))
        await line.ask("change_mode", [STOCK], "full_d30", self._rng)
        heard.in_deep = await self._answers(line, _is_of(RequestMode.full_d30))
        await line.ask("change_mode", [heard.asked_keys[-1]], "option_greeks", self._rng)
        heard.in_greeks = await self._answers(line, _is_of(RequestMode.option_greeks))
        await line.ask("unsub", [STOCK], "full", self._rng)
        await line.wait(self._quiet_s)
        line.take()
        await line.wait(self._quiet_s)
        heard.after_unsub = line.take()

    async def _answers(self, line: Line, is_answer: Callable[[Feed], bool]) -> list[Message]:
        return await line.wait_for(is_answer, self._answer_s, self._quiet_s)

    async def _unknown(self, line: Line, heard: Heard) -> None:
        """What the server says to a key that nobody lists."""
        before = len(line.connection.texts)
        await line.ask("sub", [UNKNOWN], "full", self._rng)
        await line.wait(self._quiet_s)
        heard.unknown_texts = line.connection.texts[before:]
        heard.unknown_closed = line.connection.closed is not None


def _is_of(mode: RequestMode) -> Callable[[Feed], bool]:
    return lambda feed: feed.requestMode == mode


async def _try(subject: Subject, url: str, connection: Connection) -> None:
    """Open a connection for a moment, to see whether that is allowed."""
    async with opened(url, connection, subject.clock.now_ns):
        return


async def _address(subject: Subject) -> tuple[str, tuple[str, ...]]:
    """A fresh address of the feed that may be dialled, and the names under which it was told."""
    data = (await subject.asker.fresh(AUTHORISE)).data()
    names = tuple(name for name in _ADDRESS_NAMES if data.get(name))
    if not names:
        raise NotSeen("the broker authorised the feed, but named no address")
    try:
        return subject.asker.hosts.checked_feed(data[names[0]]), names
    except BrokerError as error:
        raise NotSeen(str(error)) from error


async def _contracts(subject: Subject) -> list[str]:
    """A future and an option, if the instrument file can be read; the option last."""
    found = []
    for kind in ("FUT", "CE"):
        with suppress(NotSeen):
            found.append((await subject.derivative(kind)).instrument_key)
    return found
