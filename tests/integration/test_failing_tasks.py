"""F49 on the whole program: a task that fails is named and started again, the page lives."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import cast

import aiohttp
import pytest

from tests.store_stage import OPEN_NS, instrument
from ticktick.app import Plan, operate
from ticktick.config import Settings
from ticktick.domain.clock import MarketClock
from ticktick.domain.event import Event, InstrumentsResolved, LinkChanged, NoteTaken
from ticktick.domain.health import LinkHealth
from ticktick.engine.ports import EngineSettings
from ticktick.engine.runner import Runner
from ticktick.engine.supervisor import RESTARTS, Work
from ticktick.errors import ConfigError, TaskError
from ticktick.running import find_running
from ticktick.web.steering import FixedSteering, Steering

LIMIT_S = 60.0


class FaultyOrigin:
    """An origin whose one task is the test's."""

    def __init__(self, work: Callable[[Runner], Work]) -> None:
        self.clock = MarketClock(OPEN_NS, 0.0, lambda: 0)
        self._work = work

    def opening(self, store_url: str | None) -> Iterable[Event]:
        """One instrument, link up."""
        yield InstrumentsResolved(OPEN_NS, (instrument("RELIANCE"),))
        yield LinkChanged(OPEN_NS, True, "data arrived")

    def works(self, runner: Runner) -> Iterator[Work]:
        """What the test wants to fail."""
        yield self._work(runner)

    def steering(self, runner: Runner) -> Steering:
        """Nothing may be changed."""
        return FixedSteering("nothing here can be changed")

    def health(self) -> LinkHealth:
        """Nothing is measured."""
        return LinkHealth()

    def framed(self, sent_ns: int, received_ns: int) -> None:
        """No frame comes."""

    def resumed(self, slept_s: float) -> None:
        """Nothing is missed."""


class Page:
    """What a command of the same user sees of the running program."""

    def __init__(self, file: Path, http: aiohttp.ClientSession) -> None:
        self._file = file
        self._http = http

    async def get(self, path: str) -> str:
        running = find_running(self._file)
        headers = {"Authorization": f"Bearer {running.token}"}
        async with self._http.get(running.url + path, headers=headers) as answer:
            assert answer.status == 200
            return await answer.text()

    async def figure(self, name: str) -> float:
        lines = (await self.get("/metrics")).splitlines()
        return float(dict(line.rsplit(" ", 1) for line in lines).get(name, 0.0))


async def run_with(
    folder: Path,
    work: Callable[[Runner], Work],
    look: Callable[[Page], Awaitable[None]],
    alerts: Path | None = None,
) -> str:
    """Run the program with such a task, look at it, stop it; everything that the engine said."""
    plan = Plan(
        mode="VIEW",
        settings=EngineSettings(),
        data=folder,
        server_file=folder / "server.json",
        records=False,
        keeps_store=False,
        port=0,
        alerts=alerts,
        outputs=folder / "outputs.jsonl",
    )
    stop, is_told = asyncio.Event(), asyncio.Event()

    def tell(sentence: str) -> None:
        if sentence.startswith("Open "):
            is_told.set()

    async def looking() -> None:
        await is_told.wait()
        async with aiohttp.ClientSession() as http:
            await look(Page(plan.server_file, http))
        stop.set()

    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        group.create_task(looking())
        await operate(plan, Settings(), FaultyOrigin(work), stop, tell)
    return (folder / "outputs.jsonl").read_text()


async def test_F49_a_task_that_fails_is_named_and_started_again_and_the_page_lives(
    tmp_path: Path,
) -> None:
    starts = 0

    def work(runner: Runner) -> Work:
        async def start() -> None:
            nonlocal starts
            starts += 1
            if starts == 1:
                raise ValueError("access_token=Qx7secretQx7secret")
            await asyncio.Event().wait()

        return Work("the history", start)

    async def look(page: Page) -> None:
        while starts < 2:
            await page.get("/api/v1/status")
        assert await page.figure('ticktick_task_restarts_total{task="the history"}') == 1
        assert await page.figure("ticktick_tasks_degraded") == 0
        while (await page.figure("ticktick_event_us_count")) < 3:  # the notice is the third event
            continue

    told = await run_with(tmp_path, work, look)
    assert "the history failed and was started again" in told
    assert "Qx7secret" not in told


async def test_F49_an_event_that_the_engine_cannot_take_is_left_out_and_the_next_one_counts(
    tmp_path: Path,
) -> None:
    def work(runner: Runner) -> Work:
        async def start() -> None:
            await runner.put(cast(Event, "no event at all"))
            await runner.put(NoteTaken(OPEN_NS, "info", "and yet it moves"))

        return Work("the feed", start)

    async def look(page: Page) -> None:
        while await page.figure("ticktick_event_us_count") < 3:
            continue
        assert await page.figure('ticktick_task_restarts_total{task="the engine"}') == 1

    assert "and yet it moves" in await run_with(tmp_path, work, look)


async def test_F49_an_engine_that_takes_nothing_ends_the_program_with_a_sentence(
    tmp_path: Path,
) -> None:
    def work(runner: Runner) -> Work:
        async def start() -> None:
            for _ in range(RESTARTS + 1):
                await runner.put(cast(Event, "no event at all"))

        return Work("the feed", start)

    async def look(page: Page) -> None:
        await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as ended:
        await run_with(tmp_path, work, look)
    expected, unexpected = ended.value.split(TaskError)
    assert unexpected is None
    assert "the engine failed 6 times within a minute" in repr(expected)
    assert not (tmp_path / "server.json").exists()


async def test_F49_a_page_that_cannot_be_loaded_ends_the_program_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ticktick.site", None)  # as where a package is missing

    async def rest() -> None:
        await asyncio.Event().wait()

    async def look(page: Page) -> None:
        await rest()

    with pytest.raises(ExceptionGroup) as ended:
        await run_with(tmp_path, lambda _: Work("the feed", rest), look)
    expected, unexpected = ended.value.split(ConfigError)
    assert unexpected is None
    assert "the page cannot be loaded" in repr(expected)
    assert "start.py setup" in repr(expected)
    assert not (tmp_path / "server.json").exists()
