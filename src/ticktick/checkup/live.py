"""A survey of the real broker with the user's token, or of an exchange on this machine."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp
from msgspec import Struct

from ticktick.brokers.upstox.auth import token_claims
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.brokers.upstox.survey.asking import PAUSE_S, Asker
from ticktick.brokers.upstox.survey.heard import Heard
from ticktick.brokers.upstox.survey.listening import Listening
from ticktick.brokers.upstox.survey.subject import Subject
from ticktick.brokers.upstox.survey.survey import ASSUMPTIONS, survey
from ticktick.brokers.upstox.survey.verdict import NotSeen, Result, Verdict
from ticktick.checkup.report import report, shown, write_report
from ticktick.domain.clock import MarketClock
from ticktick.emulator.control import read_clock
from ticktick.errors import ConfigError

COUNT: Final = len(ASSUMPTIONS)


class Wish(Struct, frozen=True):
    """What to survey, with which tokens, and how long to listen to the feed.

    `token` reads the market, `owner` is that of a daily login, empty without one.

    `busy` is the reason why the feed must be left alone, empty if it may be used; the report
    goes into `folder`.
    """

    hosts: Hosts
    token: str
    listen_s: float
    folder: Path
    owner: str = ""
    busy: str = ""


class Outcome(Struct, frozen=True):
    """What came of it: the report, where it was kept, and whether anything was otherwise."""

    content: dict[str, Any]
    path: Path
    differs: bool


async def examine_broker(
    wish: Wish, tell: Callable[[str], None], progress: Callable[[str, float], None]
) -> Outcome:
    """Look at every assumption; `tell` gets a line for each.

    `progress` gets a sentence and how many assumptions are done, with fractions.
    Raises AuthError if the token is not taken, BrokerError if nobody answers.
    """
    async with aiohttp.ClientSession() as http:
        await UpstoxRest(http, wish.hosts, lambda: wish.token).market_status("NSE")
        subject = await _subject(wish, http, progress)
        results: list[Result] = []
        async for result in survey(subject):
            results.append(result)
            tell(shown(result, subject))
            progress(result.name, len(results))
        content = report(subject, results, wish.listen_s)
    path = await asyncio.to_thread(write_report, wish.folder, subject, content)
    return Outcome(content, path, any(one.verdict is Verdict.DIFF for one in results))


async def _subject(
    wish: Wish, http: aiohttp.ClientSession, progress: Callable[[str, float], None]
) -> Subject:
    clock = await clock_of(http, wish.hosts)
    pause_s = 0.0 if wish.hosts.is_loopback else PAUSE_S
    asker = Asker(http, wish.hosts, wish.token, wish.owner, pause_s=pause_s)
    before = next(i for i, one in enumerate(ASSUMPTIONS) if one.name.startswith("feed."))
    listening = Listening(
        wish.listen_s,
        Random(),  # noqa: S311  for ids of messages
        lambda text, done: progress(text, before + done),
    )

    async def leave_alone(_: Subject) -> Heard:
        raise NotSeen(wish.busy)

    hear = leave_alone if wish.busy else listening.hear
    return Subject(asker, clock, token_claims(wish.token), hear)


async def clock_of(http: aiohttp.ClientSession, hosts: Hosts) -> MarketClock:
    """This computer's clock as it is, for the survey to judge; or the exchange's on this machine.

    Raises ConfigError if no exchange answers where one should be.
    """
    if not hosts.is_loopback:
        return MarketClock(time.time_ns(), 1.0, time.time_ns)
    try:
        told = await read_clock(http, hosts.api)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ConfigError(
            f"no built-in exchange answers at {hosts.api}; start one with `ticktick emulator`"
        ) from error
    return MarketClock(told.now_ns, told.rate, time.monotonic_ns)
