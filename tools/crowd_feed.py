"""What the stocks of a crowd tell: their feeds and their minutes."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS
from ticktick.domain.instrument import Kind
from ticktick.emulator.bars import Bars
from ticktick.emulator.listings import Listing
from ticktick.proto.MarketDataFeed_pb2 import (
    LTPC,
    OHLC,
    Feed,
    FullFeed,
    IndexFullFeed,
    MarketFullFeed,
    MarketLevel,
    MarketOHLC,
    Quote,
    RequestMode,
)
from tools.stamped import Values, fits

INDEX: Final = "NSE_INDEX|Nifty 50"
TICK: Final = 5  # paise
LEVELS: Final = 5
MINUTE_PRICES: Final = 4
MINUTE_SHARES: Final = 1 << 23  # about what each stock trades in a minute
_MINUTE_BYTES: Final = 4
_HISTORY: Final = 300  # minutes before the start


def key_of(number: int) -> str:
    """The instrument key of a stock."""
    return f"NSE_EQ|INE{number:06}A01"


class Minutes:
    """The running minute of every stock and those that are over.

    `told` is int64[5, stocks]: open, high, low, close and volume of the newest one that is over
    and of which everybody traded enough to be told; it began at `told_ms`.
    """

    def __init__(self, paise: NDArray[np.int64], minute: int) -> None:
        quiet = np.stack([*[paise] * MINUTE_PRICES, np.full(len(paise), MINUTE_SHARES)])
        self._over = {minute - back: quiet for back in range(_HISTORY, 0, -1)}
        self._minute = minute
        self._running = self._fresh(paise)
        self.told, self.told_ms = quiet, (minute - 1) * NS_PER_MINUTE // NS_PER_MS

    def trade(
        self,
        rows: NDArray[np.int64],
        paise: NDArray[np.int64],
        traded: NDArray[np.int64],
        minute: int,
    ) -> None:
        """Take over a trade of each of the rows."""
        if minute != self._minute:
            self._end(minute)
        running = self._running
        opens = running[4, rows] == 0
        for place in range(MINUTE_PRICES):
            running[place, rows[opens]] = paise[opens]
        running[1, rows] = np.maximum(running[1, rows], paise)
        running[2, rows] = np.minimum(running[2, rows], paise)
        running[3, rows] = paise
        running[4, rows] += traded

    def bars(self, row: int) -> Bars:
        """The minutes of one stock, the running one last."""
        minutes = {**self._over, self._minute: self._running}
        traded = {minute: values[:, row] for minute, values in minutes.items() if values[4, row]}
        starts = np.array(list(traded), np.int64) * NS_PER_MINUTE
        return Bars(starts, *np.stack(list(traded.values()), axis=1))

    def _end(self, minute: int) -> None:
        self._over[self._minute] = self._running
        if fits(self._running[4], _MINUTE_BYTES):
            self.told, self.told_ms = self._running, self._minute * NS_PER_MINUTE // NS_PER_MS
        self._running, self._minute = self._fresh(self._running[3]), minute

    @staticmethod
    def _fresh(paise: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.stack([*[paise] * MINUTE_PRICES, np.zeros(len(paise), np.int64)])


class IndexMinutes:
    """The minutes of the index, by what it was told to stand at; before the start it stood still.

    Prices are paise; it has no volume.
    """

    def __init__(self, paise: int, minute: int) -> None:
        self._prices = {minute - back: [paise] * MINUTE_PRICES for back in range(_HISTORY, 0, -1)}

    def tell(self, paise: int, minute: int) -> None:
        """It stands there now."""
        running = self._prices.setdefault(minute, [paise] * MINUTE_PRICES)
        running[1:] = max(running[1], paise), min(running[2], paise), paise

    def bars(self) -> Bars:
        """All minutes, the running one last."""
        starts = np.array(list(self._prices), np.int64) * NS_PER_MINUTE
        opened, high, low, close = np.array(list(self._prices.values()), np.int64).T
        return Bars(starts, opened, high, low, close, np.zeros_like(starts))


class Maker:
    """Builds the feeds of the instruments of one frame."""

    def __init__(self, first: Sequence[int]) -> None:
        self._first = first

    def __call__(self, row: int, values: Values) -> Feed:
        last, *book = values.doubles[: 1 + 2 * LEVELS]
        bids, asks = book[:LEVELS], book[LEVELS:]
        trade_ms, volume, minute_ms, minute_volume = values.wholes
        first = self._first[row]
        close, high, low = (first * p // (100 * TICK) * TICK / 100 for p in (100, 105, 95))
        levels = [
            Quote(bidQ=100 * n + row % 90, bidP=bid, askQ=110 * n + row % 70, askP=ask)
            for n, (bid, ask) in enumerate(zip(bids, asks, strict=True), 1)
        ]
        prices = dict(zip(("open", "high", "low", "close"), values.doubles[-4:], strict=True))
        bars = [
            OHLC(interval="1d", open=close, high=high, low=low, close=close),
            OHLC(interval="I1", vol=minute_volume, ts=minute_ms, **prices),
        ]
        full = MarketFullFeed(
            ltpc=LTPC(ltp=last, ltt=trade_ms, ltq=50 + row % 40, cp=close),
            marketLevel=MarketLevel(bidAskQuote=levels),
            marketOHLC=MarketOHLC(ohlc=bars),
            atp=close,
            vtt=volume,
            tbq=10_000.0 + row,
            tsq=12_000.0 + row,
        )
        return Feed(fullFeed=FullFeed(marketFF=full), requestMode=RequestMode.full_d5)


class IndexMaker:
    """Builds the feed of the index, which closed at `close` rupees."""

    def __init__(self, close: float) -> None:
        self._close = close

    def __call__(self, _: int, values: Values) -> Feed:
        trade = LTPC(ltp=values.doubles[0], ltt=values.wholes[0], cp=self._close)
        told = FullFeed(indexFF=IndexFullFeed(ltpc=trade))
        return Feed(fullFeed=told, requestMode=RequestMode.full_d5)


def stock(number: int) -> Listing:
    name = f"CROWD{number:03}"
    return Listing(
        key_of(number), name, f"Crowd {number}", name, str(50_000 + number), Kind.EQUITY, TICK
    )


# the last price and the book around it: bids from the best down, asks from the best up
BOOK: Final = TICK * np.array([0, *range(-1, -LEVELS - 1, -1), *range(1, LEVELS + 1)])
INDEX_LISTING: Final = Listing(INDEX, "NIFTY", "Nifty 50", "Nifty 50", "26000", Kind.INDEX)
