"""What becomes of single stocks: splits with new keys, and stocks that are held back."""

import gzip
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from ticktick.domain.clock import parse_iso_ns
from ticktick.emulator.answers import Request
from ticktick.emulator.bars import Bars
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.faults import BadFaultError, Faults
from ticktick.emulator.feed import FeedConnection
from ticktick.emulator.floor import Floor
from ticktick.emulator.isin import check_digit, next_isin
from ticktick.emulator.levers import Levers
from ticktick.emulator.listings import STOCKS
from ticktick.emulator.register import Hold, Register, Split
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse, MarketFullFeed

INFY, NEW_INFY = "NSE_EQ|INE009A01021", "NSE_EQ|INE009A01039"
TCS, NIFTY = "NSE_EQ|INE467B01029", "NSE_INDEX|Nifty 50"
MONDAY = date(2026, 11, 23)


def ns(text: str) -> int:
    return parse_iso_ns(f"{text}+05:30")


class Stage:
    """An exchange with its faults, and one connection to its feed."""

    def __init__(self, at: str = "2026-11-20T15:00:00") -> None:
        calendar, register = MovableCalendar(), Register()
        self.exchange = Exchange(
            lambda at_ns: Floor(1, at_ns, calendar, register),
            ns(at),
            seed=1,
            calendar=calendar,
            register=register,
        )
        self.faults = Faults()
        self.levers = Levers(self.exchange, self.faults)
        link = self.exchange.connect(self.exchange.feed_code())
        assert link is not None
        self.link: FeedConnection = link

    def order(self, verb: str, match: str, **args: Any) -> None:
        body = json.dumps({"verb": verb, "args": args, "match": match}).encode()
        fault = self.faults.order(body, self.exchange.now_ns)
        self.levers.check(fault)
        self.attend()

    def attend(self) -> None:
        for fault in self.faults.due(self.exchange.now_ns):
            for _ in self.levers.act(fault):
                continue
        for _ in self.levers.hold():
            continue

    def subscribe(self, *keys: str) -> FeedResponse | None:
        data = {"mode": "full", "instrumentKeys": keys}
        answer = self.link.on_message(json.dumps({"method": "sub", "data": data}).encode())
        return None if answer is None else FeedResponse.FromString(answer)

    def run(self, to: str) -> list[FeedResponse]:
        """Let time pass, with every fault that begins or ends on the way."""
        told: list[FeedResponse] = []
        while self.exchange.now_ns < ns(to):
            change_ns = self.faults.next_change_ns(self.exchange.now_ns)
            stop_ns = ns(to) if change_ns is None else min(ns(to), change_ns)
            frames = self.exchange.advance(stop_ns)
            told += [FeedResponse.FromString(frame) for _, frame in frames]
            self.attend()
        return told

    def stock(self, to: str, key: str = INFY) -> list[MarketFullFeed]:
        """What the feed tells of a stock up to the moment."""
        return [frame.feeds[key].fullFeed.marketFF for frame in self.run(to) if key in frame.feeds]

    def get(self, path: str, **query: str) -> Any:
        token = self.exchange.login.live_token(self.exchange.now_ns)
        headers = {"authorization": f"Bearer {token}"}
        return json.loads(self.exchange.handle(Request("GET", path, query, headers)).body)

    def refusal(self, path: str, **query: str) -> str:
        code: str = self.get(path, **query)["errors"][0]["errorCode"]
        return code

    def master(self) -> dict[str, dict[str, Any]]:
        path = "/market-quote/instruments/exchange/NSE.json.gz"
        rows = json.loads(gzip.decompress(self.exchange.handle(Request("GET", path)).body))
        return {row["trading_symbol"]: row for row in rows}

    def bars(self, key: str) -> Bars:
        return self.exchange.source.bars(key)


def test_check_digits_of_isins_are_right() -> None:
    isins = [listing.key.partition("|")[2] for listing in STOCKS]
    assert all(check_digit(isin[:-1]) == isin[-1] for isin in isins)
    assert next_isin("INE296A01024") == "INE296A01032"
    with pytest.raises(ValueError, match="no successor"):
        next_isin("INE296A0199X")


