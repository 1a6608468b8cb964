"""The broker's finished one-minute candles: the current session and as many days as needed."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Final

from ticktick.brokers.budget import Priority
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.brokers.upstox.wire import CandleRow
from ticktick.domain.clock import (
    NS_PER_MINUTE,
    NS_PER_S,
    Clock,
    ist_day,
    ist_midnight_ns,
    parse_iso_ns,
)
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Candle, Minutes
from ticktick.domain.sessions import Calendar, session_class
from ticktick.errors import ConfigError

SETTLED_NS: Final = 10 * NS_PER_S
_SPAN_DAYS = 28  # the broker gives a month of one-minute candles per call
_SPARE_DAYS = 2
_FIRST_DAY = date(2022, 1, 1)
_MOST = 2.0**53


class UpstoxHistory:
    """Reads one-minute candles of the resolved instruments, by symbol.

    `note` takes a sentence for the user when candles of the broker could not be used.
    """

    def __init__(
        self,
        rest: UpstoxRest,
        instruments: Iterable[Instrument],
        clock: Clock,
        calendar: Calendar,
        note: Callable[[str], None],
    ) -> None:
        self._rest = rest
        self._instruments: Mapping[str, Instrument] = {i.symbol: i for i in instruments}
        self._clock = clock
        self._calendar = calendar
        self._note = note

    async def minutes(
        self, symbol: str, count: int, priority: Priority = Priority.REFILL
    ) -> Minutes:
        """The newest `count` finished one-minute candles; fewer if there are no more.

        Raises ConfigError for a symbol that is not watched, BrokerError if the broker fails.
        """
        read = await self._today(symbol, priority)
        last_day = read.today - timedelta(days=1)
        while len(read.candles) < count and last_day >= _FIRST_DAY:
            first_day = self._first_day(read.instrument, last_day, count - len(read.candles))
            if not await self._add_days(read, last_day, first_day, priority):
                break
            last_day = first_day - timedelta(days=1)
        return self._told(read, count)

    async def since(
        self, symbol: str, from_ns: int, priority: Priority = Priority.REFILL
    ) -> Minutes:
        """The finished one-minute candles of the moment's day and all days since.

        Raises as `minutes` does.
        """
        read = await self._today(symbol, priority)
        first_day, last_day = ist_day(from_ns), read.today - timedelta(days=1)
        while last_day >= first_day:
            begin_day = max(first_day, last_day - timedelta(days=_SPAN_DAYS))
            await self._add_days(read, last_day, begin_day, priority)
            last_day = begin_day - timedelta(days=1)
        return self._told(read, len(read.candles))

    async def newest(self, starts: Mapping[str, int]) -> list[Candle]:
        """The candles of the last finished minute of many symbols, by the start of each.

        One call for 500 of them; those of which the broker tells another minute are left out.
        Raises ConfigError for a symbol that is not watched, BrokerError if the broker fails.
        """
        instruments = {self._instrument(symbol).instrument_key: symbol for symbol in starts}
        now_ns = self._clock.now_ns()
        bars = await self._rest.minute_bars(list(instruments))
        found = []
        for key, symbol in instruments.items():
            rows = [bar.row() for bar in bars.get(key, ())]
            candles, _ = finished_candles(rows, self._instruments[symbol], now_ns)
            if starts[symbol] in candles:
                found.append(candles[starts[symbol]])
        return found

    def _instrument(self, symbol: str) -> Instrument:
        instrument = self._instruments.get(symbol)
        if instrument is None:
            raise ConfigError(f"{symbol} is not in the watchlist; `ticktick symbols` shows it")
        return instrument

    async def _today(self, symbol: str, priority: Priority) -> "_Reading":
        instrument = self._instrument(symbol)
        now_ns = self._clock.now_ns()
        rows = await self._rest.intraday_minutes(instrument.instrument_key, priority)
        candles, refused = finished_candles(rows, instrument, now_ns)
        return _Reading(instrument, now_ns, candles, refused)

    async def _add_days(
        self, read: "_Reading", last_day: date, first_day: date, priority: Priority
    ) -> bool:
        """Read the days, both included; false if that told nothing new."""
        key = read.instrument.instrument_key
        rows = await self._rest.history_minutes(key, last_day, first_day, priority)
        older, refused = finished_candles(rows, read.instrument, read.now_ns)
        read.refused += refused
        is_news = bool(older.keys() - read.candles.keys())
        read.candles |= older
        return is_news

    def _told(self, read: "_Reading", count: int) -> Minutes:
        if read.refused:
            symbol = read.instrument.symbol
            self._note(f"{symbol}: {read.refused} candles of the broker were no candles; left out")
        starts = sorted(read.candles)[-count:] if count > 0 else []
        if not starts:
            return Minutes(())
        kept = tuple(read.candles[start_ns] for start_ns in starts)
        is_cut = len(starts) < len(read.candles)
        from_ns = starts[0] if is_cut else ist_midnight_ns(ist_day(starts[0]))
        return Minutes(kept, (from_ns, _until_ns(kept[-1], read)))

    def _first_day(self, instrument: Instrument, last_day: date, wanted: int) -> date:
        """First day to ask for: sessions enough for the candles wanted, within the span."""
        after = last_day + timedelta(days=1)
        newest = self._calendar.trading_days_before(after, 1)[0]
        session = self._calendar.session(newest, session_class(instrument))
        per_day = session.minutes if session is not None else 1
        days = min(-(-wanted // per_day) + _SPARE_DAYS, _SPAN_DAYS)
        earliest = self._calendar.trading_days_before(after, days)[0]
        return max(earliest, last_day - timedelta(days=_SPAN_DAYS))


class _Reading:
    """What was read so far of one instrument."""

    def __init__(
        self, instrument: Instrument, now_ns: int, candles: dict[int, Candle], refused: int
    ) -> None:
        self.instrument = instrument
        self.now_ns = now_ns
        self.candles = candles
        self.refused = refused

    @property
    def today(self) -> date:
        """The day of the reading."""
        return ist_day(self.now_ns)


def _until_ns(newest: Candle, read: _Reading) -> int:
    """How far the answer is everything there is.

    A candle comes into the broker's answers some seconds after its minute. An answer without
    any candle of the day may be one that failed in silence: of that day it claims nothing.
    """
    midnight_ns = ist_midnight_ns(read.today)
    if newest.start_ns < midnight_ns:
        return midnight_ns
    settled_ns = (read.now_ns - SETTLED_NS) // NS_PER_MINUTE * NS_PER_MINUTE
    return max(newest.end_ns, settled_ns)


def finished_candles(
    rows: Iterable[CandleRow], instrument: Instrument, now_ns: int
) -> tuple[dict[int, Candle], int]:
    """The candles that are over, by start, and how many rows are no candle."""
    candles: dict[int, Candle] = {}
    refused = 0
    for row in rows:
        candle = _candle(row, instrument)
        if candle is None:
            refused += 1
        elif candle.end_ns <= now_ns:
            candles[candle.start_ns] = candle
    return candles, refused


def _candle(row: CandleRow, instrument: Instrument) -> Candle | None:
    """The row as a final candle; None if it is not one."""
    try:
        start, opened, high, low, close, volume, *rest = row
        start_ns = parse_iso_ns(start)
        prices = [_count(price * instrument.price_scale) for price in (opened, high, low, close)]
        shares, interest = _count(volume), _count(rest[0]) if rest else 0
    except (ValueError, TypeError, OverflowError):
        return None
    first, top, bottom, last = prices
    is_candle = 0 < bottom <= first <= top and bottom <= last <= top
    if not is_candle or start_ns % NS_PER_MINUTE or start_ns <= 0:
        return None
    return Candle(
        symbol=instrument.symbol,
        minutes=1,
        start_ns=start_ns,
        open=first,
        high=top,
        low=bottom,
        close=last,
        volume=shares,
        open_interest=interest,
    )


def _count(value: float) -> int:
    """The value to the nearest whole number.

    Raises ValueError if it is not a number, negative or absurd, TypeError if it is no value.
    """
    if not 0 <= value <= _MOST:
        raise ValueError(f"{value} is no price or quantity")
    return round(value)
