"""A run's list changes: one change at a time, the engine first, then the feed and the history."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

import pytest

from tests.market_stage import OPEN, JsonDecoder, instrument
from ticktick.domain.event import InstrumentsResolved
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EngineSettings
from ticktick.engine.runner import Runner
from ticktick.errors import ConfigError
from ticktick.origin.relisting import Relisting

ACME, BOLT, CASK = instrument(), instrument("BOLT"), instrument("CASK")


class Surroundings:
    """Feed and history that note what they were told, and what the engine knew then."""

    def __init__(self, runner: Runner) -> None:
        self.told: list[tuple[str, list[str], list[str]]] = []
        self._runner = runner

    def change_keys(self, keys: Sequence[str]) -> None:
        """Follow these."""
        self._note("feed", keys)

    def seed(self, symbols: Iterable[str]) -> None:
        """Read these."""
        self._note("history", symbols)

    def _note(self, who: str, what: Iterable[str]) -> None:
        known = [*self._runner.market.table.row_of_symbol]
        self.told.append((who, [one.removeprefix("NSE_EQ|") for one in what], known))


class Stage:
    """A runner, and the list that changes."""

    def __init__(self, patience_s: float = 20.0) -> None:
        engine = Engine(JsonDecoder(), Calendar(), EngineSettings())
        self.runner = Runner(engine, None, [], lambda: 0)
        self.around = Surroundings(self.runner)
        self.relisting = Relisting(self.around, self.around, patience_s)
        first = InstrumentsResolved(OPEN, (ACME, BOLT))
        self.runner.process(first)
        self.relisting.begin(first)

    async def change(self, made: InstrumentsResolved | None) -> InstrumentsResolved | None:
        """Let the list change to this."""

        async def make() -> InstrumentsResolved | None:
            return made

        return await self.relisting.change(self.runner, make)


async def test_the_engine_knows_the_list_before_the_feed_and_the_history_do() -> None:
    stage, made = Stage(), InstrumentsResolved(OPEN, (BOLT, CASK), restated=("BOLT",))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(stage.runner.run())
        assert await stage.change(made) is made
        running.cancel()
    assert stage.around.told == [
        ("feed", ["BOLT", "CASK"], ["BOLT", "CASK"]),
        ("history", ["BOLT", "CASK"], ["BOLT", "CASK"]),
    ]


async def test_who_was_read_before_is_not_read_again_unless_his_past_is_void() -> None:
    stage = Stage()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(stage.runner.run())
        await stage.change(InstrumentsResolved(OPEN, (ACME,)))
        await stage.change(InstrumentsResolved(OPEN, (ACME, BOLT)))
        await stage.change(InstrumentsResolved(OPEN, (ACME, BOLT), restated=("ACME",)))
        running.cancel()
    assert [what for who, what, _ in stage.around.told if who == "history"] == [
        [],
        ["BOLT"],
        ["ACME"],
    ]


async def test_an_engine_that_is_behind_is_not_waited_for_too_long() -> None:
    stage = Stage(patience_s=0.01)
    await stage.change(InstrumentsResolved(OPEN, (ACME, BOLT, CASK)))
    assert stage.around.told[0] == ("feed", ["ACME", "BOLT", "CASK"], ["ACME", "BOLT"])
    assert stage.runner.waiting == 1


async def test_where_nothing_changes_nobody_is_told() -> None:
    stage = Stage()
    assert await stage.change(None) is None
    assert stage.around.told == []


async def test_what_refuses_the_change_passes_and_the_next_one_is_made() -> None:
    stage = Stage(patience_s=0.01)

    async def refuse() -> InstrumentsResolved | None:
        raise ConfigError("no")

    with pytest.raises(ConfigError, match="no"):
        await stage.relisting.change(stage.runner, refuse)
    assert await stage.change(InstrumentsResolved(OPEN, (ACME,))) is not None


async def test_changes_are_made_one_after_the_other() -> None:
    stage, order = Stage(patience_s=0.01), list[str]()

    async def make(name: str) -> InstrumentsResolved | None:
        order.append(f"{name} begins")
        await asyncio.sleep(0)
        order.append(f"{name} ends")
        return None

    async with asyncio.TaskGroup() as group:
        for name in ("first", "second"):
            group.create_task(stage.relisting.change(stage.runner, partial(make, name)))
    assert order == ["first begins", "first ends", "second begins", "second ends"]
