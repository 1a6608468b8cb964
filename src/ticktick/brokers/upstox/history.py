"""The broker's finished one-minute candles: the current session and as many days as needed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.brokers.upstox.wire import CandleRow
from ticktick.domain.clock import NS_PER_MINUTE, Clock, ist_day, parse_iso_ns
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Candle
from ticktick.domain.sessions import Calendar, session_class
from ticktick.errors import ConfigError

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

    async def minutes(self, symbol: str, count: int) -> Sequence[Candle]:
        """The newest `count` finished one-minute candles, oldest first; fewer if there are no more.

        Raises ConfigError for a symbol that is not watched, BrokerError if the broker fails.
        """
        instrument = self._instruments.get(symbol)
        if instrument is None:
            raise ConfigError(f"{symbol} is not in the watchlist; `ticktick symbols` shows it")
        now_ns = self._clock.now_ns()
        today = ist_day(now_ns)
        rows = await self._rest.intraday_minutes(instrument.instrument_key)
        candles, refused = finished_candles(rows, instrument, now_ns)
        last_day = today - timedelta(days=1)
        while len(candles) < count and last_day >= _FIRST_DAY:
            first_day = self._first_day(instrument, last_day, count - len(candles))
            rows = await self._rest.history_minutes(instrument.instrument_key, last_day, first_day)
            older, bad = finished_candles(rows, instrument, now_ns)
            refused += bad
            if not older.keys() - candles.keys():
                break
            candles |= older
            last_day = first_day - timedelta(days=1)
        if refused:
            self._note(f"{symbol}: {refused} candles of the broker were no candles; left out")
        return [candles[start_ns] for start_ns in sorted(candles)[-count:]] if count > 0 else []

    def _first_day(self, instrument: Instrument, last_day: date, wanted: int) -> date:
        """First day to ask for: sessions enough for the candles wanted, within the span."""
        after = last_day + timedelta(days=1)
        newest = self._calendar.trading_days_before(after, 1)[0]
        session = self._calendar.session(newest, session_class(instrument))
        per_day = session.minutes if session is not None else 1
        days = min(-(-wanted // per_day) + _SPARE_DAYS, _SPAN_DAYS)
        earliest = self._calendar.trading_days_before(after, days)[0]
        return max(earliest, last_day - timedelta(days=_SPAN_DAYS))


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
