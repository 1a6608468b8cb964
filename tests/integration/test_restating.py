"""A past at another price level, read from the exchange: a new one begins, nothing is mixed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import aiohttp
import pytest

from tests.exchange_stage import INFY, RELIANCE, ExchangeStage, exchange_stage
from tests.origin_stage import CANARY, new_runner
from ticktick.brokers.upstox.files import InstrumentFiles
from ticktick.brokers.upstox.history import UpstoxHistory
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.master import Masters
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import MarketClock, at_ist
from ticktick.domain.event import HistoryRead, InstrumentsResolved
from ticktick.domain.sessions import Calendar
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.engine.runner import Runner
from ticktick.origin.day_list import DayList
from ticktick.origin.refill import Refill
from ticktick.origin.relisting import Relisting
from ticktick.origin.watchlist import RunWatchlist

THURSDAY, FRIDAY = date(2026, 11, 19), date(2026, 11, 20)
_LOOK_S, _LOOKS = 0.05, 1200
LIST = (WatchlistEntry("Infosys", INFY), WatchlistEntry("Reliance", RELIANCE))


class Feed:
    """A feed that is not there."""

    def change_keys(self, keys: object) -> None:
        """Follow nothing."""


class Stage:
    """A refill with the program's own list and engine; it may not notice another level."""

    def __init__(
        self, exchange: ExchangeStage, rest: UpstoxRest, day_list: DayList, notices: bool
    ) -> None:
        self.exchange = exchange
        self.day_list = day_list
        self._rest = rest
        self.clock = MarketClock(exchange.now_ns, 1.0, lambda: 0)
        self.runner, self.events = new_runner()
        self.refill = Refill(
            rest,
            self.clock,
            lambda: day_list.latest.instruments,
            self._look,
            self._restate if notices else self._pass_on,
            Calendar,
        )
        self.relisting = Relisting(Feed(), self.refill)

    async def open(self) -> None:
        """Take the list over, and read everything."""
        self.runner.process(await self.day_list.open(THURSDAY, self.clock.now_ns()))
        self.relisting.begin(self.day_list.latest)

    def move(self, day: date, hour: int) -> None:
        """Move the market."""
        self.exchange.server.advance(at_ist(day, hour))
        self.clock.set(self.exchange.now_ns, 1.0)

    def is_deep(self, symbol: str) -> bool:
        """Whether the whole past of the symbol is read."""
        minutes = self.runner.market.candles(symbol, 1)
        is_newest = bool(minutes) and minutes[0].start_ns > at_ist(date(2026, 11, 16), 9)
        return is_newest and len(self.closes(symbol, 60)) > 200

    def closes(self, symbol: str, minutes: int = 1) -> list[int]:
        """The closes the engine keeps."""
        return [one.close for one in self.runner.market.candles(symbol, minutes)]

    def reads(self, symbol: str) -> list[HistoryRead]:
        """What was read of a symbol."""
        events = self.events.all
        return [e for e in events if isinstance(e, HistoryRead) and e.symbol == symbol]

    def restated(self) -> list[InstrumentsResolved]:
        """The events that called a past void."""
        events = self.events.all
        return [e for e in events if isinstance(e, InstrumentsResolved) and e.restated]

    async def _look(self) -> None:
        return

    async def _restate(self, runner: Runner, symbol: str) -> None:
        async def restated() -> InstrumentsResolved:
            return self.day_list.restate([symbol], self.clock.now_ns())

        await self.relisting.change(runner, restated)

    async def _pass_on(self, runner: Runner, symbol: str) -> None:
        """What a reader does that compares nothing."""
        history = UpstoxHistory(
            self._rest, self.day_list.latest.instruments, self.clock, Calendar(), print
        )
        told = await history.minutes(symbol, 250)
        await runner.put(HistoryRead(self.clock.now_ns(), symbol, told.candles, told.span))


@asynccontextmanager
async def stage(folder: Path, notices: bool = True) -> AsyncIterator[Stage]:
    async with exchange_stage("2026-11-19T15:00:00") as exchange, aiohttp.ClientSession() as http:
        hosts = Hosts.loopback(f"http://{exchange.exchange.address}")
        rest = UpstoxRest(http, hosts, lambda: None)
        masters = Masters(InstrumentFiles(http, hosts, rest.budget), folder)
        made = Stage(exchange, rest, DayList(masters, RunWatchlist(LIST), CANARY), notices)
        await made.open()
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(made.refill.run(made.runner))
            assert await holds(lambda: all(map(made.is_deep, ("INFY", "RELIANCE"))))
            yield made
            reading.cancel()


async def holds(claim: Callable[[], bool]) -> bool:
    """Whether the claim comes true while the others run."""
    for _ in range(_LOOKS):
        if claim():
            return True
        await asyncio.sleep(_LOOK_S)
    return False


def check_one_level(made: Stage, symbol: str, low: int, high: int) -> None:
    """Every kept price of the symbol lies between the bounds."""
    for minutes in (1, 5, 60):
        closes = made.closes(symbol, minutes)
        assert len(closes) > 100
        assert low < min(closes) <= max(closes) < high, minutes


async def bonus_over_night(made: Stage) -> int:
    """One share becomes two under the same key, and the next day reads again; the close before."""
    (close,) = made.closes("INFY")[-1:]
    await made.exchange.fault("instrument.split", "INFY", args={"r": 2, "isin": "kept"})
    made.move(FRIDAY, 8)
    before = len(made.reads("INFY"))
    made.refill.read_again()
    assert await holds(lambda: bool(made.restated()) or len(made.reads("INFY")) > before)
    assert await holds(lambda: made.is_deep("INFY"))
    return close


async def test_F45_after_a_bonus_under_the_same_key_no_price_of_before_is_left(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as made:
        others = made.runner.market.candles("RELIANCE", 1)
        close = await bonus_over_night(made)
        check_one_level(made, "INFY", close // 3, close * 3 // 4)
        change = next(
            e for e in made.events.all if isinstance(e, InstrumentsResolved) and e.restated
        )
        assert change.restated == ("INFY",)
        assert "INFY: the broker tells its past prices at another level" in change.notes[0]
        assert change.instruments[0].instrument_key == INFY
        assert {*made.runner.market.candles("RELIANCE", 1)} >= {*others[-600:]}


async def test_F45_the_check_fails_where_another_level_is_not_noticed(tmp_path: Path) -> None:
    async with stage(tmp_path, notices=False) as made:
        close = await bonus_over_night(made)
        with pytest.raises(AssertionError):
            check_one_level(made, "INFY", close // 3, close * 3 // 4)


async def test_a_symbol_that_was_added_is_read_deep(tmp_path: Path) -> None:
    async with stage(tmp_path) as made:

        async def add() -> InstrumentsResolved:
            return await made.day_list.add("TCS", None, made.clock.now_ns())

        await made.relisting.change(made.runner, add)
        assert await holds(lambda: made.is_deep("TCS"))
