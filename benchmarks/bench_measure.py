"""Measure every tick metric of one frame: ours against deques in Python and against pandas.

All contenders take the same updates of a made-up market, a second apart, for 700 seconds, then
begin anew; what they say of the last of them must be equal first. pandas is given its frame of the
last 330 s ready made. `python -m benchmarks.bench_measure`
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from unittest.mock import patch

import numpy as np
import pandas as pd

from benchmarks.bench_decode import as_the_sdk_does
from benchmarks.by_deque import DequeMetrics, S, Tick
from benchmarks.by_pandas import pandas_metrics
from benchmarks.race import Result, race, result, tell
from benchmarks.ticks import START_NS, TICK_SIZE, session, words
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.compiled import missing
from ticktick.core import measure
from ticktick.core.columns import Rows
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.metric import METRIC_ROW
from ticktick.market import metrics as measuring
from ticktick.market.metrics import TickMetrics
from ticktick.market.table import SlotTable
from ticktick.market.windows import Windows
from ticktick.proto import MarketDataFeed_pb2 as pb2

FRAMES = 700
CLOSE = 1e-9


class Ours:
    """The program's own tick metrics of a slot table."""

    def __init__(self, instruments: int) -> None:
        self.rows: Rows = np.arange(instruments, dtype=np.int32)
        self.table = SlotTable(instruments)
        self.table.add(
            Instrument(f"S{n}", f"Share {n}", "NSE", "NSE_EQ", key(n), Kind.EQUITY, TICK_SIZE)
            for n in range(instruments)
        )
        continuous = np.ones(instruments, np.uint8)
        self.metrics = TickMetrics(self.table, Windows(instruments), continuous, 300 * S)
        self.metrics.watch()

    def take(self, frame: np.ndarray, at_ns: int) -> None:
        """One frame, as a decoder would leave it in the table."""
        if at_ns == START_NS:
            self.metrics.restart(self.rows)
        self.table.words[self.rows] = frame
        self.metrics.take(self.rows, at_ns)

    def value(self, name: str, row: int) -> float:
        """A metric of a row."""
        return float(self.metrics.values[METRIC_ROW[name], row])


class Deques:
    """One DequeMetrics for each instrument."""

    def __init__(self, instruments: int) -> None:
        self.each = [DequeMetrics(TICK_SIZE) for _ in range(instruments)]

    def take(self, frame: list[Tick]) -> None:
        """One frame."""
        if frame[0].at_ns == START_NS:
            self.each = [DequeMetrics(TICK_SIZE) for _ in self.each]
        for metrics, tick in zip(self.each, frame, strict=True):
            metrics.update(tick)


def key(number: int) -> str:
    """The instrument key of a made-up share."""
    return f"NSE_EQ|INE{number:06}01"


def over(frames: Sequence[tuple[object, ...]], take: Callable[..., None]) -> Callable[[], None]:
    """One call takes the next frame, and after the last the first again."""
    coming = cycle(frames)
    return lambda: take(*next(coming))


def data_frame(told: list[list[Tick]], row: int) -> pd.DataFrame:
    """The last 330 seconds of one instrument."""
    updates = [frame[row] for frame in told[-331:]]
    columns = {
        "price": [t.price for t in updates],
        "volume": [t.volume for t in updates],
        "average": [t.average for t in updates],
        "total_bid": [t.total_bid for t in updates],
        "total_ask": [t.total_ask for t in updates],
    }
    for side in ("bid", "ask"):
        for level in range(5):
            columns[f"{side}_{level}"] = [getattr(t, f"{side}s")[level][0] for t in updates]
            columns[f"{side}_quantity_{level}"] = [
                getattr(t, f"{side}s")[level][1] for t in updates
            ]
    frame = pd.DataFrame(columns, pd.to_datetime([t.at_ns for t in updates]))
    frame["bought"] = frame["volume"].diff().fillna(0)
    best = {"bid": "bid_0", "bids": "bid_quantity_0", "ask": "ask_0", "asks": "ask_quantity_0"}
    return frame.assign(**{name: frame[column] for name, column in best.items()})


def check(ours: Ours, told: dict[str, float], row: int, peer: str) -> None:
    """Raise ValueError where a peer says something else of a row."""
    for name, value in told.items():
        if not np.isclose(ours.value(name, row), value, rtol=CLOSE, atol=CLOSE, equal_nan=True):
            raise ValueError(f"{name} of row {row}: {ours.value(name, row)}, {peer} says {value}")


