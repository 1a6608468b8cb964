"""An exchange of hundreds of stocks that all trade all the time: the other side of a load test.

It is the built-in exchange over its real protocol, with a market of its own: every stock's price
walks on its tick grid and every frame tells its whole book. Frames are stamped, not built, so
that one process can send tens of thousands of updates a second. A line on its standard input,
updates per second, changes how much that is; 0 is a market in which nothing happens. It answers
each with a line of JSON: what it sent so far, and the last prices. It ends when its input closes.
"""

import argparse
import asyncio
import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_MS, NS_PER_S, at_ist
from ticktick.domain.sessions import Calendar
from ticktick.emulator.bars import Bars, daily
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.feed import FeedConnection
from ticktick.emulator.listings import Listing, price_band
from ticktick.emulator.pace import Pace
from ticktick.emulator.server import ExchangeServer, listening
from ticktick.emulator.source import Update
from ticktick.proto.MarketDataFeed_pb2 import Feed
from tools.crowd_feed import (
    BOOK,
    INDEX,
    INDEX_LISTING,
    LEVELS,
    MINUTE_PRICES,
    MINUTE_SHARES,
    TICK,
    IndexMaker,
    IndexMinutes,
    Maker,
    Minutes,
    key_of,
    stock,
)
from tools.stamped import Stamped

GROUP: Final = 50  # instruments of one frame
_LEAST_WAIT_S: Final = 0.01
_LONGEST_WAIT_S: Final = 0.05
_DOUBLES: Final = 1 + 2 * LEVELS + MINUTE_PRICES
_FIRST_VOLUME: Final = 1 << 29


