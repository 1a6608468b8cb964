"""Frames of a feed that moves: what benchmarks and load send, the same bytes at every run.

Every instrument's price walks on the tick grid, volume only rises, and every frame tells a new
book, so that a program that keeps only what changed has something to keep in each.
"""

import random
from collections.abc import Iterator
from typing import Final

from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.slots import DEPTH_LEVELS
from ticktick.proto import MarketDataFeed_pb2 as pb2

START_MS: Final = 1_765_770_300_000  # 2025-12-15 09:15 in India, a session's first minute
_TICK_PAISE: Final = 5
_SPAN_TICKS: Final = 3


def instruments(count: int) -> list[Instrument]:
    """That many shares, as the broker names them."""
    return [
        Instrument(f"S{n}", f"Share {n}", "NSE", "NSE_EQ", f"NSE_EQ|INE{n:06}01", Kind.EQUITY)
        for n in range(count)
    ]


class MovingFeed:
    """Frames in mode `full` with all instruments, one after another.

    `paise` are the last prices, in paise, by instrument; `volumes` what was traded today.
    """

    def __init__(self, count: int, seed: int = 1) -> None:
        self._rng = random.Random(seed)
        self.keys = [instrument.instrument_key for instrument in instruments(count)]
        self.paise = [self._rng.randrange(2_000, 80_000) * _TICK_PAISE for _ in self.keys]
        self._first = list(self.paise)
        self.volumes = [self._rng.randrange(10**5, 10**7) for _ in self.keys]

    def frames(self, number: int, step_ms: int) -> Iterator[bytes]:
        """So many frames, one each `step_ms`."""
        for index in range(number):
            yield self.frame(START_MS + 1_000 + index * step_ms)

    def frame(self, at_ms: int) -> bytes:
        """One frame of the moment, in which everything traded."""
        message = pb2.FeedResponse(type=pb2.live_feed, currentTs=at_ms)
        for row, key in enumerate(self.keys):
            self._move(row)
            message.feeds[key].CopyFrom(self._feed(row, at_ms))
        return message.SerializeToString(deterministic=True)

    def _move(self, row: int) -> None:
        step = self._rng.randrange(-_SPAN_TICKS, _SPAN_TICKS + 1) * _TICK_PAISE
        moved, first = self.paise[row] + step, self._first[row]
        self.paise[row] = min(max(moved, first * 98 // 100 // 5 * 5), first * 102 // 100 // 5 * 5)
        self.volumes[row] += self._rng.randrange(1, 500)

    def _feed(self, row: int, at_ms: int) -> pb2.Feed:
        rng, paise, first = self._rng, self.paise[row], self._first[row]
        levels = [
            pb2.Quote(
                bidQ=rng.randrange(1, 5_000),
                bidP=(paise - _TICK_PAISE * level) / 100,
                askQ=rng.randrange(1, 5_000),
                askP=(paise + _TICK_PAISE * level) / 100,
            )
            for level in range(1, DEPTH_LEVELS + 1)
        ]
        day = {
            "open": first / 100,
            "high": first * 103 // 100 / 100,
            "low": first * 97 // 100 / 100,
            "close": paise / 100,
        }
        trade = pb2.LTPC(
            ltp=paise / 100,
            ltt=at_ms - rng.randrange(200),
            ltq=rng.randrange(1, 500),
            cp=first / 100,
        )
        full = pb2.MarketFullFeed(
            ltpc=trade,
            marketLevel=pb2.MarketLevel(bidAskQuote=levels),
            marketOHLC=pb2.MarketOHLC(
                ohlc=[pb2.OHLC(interval="1d", vol=self.volumes[row], ts=START_MS, **day)]
            ),
            atp=first / 100,
            vtt=self.volumes[row],
            tbq=float(rng.randrange(10**6)),
            tsq=float(rng.randrange(10**6)),
        )
        return pb2.Feed(fullFeed=pb2.FullFeed(marketFF=full), requestMode=pb2.full_d5)