def test_a_split_changes_the_key_with_the_next_day_s_file_and_not_before() -> None:
    stage = Stage()
    old = stage.master()["INFY"]
    stage.order("instrument.split", "INFY", r=5)
    stage.run("2026-11-23T05:59:59")
    assert stage.master()["INFY"] == old
    stage.run("2026-11-23T06:00:01")
    new = stage.master()["INFY"]
    assert (new["instrument_key"], new["isin"]) == (NEW_INFY, "INE009A01039")
    assert new == old | {"instrument_key": NEW_INFY, "isin": "INE009A01039"}


def test_the_old_key_is_unknown_to_rest_and_ignored_by_the_feed() -> None:
    stage = Stage()
    stage.subscribe(INFY, TCS)
    stage.order("instrument.split", INFY, r=5)
    stage.run("2026-11-23T09:14:00")
    assert stage.refusal("/v3/market-quote/ltp", instrument_key=INFY) == "UDAPI100011"
    path = f"/v3/historical-candle/{INFY}/days/1/2026-11-20"
    assert stage.refusal(path) == "UDAPI100011"
    assert stage.refusal("/v3/market-quote/ltp", instrument_key=f"{TCS},{INFY}") == "UDAPI100011"
    told = stage.run("2026-11-23T09:16:00")
    assert {key for frame in told for key in frame.feeds} == {TCS}
    assert stage.subscribe(INFY) is None
    snapshot = stage.subscribe(NEW_INFY)
    assert snapshot is not None
    assert list(snapshot.feeds) == [NEW_INFY]
    assert stage.stock("2026-11-23T09:17:00", NEW_INFY)


def test_history_under_the_new_key_is_the_old_one_in_new_shares() -> None:
    stage, plain = Stage(), Stage()
    stage.order("instrument.split", "INFY", r=5)
    for one in (stage, plain):
        one.run("2026-11-23T09:14:00")
    new, old = stage.bars(NEW_INFY), plain.bars(INFY)
    np.testing.assert_array_equal(new.start_ns, old.start_ns)
    np.testing.assert_array_equal(new.volume, old.volume * 5)
    for name in ("open", "high", "low", "close"):
        told, was = getattr(new, name), getattr(old, name)
        assert np.all(told % 10 == 0)
        assert np.abs(told - was / 5).max() <= 5
    feed = stage.exchange.source.snapshot(NEW_INFY)
    assert feed is not None
    closes = [
        one.exchange.source.day_bars(key).between(0, ns("2026-11-23T00:00:00")).close[-1]
        for one, key in ((stage, NEW_INFY), (plain, INFY))
    ]
    assert round(feed.fullFeed.marketFF.ltpc.cp * 100) == closes[0]
    assert closes[0] == pytest.approx(closes[1] / 5, abs=5)
    day = stage.get(f"/v3/historical-candle/{NEW_INFY}/days/1/2026-11-20")["data"]["candles"][0]
    was = plain.get(f"/v3/historical-candle/{INFY}/days/1/2026-11-20")["data"]["candles"][0]
    assert day[5] == was[5] * 5
    assert day[4] == pytest.approx(was[4] / 5, abs=0.05)


def test_after_a_split_the_stock_goes_on_where_it_was_and_no_index_jumps() -> None:
    stage = Stage()
    stage.order("instrument.split", "INFY", r=5)
    stage.run("2026-11-23T09:25:00")
    for key in (NEW_INFY, NIFTY, TCS):
        bars = stage.bars(key)
        first = int(np.searchsorted(bars.start_ns, ns("2026-11-23T00:00:00")))
        assert abs(bars.open[first] / bars.close[first - 1] - 1) < 0.02, key
    bars = stage.bars(NEW_INFY)
    today, before = bars.volume[-9:].mean(), bars.volume[:-10].mean()
    assert 0.5 < today / before < 8


