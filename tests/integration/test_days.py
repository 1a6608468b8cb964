"""The broker's days while a program runs: new instruments, holidays and sessions at odd times."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import aiohttp
import pytest

from tests.exchange_stage import ExchangeStage, exchange_stage
from tests.origin_stage import CANARY, new_runner
from ticktick.brokers.upstox.files import InstrumentFiles
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.master import Masters
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import MarketClock, at_ist
from ticktick.domain.event import CalendarRead, InstrumentsResolved, NoteTaken
from ticktick.domain.sessions import DayHours, SessionClass
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.origin.day_list import DayList
from ticktick.origin.days import Days
from ticktick.origin.relisting import Relisting
from ticktick.origin.watchlist import RunWatchlist

FRIDAY, SATURDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 23)
LIST = (
    WatchlistEntry("Infosys", "NSE_EQ|INE009A01021", "INFY"),
    WatchlistEntry("ITC", "NSE_EQ|INE154A01025"),
)


class Feed:
    """Remembers which keys it follows."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def change_keys(self, keys: Sequence[str]) -> None:
        """Follow these."""
        self.keys = list(keys)


class Past:
    """Remembers whose past is to be read."""

    def __init__(self) -> None:
        self.seeded: list[str] = []

    def seed(self, symbols: Iterable[str]) -> None:
        """Read the past of these."""
        self.seeded += symbols


class Stage:
    """The days of a run on the exchange, whose clock the test moves."""

    def __init__(self, exchange: ExchangeStage, rest: UpstoxRest, day_list: DayList) -> None:
        self.exchange = exchange
        self.feed, self.past, self.new_days = Feed(), Past(), 0
        self.clock = MarketClock(exchange.now_ns, 1.0, lambda: 0)
        self.waited_s = 0.0
        self.day_list = day_list
        self.relisting = Relisting(self.feed, self.past)
        self.days = Days(
            rest, self.clock, day_list, self.relisting, self._new_day, clock_s=lambda: self.waited_s
        )
        self.runner, self.events = new_runner()

    def _new_day(self) -> None:
        self.new_days += 1

    async def open(self) -> None:
        """Begin, as the program does."""
        for event in await self.days.open():
            self.runner.process(event)
        self.relisting.begin(self.day_list.latest)

    async def look_at(self, day: date, hour: int, minute: int = 0) -> list[object]:
        """Move to the moment and look; the events of it, which the engine took."""
        self.exchange.server.advance(at_ist(day, hour, minute))
        self.clock.set(self.exchange.now_ns, 1.0)
        self.waited_s += 60.0
        return await self.look()

    async def look(self) -> list[object]:
        """Look; the events of it, which the engine took."""
        before = len(self.events.all)
        await self.days.look(self.runner)
        return [*self.events.all[before:]]


@asynccontextmanager
async def stage(start: str, folder: Path) -> AsyncIterator[Stage]:
    async with exchange_stage(start) as exchange, aiohttp.ClientSession() as http:
        hosts = Hosts.loopback(f"http://{exchange.exchange.address}")
        rest = UpstoxRest(http, hosts, lambda: None)
        masters = Masters(InstrumentFiles(http, hosts, rest.budget), folder)
        yield Stage(exchange, rest, DayList(masters, RunWatchlist(LIST), CANARY))


def of(kind: type, events: Iterable[object]) -> list[object]:
    return [event for event in events if isinstance(event, kind)]


async def test_a_run_begins_with_the_list_and_what_the_broker_says_of_the_year(
    tmp_path: Path,
) -> None:
    async with stage("2026-11-20T10:30:00", tmp_path) as made:
        await made.open()
        first, calendar = made.events.all
        assert isinstance(first, InstrumentsResolved)
        assert [one.symbol for one in first.instruments] == ["INFY", "ITC", "NIFTY"]
        assert isinstance(calendar, CalendarRead)
        told = {hours.day: hours for hours in calendar.days}
        assert told[date(2026, 11, 24)] == DayHours(date(2026, 11, 24))
        assert told[FRIDAY].cash == ((at_ist(FRIDAY, 9, 15), at_ist(FRIDAY, 15, 30)),)
        assert made.days.calendar.session(FRIDAY, SessionClass.AUCTION_CASH) is not None
        assert made.day_list.master_day == FRIDAY