class Crowd:
    """The market: `frames` are what `advance` made and nobody took yet.

    `updates_per_s` may be changed at any time; `sent` counts the updates, `made` the frames.
    """

    def __init__(self, count: int, start_ns: int, updates_per_s: float) -> None:
        self._rng = np.random.default_rng(count)
        self.now_ns = start_ns
        self._due_ns = float(start_ns)
        self.updates_per_s = updates_per_s
        self.sent = self.made = 0
        self.frames: list[bytes] = []
        self._first = self._rng.integers(2_000, 60_000, count) * TICK
        self.paise: NDArray[np.int64] = self._first.copy()
        self._volumes = np.full(count, _FIRST_VOLUME)
        self.listings: Sequence[Listing] = (*map(stock, range(count)), INDEX_LISTING)
        self._row = {listing.key: row for row, listing in enumerate(self.listings)}
        rows = np.arange(count)
        self._groups = [rows[at : at + GROUP] for at in range(0, count, GROUP)]
        start_ms = start_ns // NS_PER_MS
        wholes = (start_ms, _FIRST_VOLUME, start_ms, MINUTE_SHARES)
        self._stamped = [
            Stamped(
                [key_of(row) for row in group], Maker(self._first[group].tolist()), _DOUBLES, wholes
            )
            for group in self._groups
        ]
        self._index = Stamped([INDEX], IndexMaker(self._level() / 100), 1, (start_ms,))
        self._turn = 0
        self._minutes = Minutes(self._first, start_ns // NS_PER_MINUTE)
        self._index_minutes = IndexMinutes(self._level(), start_ns // NS_PER_MINUTE)
        for turn in range(len(self._groups)):  # for whoever asks before anything trades
            self._frame(turn, start_ms)
        self._index_frame(start_ms)

    def advance(
        self, to_ns: int, wanted: frozenset[str], deep: frozenset[str] = frozenset()
    ) -> Iterator[Update]:
        """Make the frames up to the moment; nothing is told as an update."""
        while self.updates_per_s and self._due_ns <= to_ns:
            made = self._make(int(self._due_ns) // NS_PER_MS)
            self._due_ns += NS_PER_S * made / self.updates_per_s
        self._due_ns = max(self._due_ns, to_ns)
        self.now_ns = to_ns
        yield from ()

    def next_ns(self) -> int | None:
        """When the next frame is due."""
        return int(self._due_ns) if self.updates_per_s else None

    def snapshot(self, key: str, deep: bool = False) -> Feed | None:
        """What was told of an instrument last."""
        if key == INDEX:
            return self._index.feed(key)
        return self._stamped[self._row[key] // GROUP].feed(key)

    def bars(self, key: str) -> Bars:
        """The minutes up to now; before the start the price stood still."""
        return self._index_minutes.bars() if key == INDEX else self._minutes.bars(self._row[key])

    def day_bars(self, key: str) -> Bars:
        """The same by day."""
        return daily(self.bars(key))

    def open_interest(self, key: str, at_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """None: they are shares."""
        return np.zeros(len(at_ns), np.int64)

    def price_band(self, listing: Listing, previous_close: int) -> tuple[int, int] | None:
        """As for every stock."""
        return price_band(previous_close, listing.tick_size)

    def halt(self, halted: bool) -> None:
        """Raise LookupError: this market never rests."""
        raise LookupError("the crowd never rests")

    def replan(self) -> None:
        """Raise LookupError: this market has the usual hours."""
        raise LookupError("the crowd has the usual hours")

    def trades(self, key: str, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
        """Raise LookupError: nobody keeps them."""
        raise LookupError("the crowd keeps no list of trades")

    def _make(self, at_ms: int) -> int:
        """Let the next group trade; return how many."""
        group = self._groups[self._turn]
        steps = self._rng.integers(-2, 3, len(group)) * TICK
        first = self._first[group]
        paise = np.clip(self.paise[group] + steps, *(_on_grid(first, p) for p in (98, 102)))
        per_minute = 60 * self.updates_per_s / len(self.paise)
        traded = self._rng.integers(1, int(2 * MINUTE_SHARES / per_minute) + 2, len(group))
        self.paise[group] = paise
        self._volumes[group] += traded
        self._minutes.trade(group, paise, traded, at_ms * NS_PER_MS // NS_PER_MINUTE)
        self._tell(self._frame(self._turn, at_ms), len(group))
        self._turn = (self._turn + 1) % len(self._groups)
        if self._turn == 0:
            self._tell(self._index_frame(at_ms), 1)
        return len(group)

    def _tell(self, frame: bytes, updates: int) -> None:
        self.frames.append(frame)
        self.made += 1
        self.sent += updates

    def _frame(self, turn: int, at_ms: int) -> bytes:
        """The state of a group's stocks, as of the moment."""
        group, minutes = self._groups[turn], self._minutes
        prices = [self.paise[group][:, None] + BOOK, minutes.told[:MINUTE_PRICES, group].T]
        now, minute = np.full(len(group), at_ms), np.full(len(group), minutes.told_ms)
        wholes = (now, self._volumes[group], minute, minutes.told[MINUTE_PRICES, group])
        return self._stamped[turn].frame(at_ms, np.hstack(prices) / 100, wholes)

    def _index_frame(self, at_ms: int) -> bytes:
        paise = self._level()
        self._index_minutes.tell(paise, at_ms * NS_PER_MS // NS_PER_MINUTE)
        return self._index.frame(at_ms, np.array([[paise / 100]]), (np.array([at_ms]),))

    def _level(self) -> int:
        """The index, in paise: the mean of all prices."""
        return round(float(self.paise.mean()))


def _on_grid(paise: NDArray[np.int64], percent: int) -> NDArray[np.int64]:
    return paise * percent // (100 * TICK) * TICK


class CrowdExchange(Exchange):
    """The built-in exchange with ready frames: whoever follows anything gets all of them."""

    def __init__(self, crowd: Crowd) -> None:
        super().__init__(lambda _: crowd, crowd.now_ns, seed=1)
        self._crowd = crowd

    def advance(self, to_ns: int) -> Iterator[tuple[FeedConnection, bytes]]:
        """Let the market run to the moment."""
        yield from super().advance(to_ns)
        frames, self._crowd.frames = self._crowd.frames, []
        for frame in frames:
            for link in self.connections:
                if link.keys:
                    yield link, frame


class Prompt(Pace):
    """Lets the market run when a frame is due: 2,500 updates a second are one every 20 ms.

    Told less often than a dashboard has its turn, 50 ms, some turns had nothing to show.
    """

    async def wait(self, exchange: Exchange) -> None:
        """Sleep until the next frame is due."""
        due_ns = exchange.source.next_ns()
        left_s = _LONGEST_WAIT_S if due_ns is None else (due_ns - self.now_ns(exchange)) / NS_PER_S
        await asyncio.sleep(min(max(left_s, _LEAST_WAIT_S), _LONGEST_WAIT_S))


async def _serve(crowd: Crowd) -> None:
    start_ns, origin_ns = crowd.now_ns, time.monotonic_ns()
    exchange = CrowdExchange(crowd)
    server = ExchangeServer(exchange, Prompt(start_ns, 1.0, time.monotonic_ns))
    stop = asyncio.Event()
    threading.Thread(
        target=_obey, args=(crowd, asyncio.get_running_loop(), stop), daemon=True
    ).start()
    async with listening(server.application(), 0) as port:
        exchange.address = f"127.0.0.1:{port}"
        hello = {"url": f"http://{exchange.address}", "market_ns": start_ns - origin_ns}
        print(json.dumps(hello), flush=True)
        async with asyncio.TaskGroup() as group:
            market = group.create_task(server.run())
            await stop.wait()
            market.cancel()


def _obey(crowd: Crowd, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    for line in sys.stdin:
        crowd.updates_per_s = float(line)
        state = {"sent": crowd.sent, "made": crowd.made, "paise": crowd.paise.tolist()}
        print(json.dumps(state), flush=True)
    loop.call_soon_threadsafe(stop.set)


def main(arguments: Sequence[str]) -> int:
    """Serve until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--updates", type=float, default=2_500.0, help="a second")
    chosen = parser.parse_args(arguments)
    day = Calendar().latest_trading_day(time.time_ns() - NS_PER_DAY)
    crowd = Crowd(chosen.symbols, at_ist(day, 10, 30), chosen.updates)
    asyncio.run(_serve(crowd))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