def test_the_jump_of_a_clock_forgets_no_split() -> None:
    stage = Stage()
    stage.order("instrument.split", "INFY", r=5)
    stage.exchange.jump(ns("2026-11-23T09:30:00"))
    assert stage.master()["INFY"]["instrument_key"] == NEW_INFY
    assert 25_000 < stage.bars(NEW_INFY).close[-1] < 35_000
    assert 25_000 < stage.bars(NEW_INFY).close[0] < 50_000
    stage.exchange.jump(ns("2026-11-20T15:00:00"))
    assert stage.master()["INFY"]["instrument_key"] == INFY


def test_a_bonus_keeps_the_key_and_two_splits_change_it_twice() -> None:
    register = Register()
    register.add(Split("INFY", 2.0, MONDAY, has_new_isin=False))
    assert register.stocks(MONDAY) == STOCKS
    register.add(Split("INFY", 5.0, MONDAY, has_new_isin=True))
    register.add(Split("INFY", 1.0, date(2026, 11, 25), has_new_isin=True))
    row = [listing.symbol for listing in STOCKS].index("INFY")
    keys = [register.stocks(day)[row].key for day in (MONDAY, date(2026, 11, 25))]
    assert keys == [NEW_INFY, "NSE_EQ|INE009A01047"]
    assert register.shares(MONDAY)[row] == 10.0
    assert [register.symbol_of(key) for key in (INFY, *keys)] == ["INFY"] * 3


@pytest.mark.parametrize(
    ("verb", "match", "args", "sentence"),
    [
        ("instrument.split", "INFY", {}, "needs its argument r"),
        ("instrument.split", "INFY", {"r": 40}, "r must be a number from 0.1 to 20"),
        ("instrument.split", "", {"r": 5}, "match must be the symbol or key of a stock"),
        ("instrument.quiet", "NIFTY", {}, "was 'NIFTY'"),
        ("instrument.circuit", "INFY", {"side": "up"}, "side must be one of upper, lower"),
    ],
)
def test_orders_for_stocks_that_make_no_sense_are_refused(
    verb: str, match: str, args: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadFaultError, match=sentence):
        Stage().order(verb, match, **args)


def test_a_recording_keeps_its_stocks() -> None:
    calendar = MovableCalendar()
    exchange = Exchange(lambda at_ns: Floor(1, at_ns, calendar), ns("2026-11-20T10:00:00"), seed=1)
    with pytest.raises(LookupError, match="recording"):
        exchange.symbol_of("INFY")


def test_a_quiet_stock_has_no_trade_but_a_book() -> None:
    stage = Stage("2026-11-20T09:00:00")
    stage.subscribe(INFY)
    stage.order("instrument.quiet", "INFY")
    told = stage.stock("2026-11-20T09:40:00")
    assert sum(bool(one.marketLevel.bidAskQuote) for one in told) > 100
    assert not any(one.marketOHLC.ohlc for one in told)
    assert {one.vtt for one in told} == {0}
    ltp = stage.get("/v3/market-quote/ltp", instrument_key=INFY)["data"]["NSE_EQ:INFY"]
    assert (ltp["last_price"], ltp["volume"], ltp["ltq"]) == (ltp["cp"], 0, 0)
    intraday = f"/v3/historical-candle/intraday/{INFY}/minutes/1"
    assert stage.get(intraday)["data"]["candles"] == []
    stage.faults.clear()
    stage.attend()
    assert any(one.vtt for one in stage.stock("2026-11-20T09:45:00"))


def test_a_quiet_stock_with_a_resting_book_is_not_told_at_all() -> None:
    stage = Stage("2026-11-20T10:00:30")
    stage.subscribe(INFY)
    stage.order("instrument.quiet", "INFY", book="rests")
    stage.run("2026-11-20T10:01:05")
    before = stage.exchange.source.snapshot(INFY)
    assert stage.stock("2026-11-20T10:05:00") == []
    assert stage.exchange.source.snapshot(INFY) == before