def measured(instruments: int) -> Iterator[Result]:
    """Ours against deques and a copy of the records, then one tick of it against pandas."""
    told = session(instruments, FRAMES)
    columns = [(words(frame), frame[0].at_ns) for frame in told]
    ours, deques = Ours(instruments), Deques(instruments)
    for frame, (rows, at_ns) in zip(told, columns, strict=True):
        ours.take(rows, at_ns)
        deques.take(frame)
    for row, metrics in enumerate(deques.each):
        check(ours, metrics.values, row, "the deque")
    last = data_frame(told, 0)
    check(ours, pandas_metrics(last, TICK_SIZE), 0, "pandas")

    copied = Ours(instruments).table.words
    by_frame = over(columns, ours.take)
    case = f"{instruments} ticks, {'plain' if missing() else 'compiled'}"
    peers = {
        "deques": over([(frame,) for frame in told], deques.take),
        "copy of the records": over(columns, lambda rows, _: np.copyto(copied, rows)),
    }
    if not missing():
        peers["the same, plain"] = over(columns, plain(instruments).take)
    found = race("measure", case, by_frame, peers)
    yield from found
    each = race("measure", "", by_frame, {"pandas": lambda: pandas_metrics(last, TICK_SIZE)}, 9)
    mean, theirs = each[0].ours_ns / instruments, each[0].theirs_ns
    told_of_one = result("measure", f"1 of {case}", "pandas", [mean], [theirs])
    yield told_of_one._replace(ours_spread=each[0].ours_spread, theirs_spread=each[0].theirs_spread)


def plain(instruments: int) -> Ours:
    """The same with every step uncompiled."""
    with patch.object(measuring, "Gauge", measure.Gauge):
        return Ours(instruments)


def wire(frame: list[Tick]) -> bytes:
    """A frame of the feed that tells these updates."""
    message = pb2.FeedResponse(type=pb2.live_feed, currentTs=frame[0].at_ns // 1_000_000)
    for number, tick in enumerate(frame):
        full = message.feeds[key(number)].fullFeed.marketFF
        full.ltpc.ltp, full.ltpc.ltt = tick.price / 100, tick.at_ns // 1_000_000
        full.vtt, full.atp = tick.volume, tick.average / 100
        full.tbq, full.tsq = tick.total_bid, tick.total_ask
        for (bid, bids), (ask, asks) in zip(tick.bids, tick.asks, strict=True):
            full.marketLevel.bidAskQuote.add(bidP=bid / 100, bidQ=bids, askP=ask / 100, askQ=asks)
    return message.SerializeToString()


def decoded_and_measured(instruments: int) -> Iterator[Result]:
    """From the bytes of a frame to the metrics, against the SDK's handler and deques."""
    told = session(instruments, 200)
    ours, deques = Ours(instruments), Deques(instruments)
    decoder = new_decoder()

    def take(data: bytes, at_ns: int) -> None:
        if at_ns == START_NS:
            ours.metrics.restart(ours.rows)
        decoded = decoder.decode(data, ours.table, at_ns, 1)
        ours.table.accept(decoded.rows)
        ours.metrics.take(decoded.rows, decoded.exchange_ns)

    def take_as_the_sdk(data: bytes, frame: list[Tick]) -> None:
        as_the_sdk_does(data)
        deques.take(frame)

    frames = [wire(frame) for frame in told]
    for data, frame in zip(frames, told, strict=True):
        take(data, frame[0].at_ns)
        deques.take(frame)
    for row, metrics in enumerate(deques.each):
        check(ours, metrics.values, row, "the deque")
    by_frame = over([(d, f[0].at_ns) for d, f in zip(frames, told, strict=True)], take)
    theirs = over(list(zip(frames, told, strict=True)), take_as_the_sdk)
    case = f"{instruments} decoded and measured"
    (found,) = race("measure", case, by_frame, {"SDK handler and deques": theirs})
    yield found
    yield result(
        "measure", f"1 of {case}", "limit of 1 us", [found.ours_ns / instruments], [1_000.0]
    )


def results() -> Iterator[Result]:
    """Every case."""
    for instruments in (15, 100):
        yield from measured(instruments)
    yield from decoded_and_measured(100)


if __name__ == "__main__":
    tell(__doc__.splitlines()[0], results())
