"""The model market: trades inside the book and on the grid, bars that are exactly the trades."""

import time
from itertools import pairwise

import numpy as np
import pytest

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, NS_PER_S, iso_ist, parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.bars import Bars
from ticktick.emulator.listings import LISTINGS, STOCKS
from ticktick.emulator.market import Market
from ticktick.emulator.model import BASES, N_STOCKS, TICK, minute_tape, opening
from ticktick.proto.MarketDataFeed_pb2 import MarketFullFeed

RELIANCE, NIFTY = "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"
FOREVER = 1 << 62
_NIGHT = 0.02


def ns(text: str) -> int:
    return parse_iso_ns(f"{text}+05:30")


def market(at: str = "2026-11-20T10:30:00", seed: int = 1) -> Market:
    return Market(seed, ns(at), Calendar())


def run(source: Market, to: str, *keys: str) -> list[tuple[int, MarketFullFeed]]:
    """Updates of the keys up to the moment, stocks only."""
    wanted = frozenset(keys)
    return [
        (update.at_ns, feed.fullFeed.marketFF)
        for update in source.advance(ns(to), wanted)
        for feed in update.feeds.values()
    ]


def folded(trades: list[tuple[int, int, int]]) -> dict[int, tuple[int, int, int, int, int]]:
    """One-minute bars of trades, the plain way: start to open, high, low, close, volume."""
    bars: dict[int, tuple[int, int, int, int, int]] = {}
    for at_ns, price, quantity in trades:
        start = at_ns // NS_PER_MINUTE * NS_PER_MINUTE
        o, h, low, _, v = bars.get(start, (price, price, price, price, 0))
        bars[start] = (o, max(h, price), min(low, price), price, v + quantity)
    return bars


def as_dict(bars: Bars) -> dict[int, tuple[int, int, int, int, int]]:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return dict(zip(bars.start_ns.tolist(), rows, strict=True))


def test_trades_happen_at_bid_or_ask_on_the_tick_grid() -> None:
    tape, _ = minute_tape((1, 2, 3), 0, 0.2, opening(BASES, 0.0))
    stock = tape.row < N_STOCKS
    row, price = tape.row[stock], tape.price[stock]
    step = tape.at_ns[stock] // (250 * NS_PER_MS)
    assert np.all((price == tape.bid[step, row]) | (price == tape.ask[step, row]))
    assert np.all(price % TICK[row] == 0)
    assert np.all(tape.quantity[stock] >= 1)
    spread = (tape.ask - tape.bid) / TICK
    assert set(np.unique(spread)) == {1.0, 2.0, 3.0}


def test_live_quotes_are_uncrossed_with_five_levels_best_first() -> None:
    books = [
        list(feed.marketLevel.bidAskQuote)
        for _, feed in run(market(), "2026-11-20T10:31:00", RELIANCE)
        if feed.HasField("marketLevel")
    ]
    assert len(books) > 50
    for levels in books:
        bids, asks = [q.bidP for q in levels], [q.askP for q in levels]
        assert len(levels) == 5
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        assert bids[0] < asks[0]
        assert all(q.bidQ > 0 and q.askQ > 0 for q in levels)


@pytest.mark.parametrize("key", [listing.key for listing in LISTINGS])
def test_bars_of_the_day_are_exactly_the_trades(key: str) -> None:
    source = market("2026-11-20T11:05:17.400")
    today = source.bars(key).between(ns("2026-11-20T00:00:00"), FOREVER)
    trading = source.trades(key, ns("2026-11-20T09:15:00"), FOREVER)
    assert as_dict(today) == folded(trading)


def test_the_feeds_minute_bar_is_the_finished_minute_of_the_trades() -> None:
    source = market()
    bars = folded(source.trades(RELIANCE, 0, FOREVER))
    told: dict[int, tuple[int, ...]] = {}
    for at_ns, feed in run(source, "2026-11-20T10:40:00", RELIANCE):
        for bar in feed.marketOHLC.ohlc:
            start = bar.ts * NS_PER_MS
            if bar.interval == "I1" and start >= ns("2026-11-20T10:30:00"):
                told.setdefault(start, ())
                prices = (bar.open, bar.high, bar.low, bar.close)
                told[start] = (*(round(100 * price) for price in prices), bar.vol)
                assert at_ns >= start + NS_PER_MINUTE
    bars = folded(source.trades(RELIANCE, 0, FOREVER))
    assert len(told) == 9
    assert all(bars[start] == bar for start, bar in told.items())


def test_every_minute_bar_is_told_soon_after_its_end() -> None:
    source = market()
    first_told: dict[int, int] = {}
    for at_ns, feed in run(source, "2026-11-20T10:50:00", RELIANCE):
        for bar in feed.marketOHLC.ohlc:
            if bar.interval == "I1":
                first_told.setdefault(bar.ts * NS_PER_MS, at_ns)
    delays = [told - start - NS_PER_MINUTE for start, told in sorted(first_told.items())[1:]]
    assert len(delays) == 20
    assert all(0.3 * NS_PER_S <= delay <= 2 * NS_PER_S for delay in delays)
    assert len(set(delays)) > 3


