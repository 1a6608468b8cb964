"""Every indicator of one symbol and timeframe, one step per final candle."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from ticktick.analytics.bars import CLOSE, Bars, input_fields
from ticktick.analytics.catalogue import INDICATORS, Flat, Indicator
from ticktick.analytics.handle import Streaming, handles_of
from ticktick.analytics.kernels import (
    NOTHING_FLAT,
    Flatness,
    RelativeVolume,
    SessionVwap,
    bollinger,
    keltner,
    momentum,
)
from ticktick.domain.analysis import Reading
from ticktick.domain.market import Candle


class _Layout(NamedTuple):
    """What the handles of a line are and how their outputs are called."""

    streams: tuple[Streaming, ...]
    names: tuple[str, ...]
    flat: tuple[Indicator, ...]


class Indicators:
    """The streaming indicators of one symbol and timeframe.

    Feed final candles in order of their start, from as far back as there are; after a corrected
    candle make a new one and feed it the stored candles. Values are those of TA-Lib's batch
    functions over the same candles, bit for bit.
    """

    def __init__(self, symbol: str, minutes: int, *, has_volume: bool = True) -> None:
        self._symbol = symbol
        self._minutes = minutes
        self._layout = _layout(has_volume)
        self._handles = handles_of(self._layout.streams)
        self._flatness = Flatness()
        self._vwap = SessionVwap()
        self._relative_volume = RelativeVolume()
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
        for bar in before:
            self._relative_volume.update(bar)
        self._bars = len(before)
        return self.update(last)

    def update(self, candle: Candle) -> Reading:
        """The reading after the next final candle."""
        self._bars += 1
        outputs = self._handles.update(
            candle.open, candle.high, candle.low, candle.close, candle.volume
        )
        own = self._vwap.update(candle) | _volume(self._relative_volume.update(candle))
        return self._reading(candle, outputs, self._flatness.update(candle), own, self._bars)

    def peek(self, candle: Candle) -> Reading:
        """What the reading would be if the candle ended as it stands; nothing is kept."""
        outputs = self._handles.peek(
            candle.open, candle.high, candle.low, candle.close, candle.volume
        )
        own = self._vwap.peek(candle) | _volume(self._relative_volume.peek(candle))
        flat = self._flatness.fork().update(candle)
        return self._reading(candle, outputs, flat, own, self._bars + 1)

    def _reading(
        self,
        candle: Candle,
        outputs: Sequence[float],
        flat: Mapping[Flat, bool],
        own: Mapping[str, float],
        bars: int,
    ) -> Reading:
        values = dict(zip(self._layout.names, outputs, strict=True))
        total = sum(outputs)
        if total != total:  # some are NaN: not ready
            values = {name: value for name, value in values.items() if value == value}
        degenerate = () if flat is NOTHING_FLAT else self._neutralise(values, flat)
        values |= own
        values |= keltner(values)
        values |= bollinger(values, candle.close)
        values |= momentum(values)
        return Reading(self._symbol, self._minutes, candle.start_ns, bars, values, degenerate)

    def _neutralise(self, values: dict[str, float], flat: Mapping[Flat, bool]) -> tuple[str, ...]:
        """Put the neutral value where a window was flat; the names of those values."""
        found = [
            (name, indicator.flat_value)
            for indicator in self._layout.flat
            if indicator.flat is not None and flat[indicator.flat]
            for name in indicator.names
            if name in values
        ]
        values |= found
        return tuple(name for name, _ in found)


def streams_of(*, has_volume: bool) -> tuple[Streaming, ...]:
    """The handles that the indicators need."""
    return _layout(has_volume).streams


@cache
def _layout(has_volume: bool) -> _Layout:
    wanted = [i for i in INDICATORS if has_volume or "volume" not in i.inputs]
    return _Layout(
        tuple(_streaming(indicator) for indicator in wanted),
        tuple(name for indicator in wanted for name in indicator.names),
        tuple(indicator for indicator in wanted if indicator.flat is not None),
    )


def _streaming(indicator: Indicator) -> Streaming:
    outputs = "di" if indicator.function == "SUPERTREND" else "d" * len(indicator.names)
    fields = input_fields(indicator.inputs)
    return Streaming(indicator.function, fields, indicator.parameters, indicator.first, outputs)


def _volume(ratio: float | None) -> dict[str, float]:
    return {} if ratio is None else {"rvol": ratio}
