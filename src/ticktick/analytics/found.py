"""The patterns that were found in a line, in little room: by the evening there are 200 of each.

A pattern with its record takes 235 bytes as an object and 90 here; it is made where one is asked
for. Five hundred symbols on six timeframes keep up to six hundred thousand.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Final, overload

from ticktick.analytics.shapes import SHAPES
from ticktick.domain.analysis import Pattern, Record, Trend

_NAMES: Final = tuple(shape.name for shape in SHAPES)
PLACES: Final = {name: place for place, name in enumerate(_NAMES)}
"""Where each pattern stands in SHAPES."""
_TRENDS: Final[tuple[Trend | None, ...]] = (None, "down", "none", "up")
_TREND_OF: Final = {trend: place for place, trend in enumerate(_TRENDS)}
_CLAIMS: Final = (None, False, True)
_CLAIM_OF: Final = {claim: place for place, claim in enumerate(_CLAIMS)}
_NAN: Final = float("nan")
_NO_PRICE: Final = 0  # prices never are
# confirmation, invalidation; shadow ratio, the record's rate, bounds and base rate; cases,
# revision; value; direction; shape, strict, trend, context
_ROW: Final = Struct("<2q5d2ihb4B")
_WIDTH: Final = _ROW.size


class Found(Sequence[Pattern]):
    """The newest `limit` patterns of a symbol and timeframe, oldest first, as they were put in.

    What is kept may change with the next `append`: whoever needs it longer copies it.
    """

    __slots__ = ("_limit", "_minutes", "_rows", "_starts", "_symbol")

    def __init__(self, symbol: str, minutes: int, limit: int) -> None:
        self._symbol = symbol
        self._minutes = minutes
        self._limit = limit
        self._starts = array("q")
        self._rows = bytearray()

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, place: int) -> Pattern: ...

    @overload
    def __getitem__(self, place: slice) -> list[Pattern]: ...

    def __getitem__(self, place: int | slice) -> Pattern | list[Pattern]:
        places = range(len(self._starts))[place]
        if isinstance(places, int):
            return self._pattern(places)
        return [self._pattern(each) for each in places]

    def ended(self, start_ns: int) -> list[Pattern]:
        """The patterns that ended with the candle that starts then."""
        first = bisect_left(self._starts, start_ns)
        places = range(first, bisect_left(self._starts, start_ns + 1, first))
        return [self._pattern(place) for place in places]

    def append(self, pattern: Pattern) -> None:
        """Keep one more, which ended with the newest candle."""
        record = pattern.record
        self._starts.append(pattern.start_ns)
        self._rows += _ROW.pack(
            pattern.confirmation or _NO_PRICE,
            pattern.invalidation or _NO_PRICE,
            _number(pattern.shadow_ratio),
            _number(record.rate),
            _number(record.low),
            _number(record.high),
            _number(record.base_rate),
            record.cases,
            pattern.revision,
            pattern.value,
            pattern.direction,
            PLACES[pattern.name],
            _CLAIM_OF[pattern.strict],
            _TREND_OF[pattern.trend],
            _CLAIM_OF[pattern.in_context],
        )
        if len(self._starts) > self._limit:
            del self._starts[0]
            del self._rows[:_WIDTH]

    def extend(self, patterns: Iterable[Pattern]) -> None:
        """Keep more, oldest first."""
        for pattern in patterns:
            self.append(pattern)

    def _pattern(self, place: int) -> Pattern:
        (
            confirmation,
            invalidation,
            ratio,
            rate,
            low,
            high,
            base_rate,
            cases,
            revision,
            value,
            direction,
            shape,
            strict,
            trend,
            in_context,
        ) = _ROW.unpack_from(self._rows, place * _WIDTH)
        return Pattern(
            self._symbol,
            self._minutes,
            self._starts[place],
            _NAMES[shape],
            value,
            direction,
            _CLAIMS[strict],
            _known(ratio),
            _TRENDS[trend],
            _CLAIMS[in_context],
            confirmation or None,
            invalidation or None,
            Record(cases, _known(rate), _known(low), _known(high), _known(base_rate)),
            revision,
        )


def _number(value: float | None) -> float:
    return _NAN if value is None else value


def _known(number: float) -> float | None:
    return None if number != number else number