def test_a_suspended_stock_is_silent_at_once_and_unlisted_from_the_next_day() -> None:
    stage = Stage("2026-11-20T10:00:30")
    stage.subscribe(INFY)
    stage.order("instrument.suspend", "INFY")
    stage.run("2026-11-20T10:01:05")
    assert stage.stock("2026-11-20T10:30:00") == []
    assert "INFY" in stage.master()
    stage.run("2026-11-23T09:30:00")
    assert "INFY" not in stage.master()
    assert stage.refusal("/v3/market-quote/ltp", instrument_key=INFY) == "UDAPI100011"
    assert stage.subscribe(INFY) is None
    stage.faults.clear()
    stage.attend()
    stage.run("2026-11-25T09:16:00")  # the exchange is closed on the 24th
    assert stage.subscribe(INFY) is not None


@pytest.mark.parametrize("side", ["upper", "lower"])
def test_a_stock_at_its_limit_has_one_side_and_one_price(side: str) -> None:
    stage = Stage("2026-11-20T10:00:00")
    stage.subscribe(INFY)
    quote = stage.get("/v2/market-quote/quotes", instrument_key=INFY)["data"]["NSE_EQ:INFY"]
    limit = quote[f"{side}_circuit_limit"]
    stage.order("instrument.circuit", "INFY", side=side)
    told = stage.stock("2026-11-20T10:05:00")
    assert {one.ltpc.ltp for one in told if one.HasField("ltpc")} == {limit}
    books = [one for one in told if one.marketLevel.bidAskQuote]
    assert len(books) > 50
    for one in books:
        levels = one.marketLevel.bidAskQuote
        here = [(q.bidQ, q.bidP) if side == "upper" else (q.askQ, q.askP) for q in levels]
        gone = [(q.askQ, q.askP) if side == "upper" else (q.bidQ, q.bidP) for q in levels]
        assert here[0][1] == limit
        assert all(size > 0 for size, _ in here)
        assert set(gone) == {(0, 0.0)}
        assert (one.tsq if side == "upper" else one.tbq) == 0
    depth = stage.get("/v2/market-quote/quotes", instrument_key=INFY)["data"]["NSE_EQ:INFY"]
    assert (depth["total_buy_quantity"] > 0) == (side == "upper")
    stage.faults.clear()
    stage.attend()
    later = stage.stock("2026-11-20T10:06:00")
    assert all(q.bidP and q.askP for one in later for q in one.marketLevel.bidAskQuote)


@pytest.mark.parametrize("hold", [Hold.TRADES, Hold.LISTING, Hold.AT_UPPER_LIMIT])
def test_what_is_held_of_one_stock_changes_no_other(hold: Hold) -> None:
    def trades(holds: dict[str, frozenset[Hold]]) -> Callable[[str], list[tuple[int, int, int]]]:
        register = Register()
        source = Floor(3, ns("2026-11-20T10:00:00"), MovableCalendar(), register)
        register.hold(holds)
        for _ in source.advance(ns("2026-11-20T10:10:00"), frozenset()):
            continue
        return lambda key: source.trades(key, ns("2026-11-20T10:00:00"), 1 << 62)

    free, held = trades({}), trades({"INFY": frozenset({hold})})
    assert held(TCS) == free(TCS)
    assert held(INFY) != free(INFY)
    assert held(NIFTY) != free(NIFTY)


def test_holds_act_with_the_next_whole_minute() -> None:
    stage = Stage("2026-11-20T10:00:30")
    stage.subscribe(INFY)
    stage.order("instrument.quiet", "INFY")
    (fault,) = stage.faults.told(stage.exchange.now_ns)
    assert fault["start_ns"] == ns("2026-11-20T10:01:00")
    stage.run("2026-11-20T10:03:00")
    last_ns = stage.exchange.source.trades(INFY, 0, 1 << 62)[-1][0]
    assert ns("2026-11-20T10:00:45") < last_ns < ns("2026-11-20T10:01:00")
