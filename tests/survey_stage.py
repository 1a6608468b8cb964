"""A stage for the survey of the broker: the built-in exchange in this process, and looks at it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import aiohttp

from ticktick.brokers.upstox.auth import token_claims
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.survey.asking import Asker
from ticktick.brokers.upstox.survey.listening import Listening
from ticktick.brokers.upstox.survey.subject import Subject
from ticktick.brokers.upstox.survey.survey import ASSUMPTIONS, survey
from ticktick.brokers.upstox.survey.verdict import Result
from ticktick.checkup.live import clock_of
from ticktick.domain.clock import MarketClock, parse_iso_ns
from ticktick.emulator.answers import Request, Response
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.floor import Floor
from ticktick.emulator.pace import Pace
from ticktick.emulator.server import ExchangeServer, listening

LIMIT_S = 100.0


class SurveyStage:
    """The exchange under survey; every `look` is a survey of its own."""

    def __init__(self, exchange: Exchange, url: str, http: aiohttp.ClientSession) -> None:
        self.exchange = exchange
        self.url = url
        self.http = http
        self.requests: list[tuple[str, str]] = []

    async def fault(self, verb: str, match: str = "", **order: Any) -> None:
        """Order a fault."""
        await self._post("fault", {"verb": verb, "match": match, **order})

    async def says(self, path: str, content: Any, status: int = 200) -> None:
        """Let the exchange answer a path with this content from now on."""
        body = content if isinstance(content, str) else json.dumps(content)
        await self.fault("rest.status", f"GET {path}", args={"code": status, "body": body})

    async def switch(self, **positions: bool) -> None:
        """Set switches; a dot in a name is written as two underscores."""
        await self._post("switch", {name.replace("__", "."): on for name, on in positions.items()})

    async def clear(self) -> None:
        """End every fault."""
        async with self.http.delete(f"{self.url}/_emu/fault") as answer:
            assert answer.status == 200

    async def look(
        self, *names: str, listen_s: float = 1.0, quiet_s: float = 0.3, **claims: Any
    ) -> dict[str, Result]:
        """Results by name: of these looks; a name that ends with a dot stands for a family."""
        subject = await self.subject(listen_s, quiet_s, **claims)
        families = tuple(name for name in names if name.endswith("."))
        wanted = [
            one
            for one in ASSUMPTIONS
            if not names or one.name in names or one.name.startswith(families or "?")
        ]
        assert wanted
        return {result.name: result async for result in survey(subject, wanted)}

    async def subject(self, listen_s: float = 1.0, quiet_s: float = 0.3, **claims: Any) -> Subject:
        """What a survey works on; `claims` are put in place of the token's own, None for none."""
        hosts = Hosts.loopback(self.url)
        token = self.exchange.login.live_token(self.exchange.now_ns)
        told = token_claims(token) | claims
        listening_to = Listening(
            listen_s, Random(1), lambda *_: None, quiet_s=quiet_s, answer_s=4 * quiet_s
        )
        return Subject(
            Asker(self.http, hosts, token, token, pause_s=0.0),
            await clock_of(self.http, hosts),
            {name: value for name, value in told.items() if value is not None},
            listening_to.hear,
        )

    async def _post(self, name: str, order: Any) -> None:
        async with self.http.post(f"{self.url}/_emu/{name}", json=order) as answer:
            assert answer.status == 200, await answer.text()


class _Watched(Exchange):
    """An exchange that remembers what it was asked."""

    asked: list[tuple[str, str]]

    def handle(self, request: Request) -> Response:
        self.asked.append((request.method, request.path))
        return super().handle(request)


@asynccontextmanager
async def survey_stage(
    start: str = "2026-11-20T10:30:00", rate: float = 0.0, idle_ping_s: float = 0.2
) -> AsyncIterator[SurveyStage]:
    """Serve an exchange of that moment in India, at so many market seconds a second."""
    start_ns, calendar = parse_iso_ns(f"{start}+05:30"), MovableCalendar()
    exchange = _Watched(
        lambda at_ns: Floor(1, at_ns, calendar), start_ns, seed=1, calendar=calendar
    )
    server = ExchangeServer(exchange, Pace(start_ns, rate, time.monotonic_ns), idle_ping_s)
    async with asyncio.timeout(LIMIT_S), listening(server.application(), 0) as port:
        exchange.address = f"127.0.0.1:{port}"
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
            market = group.create_task(server.run())
            stage = SurveyStage(exchange, f"http://{exchange.address}", http)
            exchange.asked = stage.requests
            yield stage
            market.cancel()


def verdicts(results: dict[str, Result]) -> dict[str, str]:
    """Verdict by name."""
    return {name: str(result.verdict) for name, result in results.items()}


def unlike(results: dict[str, Result], verdict: str) -> Sequence[str]:
    """The results with another verdict, as lines to read."""
    return [
        f"{one.verdict} {one.name}: {one.found}"
        for one in results.values()
        if one.verdict != verdict
    ]


def standing(now: str) -> MarketClock:
    """A clock that stands at a moment in India."""
    return MarketClock(parse_iso_ns(f"{now}+05:30"), 0.0, lambda: 0)
