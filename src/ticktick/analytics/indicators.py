"""Every indicator of one symbol and timeframe, one step per final candle."""

import copy
import math
from collections.abc import Mapping, Sequence

from ticktick.analytics.bars import Bar, Bars, bar_of
from ticktick.analytics.catalogue import INDICATORS, Flat, Indicator
from ticktick.analytics.flat import Flatness
from ticktick.analytics.handle import Handle
from ticktick.analytics.own import RelativeVolume, SessionVwap, bollinger, keltner, momentum
from ticktick.domain.analysis import Reading
from ticktick.domain.market import Candle


class Indicators:
    """The streaming indicators of one symbol and timeframe.

    Feed final candles in order of their start, from as far back as there are; after a corrected
    candle make a new one and feed it the stored candles. Values are those of TA-Lib's batch
    functions over the same candles, bit for bit.
    """

    def __init__(self, symbol: str, minutes: int, *, has_volume: bool = True) -> None:
        self._symbol = symbol
        self._minutes = minutes
        self._wanted = [i for i in INDICATORS if has_volume or "volume" not in i.inputs]
        self._handles = [_handle(indicator) for indicator in self._wanted]
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
        for handle in self._handles:
            handle.seed(columns)
        self._flatness.seed(before, columns[Bar._fields.index("close")])
        self._vwap.seed(before)
        for bar in before:
            self._relative_volume.update(bar)
        self._bars = len(before)
        return self._step(last)

    def update(self, candle: Candle) -> Reading:
        """The reading after the next final candle."""
        return self._step(bar_of(candle))

    def peek(self, candle: Candle) -> Reading:
        """What the reading would be if the candle ended as it stands; nothing is kept."""
        bar = bar_of(candle)
        outputs = [handle.peek(bar) for handle in self._handles]
        own = self._vwap.peek(bar) | _volume(self._relative_volume.peek(bar))
        flat = copy.deepcopy(self._flatness).update(bar)
        return self._reading(bar, outputs, flat, own, self._bars + 1)

    def _step(self, bar: Bar) -> Reading:
        self._bars += 1
        outputs = [handle.update(bar) for handle in self._handles]
        own = self._vwap.update(bar) | _volume(self._relative_volume.update(bar))
        return self._reading(bar, outputs, self._flatness.update(bar), own, self._bars)

    def _reading(
        self,
        bar: Bar,
        outputs: Sequence[tuple[float, ...] | None],
        flat: Mapping[Flat, bool],
        own: Mapping[str, float],
        bars: int,
    ) -> Reading:
        values: dict[str, float] = {}
        degenerate: list[str] = []
        for indicator, output in zip(self._wanted, outputs, strict=True):
            if output is None:
                continue
            if indicator.flat is not None and flat[indicator.flat]:
                degenerate += indicator.names
                output = (indicator.flat_value,) * len(indicator.names)
            values |= _numbers(indicator.names, output)
        values |= own
        values |= keltner(values) | bollinger(values, bar.close) | momentum(values)
        return Reading(self._symbol, self._minutes, bar.start_ns, bars, values, tuple(degenerate))


def _handle(indicator: Indicator) -> Handle:
    return Handle(indicator.function, indicator.inputs, indicator.parameters, indicator.first)


def _numbers(names: Sequence[str], output: Sequence[float]) -> dict[str, float]:
    """The outputs by name; what is no number is not ready."""
    return {
        name: float(value)
        for name, value in zip(names, output, strict=True)
        if not math.isnan(value)
    }


def _volume(ratio: float | None) -> dict[str, float]:
    return {} if ratio is None else {"rvol": ratio}
