"""Closed candles of one instrument and timeframe, in order of their start.

They are kept as numbers, 36 bytes each, and made into candles where one is asked for: five hundred
instruments with a month behind them have a million and a half of them.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, overload

from msgspec import Struct

from ticktick.domain.market import Candle, CandleState

_STATES: Final = tuple(CandleState)
_PLACE: Final = {state: place for place, state in enumerate(_STATES)}
_CONFIRMED: Final = 8
_REVISION: Final = 16
# of each candle: open, high, low, close, volume, open interest, and state, confirmation and
# revision in one number
_WIDTH: Final = 7


class Joined(Struct, frozen=True, gc=False):
    """What candles in a row come to; `states` are all of theirs, prices only of those traded."""

    first: CandleState
    last: CandleState
    last_start_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    open_interest: int
    states: frozenset[CandleState]
    confirmed: bool

    def then(self, candle: Candle) -> "Joined":
        """With one more candle, which traded."""
        return Joined(
            self.first,
            candle.state,
            candle.start_ns,
            self.open,
            max(self.high, candle.high),
            min(self.low, candle.low) if self.low else candle.low,
            candle.close,
            self.volume + candle.volume,
            candle.open_interest,
            self.states | {candle.state},
            self.confirmed and candle.confirmed,
        )


def alone(candle: Candle) -> Joined:
    """What one candle comes to."""
    return Joined(
        candle.state,
        candle.state,
        candle.start_ns,
        candle.open,
        candle.high,
        candle.low,
        candle.close,
        candle.volume,
        candle.open_interest,
        frozenset({candle.state}),
        candle.confirmed,
    )


class Series(Sequence[Candle]):
    """The newest `limit` closed candles, oldest first, found by their start.

    What is kept may change with the next `put` or `trim`: whoever needs it longer copies it.
    """

    def __init__(self, symbol: str, minutes: int, limit: int) -> None:
        self._symbol = symbol
        self._minutes = minutes
        self._limit = limit
        self._starts = array("q")
        self._numbers = array("i")  # of wider numbers once one does not fit

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, place: int) -> Candle: ...

    @overload
    def __getitem__(self, place: slice) -> list[Candle]: ...

    def __getitem__(self, place: int | slice) -> Candle | list[Candle]:
        places = range(len(self._starts))[place]
        if isinstance(places, int):
            return self._candle(places)
        return [self._candle(each) for each in places]

    def __reversed__(self) -> Iterator[Candle]:
        return (self._candle(place) for place in range(len(self._starts) - 1, -1, -1))

    def get(self, start_ns: int) -> Candle | None:
        """The candle with that start, if it is kept."""
        place = bisect_left(self._starts, start_ns)
        return self._candle(place) if self._is_at(place, start_ns) else None

    def between(self, start_ns: int, end_ns: int) -> list[Candle]:
        """The candles that start in [start_ns, end_ns), oldest first."""
        first = bisect_left(self._starts, start_ns)
        places = range(first, bisect_left(self._starts, end_ns, first))
        return [self._candle(place) for place in places]

    def joined(self, start_ns: int, end_ns: int) -> Joined | None:
        """What the same candles come to; None without any."""
        first = bisect_left(self._starts, start_ns)
        end = bisect_left(self._starts, end_ns, first)
        if first == end:
            return None
        numbers = self._numbers[first * _WIDTH : end * _WIDTH]
        marks = set(numbers[6::_WIDTH])
        states = frozenset(_STATES[mark % _CONFIRMED] for mark in marks)
        lows = numbers[2::_WIDTH]
        return Joined(
            _STATES[numbers[6] % _CONFIRMED],
            _STATES[numbers[-1] % _CONFIRMED],
            self._starts[end - 1],
            numbers[0],
            max(numbers[1::_WIDTH]),
            min(filter(None, lows), default=0) if CandleState.MISSING in states else min(lows),
            numbers[-4],
            sum(numbers[4::_WIDTH]),
            numbers[-2],
            states,
            all(mark % _REVISION >= _CONFIRMED for mark in marks),
        )

    def starts(self, start_ns: int, end_ns: int) -> list[int]:
        """The starts of the same candles."""
        first = bisect_left(self._starts, start_ns)
        return self._starts[first : bisect_left(self._starts, end_ns, first)].tolist()

    def last(self) -> Candle | None:
        """The newest candle."""
        return self._candle(len(self._starts) - 1) if self._starts else None

    def put(self, candle: Candle) -> None:
        """Insert the candle, or replace the one with its start."""
        start_ns = candle.start_ns
        place = len(self._starts)
        if place and start_ns <= self._starts[-1]:
            place = bisect_left(self._starts, start_ns)
        taken = self._is_at(place, start_ns)
        if not taken:
            self._starts.insert(place, start_ns)
        numbers = _numbers(candle)
        try:
            told = array(self._numbers.typecode, numbers)
        except OverflowError:
            self._numbers = array("q", self._numbers)
            told = array("q", numbers)
        first = place * _WIDTH
        self._numbers[first : first + _WIDTH if taken else first] = told

    def trim(self) -> tuple[int, int] | None:
        """Drop the oldest beyond the limit; return the span (first start, new first start)."""
        surplus = len(self._starts) - self._limit
        if surplus <= 0:
            return None
        dropped = self._starts[0]
        del self._starts[:surplus]
        del self._numbers[: surplus * _WIDTH]
        return dropped, self._starts[0]

    def _is_at(self, place: int, start_ns: int) -> bool:
        return place < len(self._starts) and self._starts[place] == start_ns

    def _candle(self, place: int) -> Candle:
        first = place * _WIDTH
        opened, high, low, close, volume, interest, mark = self._numbers[first : first + _WIDTH]
        return Candle(
            self._symbol,
            self._minutes,
            self._starts[place],
            opened,
            high,
            low,
            close,
            volume,
            interest,
            _STATES[mark % _CONFIRMED],
            mark % _REVISION >= _CONFIRMED,
            mark // _REVISION,
        )


def _numbers(candle: Candle) -> tuple[int, ...]:
    mark = _PLACE[candle.state] + _CONFIRMED * candle.confirmed + _REVISION * candle.revision
    return (
        candle.open,
        candle.high,
        candle.low,
        candle.close,
        candle.volume,
        candle.open_interest,
        mark,
    )