def test_day_bar_volume_and_average_follow_the_trades() -> None:
    source = market()
    _, feed = run(source, "2026-11-20T10:31:00", RELIANCE)[-1]
    whole = source.snapshot(RELIANCE)
    assert whole is not None
    feed = whole.fullFeed.marketFF
    trades = source.trades(RELIANCE, 0, FOREVER)
    prices = [price for _, price, _ in trades]
    volume = sum(quantity for *_, quantity in trades)
    day = feed.marketOHLC.ohlc[0]
    assert feed.vtt == day.vol == volume
    assert (day.open, day.close) == (prices[0] / 100, prices[-1] / 100)
    assert (day.high, day.low) == (max(prices) / 100, min(prices) / 100)
    value = sum(price * quantity for _, price, quantity in trades)
    assert feed.atp == round(value / volume / 100, 2)
    assert feed.ltpc.ltt == trades[-1][0] // NS_PER_MS


def test_an_update_leaves_out_what_did_not_change() -> None:
    updates = [feed for _, feed in run(market(), "2026-11-20T10:32:00", RELIANCE)]
    assert any(feed.HasField("marketLevel") and not feed.HasField("ltpc") for feed in updates)
    assert any(feed.HasField("ltpc") and not feed.HasField("marketLevel") for feed in updates)
    volumes = [feed.vtt for feed in updates]
    assert volumes == sorted(volumes)
    for before, now in pairwise(updates):
        assert now.HasField("ltpc") == (now.vtt > before.vtt)


def test_history_joins_the_first_day_without_a_jump() -> None:
    source = market("2026-11-20T09:20:00")
    for listing in LISTINGS:
        bars = source.bars(listing.key)
        first = int(np.searchsorted(bars.start_ns, ns("2026-11-20T00:00:00")))
        assert iso_ist(int(bars.start_ns[first - 1])) == "2026-11-19T15:14:00+05:30"
        assert abs(bars.open[first] / bars.close[first - 1] - 1) < _NIGHT
        feed = source.snapshot(listing.key)
        assert feed is not None
        full = feed.fullFeed
        trade = full.marketFF.ltpc if full.HasField("marketFF") else full.indexFF.ltpc
        assert round(trade.cp * 100) == bars.close[first - 1]


def test_history_has_more_than_sixty_sessions_of_consistent_bars() -> None:
    source = market("2026-11-20T09:00:00")
    for listing in LISTINGS:
        bars = source.bars(listing.key)
        days = np.unique((bars.start_ns + 19_800 * NS_PER_S) // (86_400 * NS_PER_S))
        assert len(days) >= 60
        assert np.all(bars.low <= np.minimum(bars.open, bars.close))
        assert np.all(bars.high >= np.maximum(bars.open, bars.close))
        assert np.all(np.diff(bars.start_ns) >= NS_PER_MINUTE)
        if listing in STOCKS:
            assert np.all(bars.volume > 0)
            assert np.all(bars.close % listing.tick_size == 0)


def test_stocks_move_together_and_the_volatility_index_against_them() -> None:
    source = market("2026-11-20T15:15:00")
    closes = {listing.symbol: np.log(source.bars(listing.key).close[-360:]) for listing in LISTINGS}
    steps = {symbol: np.diff(close) for symbol, close in closes.items()}
    assert np.corrcoef(steps["NIFTY"], steps["HDFCBANK"])[0, 1] > 0.3
    assert np.corrcoef(steps["NIFTY"], steps["INDIA VIX"])[0, 1] < -0.3
    assert 0.002 < steps["RELIANCE"].std() * np.sqrt(360) < 0.04


def test_after_the_close_the_last_bar_is_told_and_then_the_book_is_gone() -> None:
    source = market("2026-11-20T15:14:59")
    run(source, "2026-11-20T15:15:00", RELIANCE)
    (_, told), (at_ns, gone) = run(source, "2026-11-20T15:20:00", RELIANCE)
    bar = told.marketOHLC.ohlc[1]
    assert bar.ts * NS_PER_MS == ns("2026-11-20T15:14:00")
    assert 25 * NS_PER_S < at_ns - ns("2026-11-20T15:15:00") < 35 * NS_PER_S
    assert [(q.bidQ, q.bidP, q.askQ, q.askP) for q in gone.marketLevel.bidAskQuote] == [
        (0, 0.0, 0, 0.0)
    ] * 5
    assert (gone.tbq, gone.tsq, gone.HasField("ltpc")) == (0.0, 0.0, False)
    run(source, "2026-11-20T16:01:00", RELIANCE)
    assert run(source, "2026-11-20T23:00:00", RELIANCE) == []
    assert source.snapshot(RELIANCE) is not None


def test_the_next_session_opens_near_where_this_one_ended() -> None:
    source = market("2026-11-20T15:14:00")
    run(source, "2026-11-23T09:16:00", NIFTY)
    bars = source.bars(RELIANCE)
    first = int(np.searchsorted(bars.start_ns, ns("2026-11-23T00:00:00")))
    assert iso_ist(int(bars.start_ns[first - 1])) == "2026-11-20T15:14:00+05:30"
    assert abs(bars.open[first] / bars.close[first - 1] - 1) < _NIGHT
    feed = source.snapshot(RELIANCE)
    assert feed is not None
    friday, monday = source.day_bars(RELIANCE).close[-2:].tolist()
    assert round(feed.fullFeed.marketFF.ltpc.cp * 100) == friday != monday


def test_a_start_in_mid_session_is_quick() -> None:
    began = time.process_time()
    market("2026-11-20T10:30:00", seed=9)
    assert time.process_time() - began < 1.5


def test_before_the_open_the_last_close_is_shown_without_a_book() -> None:
    feed = market("2026-11-20T08:00:00").snapshot(RELIANCE)
    assert feed is not None
    full = feed.fullFeed.marketFF
    assert full.ltpc.ltp == full.ltpc.cp == 1412.5
    assert not full.marketLevel.bidAskQuote
    assert full.vtt == 0
