"""What is usual at this time of day: the same quarter of an hour of the last twenty sessions."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from statistics import median
from typing import Final

import numpy as np

from ticktick.analytics.microstructure.ground import Ground
from ticktick.core.columns import Floats, Rows
from ticktick.domain.clock import IST_OFFSET_NS, NS_PER_DAY, NS_PER_MINUTE, NS_PER_S, ist_day
from ticktick.domain.event import BaselinesRead, QuarterEnded
from ticktick.domain.market import QuarterHour
from ticktick.domain.sessions import Calendar

SESSIONS: Final = 20
LEAST_SESSIONS: Final = 5  # a median of fewer follows a single odd day
SAMPLE_NS: Final = 5 * NS_PER_S
QUARTER_NS: Final = 15 * NS_PER_MINUTE
_SAMPLES: Final = QUARTER_NS // SAMPLE_NS
_QUARTERS_A_DAY: Final = NS_PER_DAY // QUARTER_NS
_QUARTER_MINUTES: Final = QUARTER_NS // NS_PER_MINUTE
_DIGITS: Final = 4  # of a hundredth of a basis point nothing depends


class Baselines:
    """Samples what goes on every five seconds, and knows the medians of the days before.

    `spread_bps` and `rv` are float64[capacity]: what is usual now, NaN = fewer than five sessions
    are known. A quarter counts where at least half of its samples are known.
    """

    def __init__(self, ground: Ground, calendar: Calendar) -> None:
        capacity = ground.table.capacity
        self._ground = ground
        self._calendar = calendar
        self._known: dict[str, dict[int, dict[int, QuarterHour]]] = {}
        self._samples = np.full((2, _SAMPLES, capacity), np.nan)
        self._quarter = 0
        self.spread_bps: Floats = np.full(capacity, np.nan)
        self.rv: Floats = np.full(capacity, np.nan)

    def learn(self, quarters: Iterable[QuarterHour]) -> None:
        """Take over what was measured; `refresh` makes it count."""
        for quarter in quarters:
            of_symbol = self._known.setdefault(quarter.symbol, {})
            of_symbol.setdefault(quarter.minute, {})[quarter.day] = quarter

    def known(self, at_ns: int) -> Iterator[BaselinesRead]:
        """All that was learned and measured, as the events that would teach it."""
        for symbol, of_symbol in self._known.items():
            quarters = [quarter for days in of_symbol.values() for quarter in days.values()]
            yield BaselinesRead(at_ns, symbol, tuple(quarters))

    def forget(self, symbols: Iterable[str]) -> None:
        """Know nothing of these symbols, whose prices are of another level from here on."""
        for symbol in symbols:
            self._known.pop(symbol, None)
            self._samples[:, :, self._ground.table.row_of_symbol[symbol]] = np.nan

    def advance(self, rows: Rows, now_ns: int) -> list[QuarterEnded]:
        """Move to the moment; tell what the quarter was like that is over, if one is."""
        quarter = (now_ns + IST_OFFSET_NS) // QUARTER_NS
        if quarter == self._quarter:
            return []
        ended = [QuarterEnded(now_ns, measured) for measured in self._measured(rows)]
        self.learn(fact.quarter for fact in ended)
        self._samples.fill(np.nan)
        self._quarter = quarter
        self._drop_old()
        self.refresh(rows)
        return ended

    def sample(self, rows: Rows, spread_bps: Floats, rv: Floats, now_ns: int) -> None:
        """Note the values of the rows, NaN = not known, unless these five seconds have theirs."""
        place = (now_ns + IST_OFFSET_NS) % QUARTER_NS // SAMPLE_NS
        for samples, values in zip(self._samples[:, place], (spread_bps, rv), strict=True):
            samples[rows] = np.where(np.isnan(samples[rows]), values, samples[rows])

    def refresh(self, rows: Rows) -> None:
        """Find anew what is usual in this quarter of an hour for the rows followed now."""
        minute, today = self._minute_and_day()
        self.spread_bps.fill(np.nan)
        self.rv.fill(np.nan)
        for row in rows.tolist():
            days = self._known.get(self._ground.table.instruments[row].symbol, {}).get(minute, {})
            past = [quarter for day, quarter in days.items() if day < today]
            self.spread_bps[row] = _usual(quarter.spread_bps for quarter in past)
            self.rv[row] = _usual(quarter.rv for quarter in past)

    def _measured(self, rows: Rows) -> Iterator[QuarterHour]:
        minute, day = self._minute_and_day()
        for row in rows.tolist():
            spread_bps, rv = (_middle(samples) for samples in self._samples[:, :, row])
            if spread_bps is not None or rv is not None:
                symbol = self._ground.table.instruments[row].symbol
                yield QuarterHour(symbol, day, minute, spread_bps, rv)

    def _minute_and_day(self) -> tuple[int, int]:
        day, of_day = divmod(self._quarter, _QUARTERS_A_DAY)
        return of_day * _QUARTER_MINUTES, day

    def _drop_old(self) -> None:
        """Keep the last twenty sessions and today."""
        start_ns = self._quarter * QUARTER_NS - IST_OFFSET_NS
        today = ist_day(start_ns)
        oldest = self._calendar.trading_days_before(today, SESSIONS)[0]
        first = self._quarter // _QUARTERS_A_DAY - (today - oldest) // timedelta(days=1)
        for of_symbol in self._known.values():
            for days in of_symbol.values():
                for day in [day for day in days if day < first]:
                    del days[day]


def _usual(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return median(known) if len(known) >= LEAST_SESSIONS else np.nan


def _middle(samples: Floats) -> float | None:
    known = samples[~np.isnan(samples)]
    return round(float(np.median(known)), _DIGITS) if 2 * len(known) >= _SAMPLES else None