async def test_nothing_is_asked_before_it_is_time(tmp_path: Path) -> None:
    async with stage("2026-11-20T10:30:00", tmp_path) as made:
        await made.open()
        asked: list[int] = []
        for minute in range(30, 60):
            made.clock.set(at_ist(FRIDAY, 10, minute), 1.0)
            made.waited_s += 60.0
            waits_ns = made.days.due_ns - made.clock.now_ns()
            await made.look()
            if waits_ns <= 0:
                asked.append(minute)
        assert asked == [45]


async def test_F45_a_split_over_night_gives_a_new_key_before_the_next_open_and_nothing_else(
    tmp_path: Path,
) -> None:
    async with stage("2026-11-20T15:00:00", tmp_path) as made:
        await made.open()
        await made.exchange.fault("instrument.split", "INFY", args={"r": 5})
        assert of(InstrumentsResolved, await made.look_at(FRIDAY, 19)) == []
        assert of(InstrumentsResolved, await made.look_at(SATURDAY, 9)) == []
        assert of(InstrumentsResolved, await made.look_at(MONDAY, 5)) == []
        assert made.new_days == 0
        (made_new,) = of(InstrumentsResolved, await made.look_at(MONDAY, 6))
        assert isinstance(made_new, InstrumentsResolved)
        infy = made_new.instruments[0]
        assert (infy.symbol, infy.instrument_key == LIST[0].instrument_key) == ("INFY", False)
        assert made_new.restated == ("INFY",)
        assert infy.instrument_key in made.feed.keys
        assert LIST[0].instrument_key not in made.feed.keys
        assert (made.past.seeded, made.new_days) == (["INFY"], 1)
        assert made.runner.market.table.row_of_symbol["INFY"] == 0
        assert of(InstrumentsResolved, await made.look_at(MONDAY, 9, 15)) == []
        assert made.new_days == 1


async def test_F46_while_the_master_is_missing_yesterdays_is_used_dated_and_tried_again(
    tmp_path: Path,
) -> None:
    async with stage("2026-11-20T15:00:00", tmp_path) as made:
        await made.open()
        await made.exchange.fault("instrument.split", "INFY", args={"r": 5})
        await made.exchange.fault("rest.status", "instruments", args={"code": 404})
        (note,) = of(NoteTaken, await made.look_at(MONDAY, 6))
        assert isinstance(note, NoteTaken)
        assert note.text.startswith(
            "Instruments: the list of 20 Nov 2026 stays in use, because the broker"
        )
        assert await made.look_at(MONDAY, 6, 15) == []
        assert made.day_list.latest.instruments[0].instrument_key == LIST[0].instrument_key
        await made.exchange.clear()
        (made_new,) = of(InstrumentsResolved, await made.look_at(MONDAY, 6, 30))
        assert isinstance(made_new, InstrumentsResolved)
        assert made_new.restated == ("INFY",)
        assert made.day_list.master_day == MONDAY


async def test_F41_a_day_that_becomes_a_holiday_is_one_for_the_phases(tmp_path: Path) -> None:
    async with stage("2026-11-20T10:30:00", tmp_path) as made:
        await made.open()
        await made.exchange.fault("calendar.set", args={"day": "2026-11-23", "hours": ""})
        (told,) = of(CalendarRead, await made.look_at(FRIDAY, 10, 45))
        assert isinstance(told, CalendarRead)
        assert told.days == (DayHours(MONDAY),)
        assert made.days.calendar.master_day(at_ist(MONDAY, 9)) == FRIDAY
        await made.look_at(MONDAY, 9, 20)
        assert (made.new_days, made.day_list.master_day) == (0, FRIDAY)
        assert made.days.calendar.session(MONDAY, SessionClass.CASH) is None


