"""Every indicator of one symbol and timeframe, one step per final candle."""

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from ticktick.analytics.bars import CLOSE, Bars, input_fields
from ticktick.analytics.catalogue import INDICATORS, Flat, Indicator
from ticktick.analytics.handle import Streaming, handles_of
from ticktick.analytics.kernels import (
    NOTHING_FLAT,
    Flatness,
    Leaps,
    RelativeVolume,
    SessionVwap,
)
from ticktick.analytics.own import Sums
from ticktick.analytics.values import Values, pack, unpack
from ticktick.analytics.volumes import SessionVolumes
from ticktick.domain.analysis import Reading
from ticktick.domain.market import Candle

# highest, lowest, differences, and sums of whole numbers, which are exact in any order
_WINDOWED: Final = frozenset(("SMA", "ROC", "CMOU", "ER", "DONCHIAN", "AROON", "WILLR"))
_LONGEST_WINDOW: Final = 50  # of more bars a handle's sum is made sooner


class _Layout(NamedTuple):
    """What the handles of a line are and how their outputs are called."""

    streams: tuple[Streaming, ...]
    places: Mapping[str, int]
    flat: tuple[Indicator, ...]


class Indicators:
    """The streaming indicators of one symbol and timeframe.

    Feed final candles in order of their start, from as far back as there are; after a corrected
    candle make a new one and feed it the stored candles. Values are those of TA-Lib's batch
    functions over the same candles, bit for bit. `volumes` knows the symbol's minutes further back
    than the candles of this timeframe go; without it the relative volume is of these alone.
    """

    def __init__(
        self,
        symbol: str,
        minutes: int,
        *,
        has_volume: bool = True,
        volumes: SessionVolumes | None = None,
    ) -> None:
        self._symbol = symbol
        self._minutes = minutes
        self._layout = _layout(has_volume)
        self._handles = handles_of(self._layout.streams)
        self._flatness = Flatness()
        self._vwap = SessionVwap()
        self._volumes = volumes
        self._relative_volume = RelativeVolume() if volumes is None else None
        self._leaps = Leaps()
        self._bars = 0

    def seed(self, bars: Bars) -> Reading | None:
        """Take stored candles at once, oldest first, before any other.

        The reading after the last of them, None without any.
        """
        if not bars.rows:
            return None
        *before, last = bars.rows
        columns = bars.columns[:, :-1].copy()
        self._handles.seed(columns)
        self._flatness.seed(before, columns[CLOSE])
        self._vwap.seed(before)
        self._leaps.seed(Bars(before, columns))
        if self._relative_volume is not None:
            for bar in before:
                self._relative_volume.update(bar)
        self._bars = len(before)
        return self.update(last)

    def update(self, candle: Candle) -> Reading:
        """The reading after the next final candle."""
        self._bars += 1
        numbers = self._handles.update(
            candle.open, candle.high, candle.low, candle.close, candle.volume
        )
        flat = self._flatness.update(candle)
        own = self._relative_volume
        ratio = self._ratio(candle) if own is None else own.update(candle)
        sums = self._vwap.take(candle)
        return self._reading(candle, numbers, flat, sums, ratio, self._leaps.update(candle))

    def peek(self, candle: Candle) -> Reading:
        """What the reading would be if the candle ended as it stands; nothing is kept."""
        numbers = self._handles.peek(
            candle.open, candle.high, candle.low, candle.close, candle.volume
        )
        flat = self._flatness.fork().update(candle)
        own = self._relative_volume
        ratio = self._ratio(candle) if own is None else own.peek(candle)
        sums = self._vwap.peek(candle)
        return self._reading(candle, numbers, flat, sums, ratio, self._leaps.peek(candle), ahead=1)

    def _ratio(self, candle: Candle) -> float | None:
        return None if self._volumes is None else self._volumes.ratio(candle)

    def _reading(
        self,
        candle: Candle,
        numbers: bytes,
        flat: Mapping[Flat, bool],
        sums: Sums,
        ratio: float | None,
        withheld: str,
        ahead: int = 0,
    ) -> Reading:
        bars = self._bars + ahead
        if withheld:
            return Reading(
                self._symbol, self._minutes, candle.start_ns, bars, {}, withheld=withheld
            )
        degenerate: tuple[str, ...] = ()
        if flat is not NOTHING_FLAT:
            numbers, degenerate = _neutralised(self._layout, numbers, flat)
        values = Values(self._layout.places, numbers, candle.close, sums, ratio)
        return Reading(self._symbol, self._minutes, candle.start_ns, bars, values, degenerate)


def _neutralised(
    layout: _Layout, numbers: bytes, flat: Mapping[Flat, bool]
) -> tuple[bytes, tuple[str, ...]]:
    """Put the neutral value where a window was flat; the names of those values."""
    values, names = list(unpack(numbers)), list[str]()
    for indicator in layout.flat:
        if indicator.flat is None or not flat[indicator.flat]:
            continue
        for name in indicator.names:
            place = layout.places[name]
            if values[place] == values[place]:  # NaN: not ready
                values[place] = indicator.flat_value
                names.append(name)
    return pack(values), tuple(names)


def streams_of(*, has_volume: bool) -> tuple[Streaming, ...]:
    """The handles that the indicators need."""
    return _layout(has_volume).streams


@cache
def _layout(has_volume: bool) -> _Layout:
    wanted = [i for i in INDICATORS if has_volume or "volume" not in i.inputs]
    return _Layout(
        tuple(_streaming(indicator) for indicator in wanted),
        {name: place for place, name in enumerate(n for i in wanted for n in i.names)},
        tuple(indicator for indicator in wanted if indicator.flat is not None),
    )


def _streaming(indicator: Indicator) -> Streaming:
    outputs = "di" if indicator.function == "SUPERTREND" else "d" * len(indicator.names)
    fields = input_fields(indicator.inputs)
    is_windowed = indicator.function in _WINDOWED and indicator.first < _LONGEST_WINDOW
    return Streaming(
        indicator.function, fields, indicator.parameters, indicator.first, outputs, is_windowed
    )
