"""The days of a run: the broker's calendar and instruments, read again as they change.

From six in the morning until the evening the broker is asked every quarter of an hour whether
its instruments are new and what it says of the day; an answer that is missing leaves in use what
is known, and that is said once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final

from ticktick.brokers.upstox.hours import of_holidays, of_timings
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S, MarketClock, at_ist, ist_day
from ticktick.domain.event import CalendarRead, InstrumentsResolved, NoteTaken
from ticktick.domain.sessions import Calendar, DayHours
from ticktick.engine.runner import Runner
from ticktick.errors import BrokerError
from ticktick.origin.day_list import DayList
from ticktick.origin.relisting import Relisting

_EVERY_NS: Final = 15 * NS_PER_MINUTE
_FIRST_HOUR, _LAST_HOUR = 6, 20
_LEAST_S: Final = 5.0
_LONGEST_S: Final = 1.0
_SHORTEST_S: Final = 0.1


class Days:
    """Follows the calendar and the instrument master of the broker.

    `calendar` is the dated one with what the broker told of single days, `due_ns` the moment of
    the next look. `new_day` is called whenever a trading day begins, before its session: pasts
    may be told at another level.
    """

    def __init__(
        self,
        rest: UpstoxRest,
        clock: MarketClock,
        day_list: DayList,
        relisting: Relisting,
        new_day: Callable[[], None],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.calendar = Calendar()
        self.rest = rest
        self._clock = clock
        self._day_list = day_list
        self._relisting = relisting
        self._new_day = new_day
        self._sleep = sleep
        self._clock_s = clock_s
        self._hours: dict[date, DayHours] = {}
        self._said: set[tuple[date, str]] = set()
        self._looked_ns = 0
        self._looked_s = 0.0
        self.due_ns = 0
        self._master_day: date | None = None

    async def open(self) -> list[CalendarRead | NoteTaken | InstrumentsResolved]:
        """What a run begins with: the list by the day's instruments, then the calendar.

        Raises ConfigError if nothing of the list is listed, BrokerError without instruments.
        """
        now_ns = self._clock.now_ns()
        told = await self._read_calendar(now_ns)
        self._master_day = self.calendar.master_day(now_ns)
        first = await self._day_list.open(self._master_day, now_ns)
        self._plan(now_ns)
        return [first, *told]

    async def run(self, runner: Runner) -> None:
        """Look whenever it is time, for ever."""
        while True:
            await self._sleep(self._pause_s())
            await self.look(runner)

    async def look(self, runner: Runner) -> None:
        """Ask the broker for what is new, if it is time."""
        now_ns = self._clock.now_ns()
        if not self._is_due(now_ns):
            return
        self._plan(now_ns)
        for event in await self._read_calendar(now_ns):
            await runner.put(event)
        day = self.calendar.master_day(now_ns)
        is_new_day = day != self._master_day
        if not is_new_day and not self.calendar.is_trading_day(ist_day(now_ns)):
            return
        try:
            await self._relisting.change(runner, lambda: self._day_list.renew(day, now_ns))
        except BrokerError as error:
            used = f"{self._day_list.master_day:%d %b %Y}"
            text = f"Instruments: the list of {used} stays in use, because {error}"
            for note in self._note(now_ns, text):
                await runner.put(note)
        if is_new_day:
            self._master_day = day
            self._new_day()

    async def _read_calendar(self, now_ns: int) -> list[CalendarRead | NoteTaken]:
        """What the broker says of days that it had not said; a note where it says nothing."""
        day = ist_day(now_ns)
        try:
            told = {hours.day: hours for hours in of_holidays(await self.rest.holidays())}
            today = of_timings(day, await self.rest.timings(day))
        except BrokerError as error:
            return self._note(now_ns, f"the broker's calendar cannot be read: {error}")
        notes: list[CalendarRead | NoteTaken] = []
        if today is not None:
            told[day] = today
        elif day not in told and self.calendar.is_trading_day(day):
            # an empty answer alone is no proof of a holiday
            notes += self._note(
                now_ns,
                f"the broker tells no hours for {day:%d %b %Y}, though it "
                "is no holiday; the usual hours are expected",
            )
        news = tuple(told[d] for d in sorted(told) if self._hours.get(d) != told[d])
        if not news:
            return notes
        self._hours |= told
        self.calendar = self.calendar.told(news)
        return [CalendarRead(now_ns, news), *notes]

    def _note(self, now_ns: int, text: str) -> list[CalendarRead | NoteTaken]:
        """A warning, once a day."""
        if (ist_day(now_ns), text) in self._said:
            return []
        self._said = {(day, said) for day, said in self._said if day == ist_day(now_ns)}
        self._said.add((ist_day(now_ns), text))
        return [NoteTaken(now_ns, "warning", text)]

    def _is_due(self, now_ns: int) -> bool:
        """Whether it is time, or the clock was set back; at night nothing is new."""
        first_ns, last_ns = _hours_of(now_ns)
        if not first_ns <= now_ns < last_ns + _EVERY_NS:
            return False
        if self._clock_s() - self._looked_s < _LEAST_S and now_ns - self._looked_ns < NS_PER_DAY:
            return self.calendar.master_day(now_ns) != self._master_day
        return now_ns >= self.due_ns or now_ns < self._looked_ns

    def _plan(self, now_ns: int) -> None:
        """Note the look and when the next one is due."""
        first_ns, last_ns = _hours_of(now_ns)
        next_ns = max((now_ns // _EVERY_NS + 1) * _EVERY_NS, first_ns)
        self.due_ns = next_ns if next_ns <= last_ns else first_ns + NS_PER_DAY
        self._looked_ns, self._looked_s = now_ns, self._clock_s()

    def _pause_s(self) -> float:
        """Real seconds until the next look, a second at most since the clock may be set."""
        if self._clock.rate <= 0:
            return _LONGEST_S
        left_s = (self.due_ns - self._clock.now_ns()) / NS_PER_S / self._clock.rate
        return min(max(left_s, _SHORTEST_S), _LONGEST_S)


def _hours_of(now_ns: int) -> tuple[int, int]:
    """The first and the last look of a day."""
    day = ist_day(now_ns)
    return at_ist(day, _FIRST_HOUR), at_ist(day, _LAST_HOUR)
