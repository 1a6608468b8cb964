"""Half an hour of two recorded stocks: flags, crossings and Kyle's lambda from the JSON alone."""

from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.oracles.crossing import Update as Told
from tests.oracles.crossing import crossings
from tests.oracles.flags import Seen, liquidity
from tests.oracles.microstructure import Floats, kyle
from tests.unit.test_recorded_sessions import DAY, FILES, OPEN, Update, events, instrument, read
from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import FrameArrived, TimerFired, VwapCrossed
from ticktick.domain.market import Liquidity
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EngineSettings

BEGIN, END = OPEN + 32 * NS_PER_MINUTE, OPEN + 62 * NS_PER_MINUTE  # no silence of the feed in it

pytestmark = pytest.mark.shared


class Print(NamedTuple):
    """One update in price units."""

    read_ns: int
    price: int
    total: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    said: dict[str, Any]

    @property
    def spread(self) -> int | None:
        bid, ask = self.bids[0][0], self.asks[0][0]
        return ask - bid if 0 < bid < ask else None

    @property
    def mid(self) -> float:
        return (self.bids[0][0] + self.asks[0][0]) / 2 if self.spread else np.nan


class Played:
    """What the engine published of each stock: second by second, and after each update."""

    def __init__(self, sessions: list[list[Update]]) -> None:
        self.prints = {
            session[0].key: [plain(update) for update in session] for session in sessions
        }
        self.flags: dict[str, dict[int, str | None]] = {key: {} for key in self.prints}
        self.kyle: dict[str, dict[int, tuple[float, float]]] = {key: {} for key in self.prints}
        self.sides: dict[str, list[float]] = {key: [] for key in self.prints}
        self.crossed: list[VwapCrossed] = []
        self._engine = Engine(ProtobufDecoder(), Calendar(), EngineSettings())
        keys = sorted((u.read_ns, u.key) for session in sessions for u in session)
        self._keys = iter([key for _, key in keys])
        for event in events(sessions):
            outputs = self._engine.process(event)
            self.crossed += [fact for fact in outputs.facts if isinstance(fact, VwapCrossed)]
            if isinstance(event, TimerFired):
                self._note(event.at_ns // NS_PER_S)
            elif isinstance(event, FrameArrived):
                key = next(self._keys)
                self.sides[key].append(self._metric("vwap_cross", key))

    def _note(self, second: int) -> None:
        for key in self.prints:
            code = self._metric("liquidity", key)
            self.flags[key][second] = None if np.isnan(code) else list(Liquidity)[int(code)].value
            if second % 10 == 0:
                names = ("kyle_lambda", "kyle_lambda_se")
                self.kyle[key][second] = (self._metric(names[0], key), self._metric(names[1], key))

    def _metric(self, name: str, key: str) -> float:
        row = self._engine.market.table.row_of_symbol[key]
        return float(self._engine.market.metrics[METRIC_ROW[name], row])


def plain(update: Update) -> Print:
    market = update.market
    levels = market["marketLevel"]["bidAskQuote"]
    bids, asks = (
        [(round(level.get(f"{side}P", 0) * 100), int(level.get(f"{side}Q", 0))) for level in levels]
        for side in ("bid", "ask")
    )
    price = round(market["ltpc"]["ltp"] * 100)
    return Print(update.read_ns // 10**6 * 10**6, price, int(market["vtt"]), bids, asks, market)


@pytest.fixture(scope="module")
def played(shared_data: Path) -> Played:
    def part(name: str) -> list[Update]:
        late = dropwhile(lambda u: u.read_ns < BEGIN, read(shared_data / DAY / f"{name}.jsonl.gz"))
        return list(takewhile(lambda u: u.read_ns < END, late))

    return Played([part(name) for name in FILES[:2]])


def test_the_liquidity_of_every_second_is_the_definitions(played: Played) -> None:
    for key, prints in played.prints.items():
        begin, end = prints[0].read_ns // NS_PER_S + 1, END // NS_PER_S
        seen = []
        place = 0
        for second in range(begin, end):
            while place + 1 < len(prints) and prints[place + 1].read_ns < second * NS_PER_S:
                place += 1
            seen.append(book(prints[place], second * NS_PER_S))
        told = [played.flags[key][second] for second in range(begin, end)]
        assert told == liquidity(seen, EngineSettings().order_value_rupees)
        assert len({*told} - {None}) >= 2  # or nothing was shown


def book(last: Print, now_ns: int) -> Seen:
    sides = [sum(price * quantity for price, quantity in side) for side in (last.bids, last.asks)]
    is_silent = now_ns - last.read_ns > 10 * NS_PER_S
    spread = None if is_silent or not last.spread else 1e4 * last.spread / last.mid
    return Seen(spread, min(sides) / 100)


def test_the_side_of_the_vwap_after_every_update_is_the_definitions(played: Played) -> None:
    for key, prints in played.prints.items():
        used, before = list[Told](), prints[0].total
        for each in prints[:900]:
            volume, before = max(0, each.total - before), max(each.total, before)
            used.append(Told(each.read_ns / NS_PER_S, each.price, volume, each.spread))
        news = [
            n for n, each in enumerate(prints[:900]) if not n or each.said != prints[n - 1].said
        ]
        expected = crossings([used[n] for n in news], instrument(key).tick_size)
        told = [played.sides[key][n] for n in news]
        sides = [np.nan if each.side is None else each.side for each in expected]
        np.testing.assert_array_equal(told, sides)
        last_ns = prints[news[-1]].read_ns
        ours = [f.direction for f in played.crossed if f.symbol == key and f.at_ns <= last_ns]
        assert ours == [each.event for each in expected if each.event]


def test_the_impact_at_every_tenth_second_is_that_of_lstsq(played: Played) -> None:
    told = 0
    for key, prints in played.prints.items():
        edges = range(prints[0].read_ns // NS_PER_S // 10 * 10 + 10, END // NS_PER_S, 10)
        mids, values = edges_of(prints, edges)
        moved = 1e4 * (mids[1:] / mids[:-1] - 1)
        bought = np.diff(values) / 100 / 1e5
        for place in range(1, len(edges)):
            expected = kyle(bought[:place], moved[:place])
            np.testing.assert_allclose(played.kyle[key][edges[place]], expected, rtol=1e-9)
            told += not np.isnan(expected[0])
    assert told > 20


def edges_of(prints: list[Print], edges: range) -> tuple[Floats, Floats]:
    """Mid and value bought less sold (price units times shares) at each edge."""
    mids, values = np.full(len(edges), np.nan), np.zeros(len(edges))
    signed, direction, last_price, place = 0, 0, prints[0].price, 1
    for number, edge in enumerate(edges):
        while place < len(prints) and prints[place].read_ns < edge * NS_PER_S:
            now, before = prints[place], prints[place - 1]
            place += 1
            if now.total <= before.total:
                continue
            if now.price != last_price:
                direction = 1 if now.price > last_price else -1
            last_price = now.price
            sign = direction
            if now.spread and now.price >= now.asks[0][0]:
                sign = 1
            elif now.spread and now.price <= now.bids[0][0]:
                sign = -1
            signed += sign * now.price * (now.total - before.total)
        mids[number], values[number] = prints[place - 1].mid, signed
    return mids, values