async def test_F41_a_session_on_a_saturday_is_known_and_its_instruments_are_read(
    tmp_path: Path,
) -> None:
    async with stage("2026-11-20T10:30:00", tmp_path) as made:
        await made.open()
        hours = {"day": "2026-11-21", "hours": "10:00-11:00"}
        await made.exchange.fault("calendar.set", args=hours)
        await made.exchange.fault("instrument.split", "ITC", args={"r": 2})
        events = await made.look_at(SATURDAY, 6)
        (told,) = of(CalendarRead, events)
        assert isinstance(told, CalendarRead)
        stretch = (at_ist(SATURDAY, 10), at_ist(SATURDAY, 11))
        assert told.days == (DayHours(SATURDAY, (stretch,), (stretch,)),)
        (made_new,) = of(InstrumentsResolved, events)
        assert isinstance(made_new, InstrumentsResolved)
        assert made_new.restated == ("ITC",)
        assert made.new_days == 1


async def test_a_calendar_that_cannot_be_read_is_said_once_and_the_dated_one_stays(
    tmp_path: Path,
) -> None:
    async with stage("2026-11-20T10:30:00", tmp_path) as made:
        await made.exchange.fault("rest.status", "/v2/market", args={"code": 404})
        await made.open()
        first, note = made.events.all
        assert isinstance(first, InstrumentsResolved)
        assert isinstance(note, NoteTaken)
        assert note.text.startswith("the broker's calendar cannot be read: ")
        assert await made.look_at(FRIDAY, 10, 45) == []
        assert made.days.calendar.is_trading_day(MONDAY)
        await made.exchange.clear()
        assert len(of(CalendarRead, await made.look_at(FRIDAY, 11))) == 1


async def test_F41_an_empty_answer_is_no_holiday(tmp_path: Path) -> None:
    async with stage("2026-11-20T10:30:00", tmp_path) as made:
        await made.exchange.fault("rest.empty_list", "/v2/market")
        await made.open()
        first, note = made.events.all
        assert isinstance(first, InstrumentsResolved)
        assert isinstance(note, NoteTaken)
        assert "tells no hours for 20 Nov 2026, though it is no holiday" in note.text
        assert made.days.calendar.is_trading_day(FRIDAY)


async def test_a_clock_that_is_set_back_is_followed(tmp_path: Path) -> None:
    async with stage("2026-11-20T10:30:00", tmp_path) as made:
        await made.open()
        made.clock.set(at_ist(date(2026, 11, 18), 10), 1.0)
        before = made.days.due_ns
        await made.look()
        assert made.days.due_ns < before
        assert made.days.due_ns == at_ist(date(2026, 11, 18), 10, 15)


async def test_a_market_that_races_is_asked_once_in_five_seconds_but_at_each_new_day(
    tmp_path: Path,
) -> None:
    async with stage("2026-11-20T10:30:00", tmp_path) as made:
        await made.open()
        made.clock.set(at_ist(FRIDAY, 15), 1.0)
        made.waited_s += 4.0
        await made.look()
        assert made.days.due_ns < made.clock.now_ns()
        made.clock.set(at_ist(MONDAY, 6, 1), 1.0)
        await made.look()
        assert made.new_days == 1


@pytest.mark.parametrize("rate", [0.0, 1.0, 3000.0])
async def test_the_task_looks_for_ever_at_any_pace(tmp_path: Path, rate: float) -> None:
    async with stage("2026-11-20T10:30:00", tmp_path) as made:
        await made.open()
        pauses: list[float] = []

        async def sleep(pause_s: float) -> None:
            pauses.append(pause_s)
            if len(pauses) == 3:
                raise asyncio.CancelledError

        days = Days(
            made.days.rest,
            MarketClock(made.exchange.now_ns, rate, lambda: 0),
            made.day_list,
            made.relisting,
            lambda: None,
            sleep=sleep,
        )
        with pytest.raises(asyncio.CancelledError):
            await days.run(made.runner)
        assert all(0.1 <= pause_s <= 1.0 for pause_s in pauses)
