"""Auctions of the built-in exchange: pre-open, closing session, and trades at the close."""

import json
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pytest

from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_MS, NS_PER_S, parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.answers import Request
from ticktick.emulator.auction import Terms, closing_call, opening_call
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.day import Auction
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.floor import Floor
from ticktick.emulator.listings import STOCKS, price_band
from ticktick.emulator.model import BASE_PRICE, N_STOCKS, STEPS, TICK, index_values
from ticktick.emulator.register import Hold, Register
from ticktick.proto.MarketDataFeed_pb2 import Feed, FeedResponse, MarketFullFeed

RELIANCE, INFY, NIFTY = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_INDEX|Nifty 50"
DAY = "2026-11-20"
_KEYS = (RELIANCE, INFY, NIFTY)


def ns(time: str, day: str = DAY) -> int:
    return parse_iso_ns(f"{day}T{time}+05:30")


class Told(NamedTuple):
    """A message of one instrument."""

    at_ns: int
    stock: MarketFullFeed

    @property
    def levels(self) -> list[tuple[int, float, int, float]]:
        return [(q.bidQ, q.bidP, q.askQ, q.askP) for q in self.stock.marketLevel.bidAskQuote]


class Stage:
    """An exchange, one connection that hears two stocks and an index."""

    def __init__(self, at: str, day: str = DAY, mode: str = "full") -> None:
        self.calendar, self.register = MovableCalendar(), Register()
        self.exchange = Exchange(
            lambda at_ns: Floor(1, at_ns, self.calendar, self.register),
            ns(at, day),
            seed=1,
            calendar=self.calendar,
            register=self.register,
        )
        link = self.exchange.connect(self.exchange.feed_code())
        assert link is not None
        data = {"mode": mode, "instrumentKeys": _KEYS}
        link.on_message(json.dumps({"method": "sub", "data": data}).encode())
        self._day = day

    def feeds(self, to: str, key: str, day: str | None = None) -> list[tuple[int, Feed]]:
        told = []
        for _, frame in self.exchange.advance(ns(to, day or self._day)):
            response = FeedResponse.FromString(frame)
            if key in response.feeds:
                told.append((response.currentTs * NS_PER_MS, response.feeds[key]))
        return told

    def stock(self, to: str, key: str = RELIANCE) -> list[Told]:
        return [Told(at, feed.fullFeed.marketFF) for at, feed in self.feeds(to, key)]

    def snapshot(self, key: str = RELIANCE) -> MarketFullFeed:
        feed = self.exchange.source.snapshot(key)
        assert feed is not None
        return feed.fullFeed.marketFF

    def quote(self, key: str = RELIANCE) -> dict[str, Any]:
        token = self.exchange.login.live_token(self.exchange.now_ns)
        headers = {"authorization": f"Bearer {token}"}
        request = Request("GET", "/v3/market-quote/quotes", {"instrument_key": key}, headers)
        (item,) = json.loads(self.exchange.handle(request).body)["data"].values()
        found: dict[str, Any] = item
        return found

    def candles(self, path: str) -> list[list[Any]]:
        answer = self.exchange.handle(Request("GET", f"/v3/historical-candle/{path}"))
        found: list[list[Any]] = json.loads(answer.body)["data"]["candles"]
        return found


@pytest.fixture(scope="module")
def pre_open() -> tuple[list[Told], Stage]:
    """What is told of a stock from 08:59 to 09:15."""
    stage = Stage("08:59:00")
    return stage.stock("09:15:00"), stage


@pytest.fixture(scope="module")
def evening() -> tuple[list[Told], Stage]:
    """What is told of a stock from the end of its trading to 17:00."""
    stage = Stage("15:15:00")
    return stage.stock("17:00:00"), stage


def called(told: list[Told]) -> list[Told]:
    return [one for one in told if one.stock.iep]


def prints(told: list[Told]) -> list[Told]:
    volumes = [one.stock.vtt for one in told]
    return [one for one, before in zip(told[1:], volumes, strict=False) if one.stock.vtt > before]


def test_the_pre_open_shows_a_crossed_book_around_the_equilibrium(
    pre_open: tuple[list[Told], Stage],
) -> None:
    told = called(pre_open[0])
    assert len(told) > 60
    assert told[0].at_ns < ns("09:01:00")
    for one in told:
        bids, asks = [level[1] for level in one.levels], [level[3] for level in one.levels]
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert asks[0] < one.stock.iep < bids[0]
        assert one.stock.ieq > 0
        assert (one.stock.rp, one.stock.vtt) == (0.0, 0)
        assert one.stock.ltpc.iep.value == one.stock.iep
        assert one.stock.ltpc.ltp == one.stock.ltpc.cp
        assert abs(one.stock.iiqM) <= abs(one.stock.iiqTotal)
        assert one.stock.tbq - one.stock.tsq != 0
    assert len({one.stock.iep for one in told}) > 10
    assert min(one.stock.iiqTotal for one in told) < 0 < max(one.stock.iiqTotal for one in told)


def test_the_opening_match_is_one_print_at_the_price_told_last(
    pre_open: tuple[list[Told], Stage],
) -> None:
    told, stage = pre_open
    last = called(told)[-1]
    assert ns("09:07:00") <= last.at_ns < ns("09:08:00")
    (match,) = prints(told)
    assert match is told[-1]
    assert ns("09:08:00") <= match.at_ns < ns("09:08:30")
    assert (match.stock.ltpc.ltp, match.stock.vtt) == (last.stock.iep, last.stock.ieq)
    assert match.stock.ltpc.ltq == match.stock.vtt
    assert (match.stock.iep, match.stock.ieq, match.stock.iiqTotal) == (0.0, 0, 0)
    assert set(match.levels) == {(0, 0.0, 0, 0.0)}
    (day,) = match.stock.marketOHLC.ohlc
    assert (day.interval, day.open, day.vol) == ("1d", last.stock.iep, last.stock.ieq)
    assert stage.exchange.source.trades(RELIANCE, 0, 1 << 62) == [
        (match.stock.ltpc.ltt * NS_PER_MS, round(last.stock.iep * 100), last.stock.ieq)
    ]
    assert stage.candles(f"intraday/{RELIANCE}/minutes/1") == []


def test_orders_of_all_stocks_stop_at_the_same_moment() -> None:
    seeds = []
    for day in range(2):
        auction = Auction(0, 8 * NS_PER_MINUTE)
        call = opening_call(1, date(2026, 11, 20 + day), auction, terms())
        seeds.append(int(np.flatnonzero(call.refreshed.any(axis=1))[-1]))
        last = call.latest[-1]
        assert np.all(last > seeds[-1] - 100)
        assert 7 * STEPS - 10 <= seeds[-1] < 8 * STEPS
    assert seeds[0] != seeds[1]


def test_trading_begins_beside_the_opening_price() -> None:
    stage = Stage("09:14:00")
    opened = round(stage.snapshot().ltpc.ltp * 100)
    stage.stock("09:15:05")
    (_, first, _), *_ = stage.exchange.source.trades(RELIANCE, ns("09:15:00"), 1 << 62)
    assert abs(first - opened) <= 4 * 10
    bars = stage.exchange.source.bars(RELIANCE).between(ns("00:00:00"), 1 << 62)
    assert bars.start_ns.tolist() == [ns("09:15:00")]
    day = stage.exchange.source.day_bars(RELIANCE)
    assert day.open[-1] == opened
    assert day.volume[-1] > bars.volume.sum()


def test_indices_are_told_once_a_second_in_the_pre_open_and_count_for_no_bar() -> None:
    stage = Stage("09:00:00")
    told = [feed.fullFeed.indexFF for _, feed in stage.feeds("09:08:00", NIFTY)]
    assert len(told) == 8 * 60
    assert len({one.ltpc.ltp for one in told}) > 60
    assert not any(one.marketOHLC.ohlc for one in told)
    ((_, opened),) = stage.feeds("09:15:00", NIFTY)
    inner = opened.fullFeed.indexFF
    prices = [stage.snapshot(stock.key).ltpc.ltp * 100 for stock in STOCKS]
    assert round(inner.ltpc.ltp * 100) == index_values(np.array(prices))[0]
    assert inner.marketOHLC.ohlc[0].open == inner.ltpc.ltp


def test_last_trade_mode_hears_the_equilibrium_price_and_the_print() -> None:
    stage = Stage("09:00:00", mode="ltpc")
    told = [feed.ltpc for _, feed in stage.feeds("09:15:00", RELIANCE)]
    assert all(one.HasField("iep") for one in told[:-1])
    assert not told[-1].HasField("iep")
    assert told[-1].ltp == told[-2].iep.value


def test_after_trading_nothing_is_told_until_the_reference_price_is_known(
    evening: tuple[list[Told], Stage],
) -> None:
    told, stage = evening
    first = called(told)[0]
    assert ns("15:20:00") <= first.at_ns < ns("15:21:00")
    assert [one for one in told if ns("15:16:00") < one.at_ns < first.at_ns] == []
    window = stage.exchange.source.trades(RELIANCE, ns("15:00:00"), ns("15:15:00"))
    average = sum(price * size for _, price, size in window) / sum(size for *_, size in window)
    assert first.stock.rp * 100 == round(average / 10) * 10
    assert {one.stock.rp for one in called(told)} == {first.stock.rp}


def test_the_closing_match_makes_the_days_close_and_no_minute(
    evening: tuple[list[Told], Stage],
) -> None:
    told, stage = evening
    last = called(told)[-1]
    assert ns("15:28:00") - 5 * NS_PER_S <= last.at_ns < ns("15:30:00")
    match = next(one for one in told if one.at_ns > last.at_ns)
    assert ns("15:30:00") <= match.at_ns < ns("15:30:30")
    assert (match.stock.ltpc.ltp, match.stock.ltpc.ltq) == (last.stock.iep, last.stock.ieq)
    assert match.stock.vtt == last.stock.vtt + last.stock.ieq
    day = match.stock.marketOHLC.ohlc[0]
    assert (day.interval, day.close) == ("1d", last.stock.iep)
    minutes = stage.exchange.source.bars(RELIANCE)
    assert minutes.start_ns[-1] == ns("15:14:00")
    trades = stage.exchange.source.trades(RELIANCE, 0, 1 << 62)
    table = stage.exchange.source.day_bars(RELIANCE)
    assert table.close[-1] == round(last.stock.iep * 100)
    assert table.volume[-1] == sum(size for *_, size in trades)
    assert table.high[-1] == max(price for _, price, _ in trades)
    assert stage.quote()["ohlc"]["close"] == last.stock.iep


def test_the_next_day_knows_the_close_of_the_auction(evening: tuple[list[Told], Stage]) -> None:
    stage = Stage("15:14:00")
    stage.feeds("09:05:00", RELIANCE, day="2026-11-23")
    close = called(evening[0])[-1].stock.iep
    assert stage.snapshot().ltpc.cp == close
    days = stage.candles(f"{RELIANCE}/days/1/2026-11-20/2026-11-20")
    minutes = stage.candles(f"{RELIANCE}/minutes/1/2026-11-20/2026-11-20")
    assert days[0][4] == close
    assert days[0][5] > sum(row[5] for row in minutes)
    assert len(minutes) == 360
    index = stage.exchange.source.snapshot(NIFTY)
    assert index is not None
    closes = [stage.snapshot(stock.key).ltpc.cp * 100 for stock in STOCKS]
    assert round(index.fullFeed.indexFF.ltpc.cp * 100) == index_values(np.array(closes))[0]


def test_trades_after_the_close_are_at_the_close_and_show_one_side(
    evening: tuple[list[Told], Stage],
) -> None:
    told = [one for one in evening[0] if one.at_ns >= ns("15:50:00")]
    close = called(evening[0])[-1].stock.iep
    traded = prints(told)
    assert len(traded) > 10
    assert {one.stock.ltpc.ltp for one in traded} == {close}
    assert traded[-1].at_ns < ns("16:00:00")
    for one in told:
        if one.levels and one.at_ns < ns("16:00:00"):
            (bid, bid_price, ask, ask_price), *rest = one.levels
            assert {bid_price, ask_price} == {0.0, close}
            assert (bid > 0) != (ask > 0)
            assert set(rest) == {(0, 0.0, 0, 0.0)}
    assert set(told[-1].levels) == {(0, 0.0, 0, 0.0)}
    assert told[-1].at_ns < ns("16:01:00")


def test_rest_quotes_tell_what_the_auction_tells() -> None:
    stage = Stage("15:24:00")
    full, quote = stage.snapshot(), stage.quote()
    assert full.iep > 0
    assert quote["indicative_equilibrium_price"] == full.iep
    assert quote["indicative_equilibrium_quantity"] == full.ieq
    assert quote["reference_price"] == full.rp
    assert quote["indicative_imbalance_quantity_total"] == full.iiqTotal
    assert quote["indicative_imbalance_quantity_market"] == full.iiqM
    assert quote["cas_eligible"] is True
    assert quote["depth"]["buy"][0]["price"] > quote["depth"]["sell"][0]["price"]
    stage.stock("16:30:00")
    assert stage.quote()["indicative_equilibrium_price"] == 0
    assert stage.quote()["reference_price"] == 0


def test_a_halt_at_the_match_leaves_the_day_without_an_auction() -> None:
    stage = Stage("15:25:00")
    before = stage.snapshot().ltpc
    stage.exchange.halt(True)
    assert prints(stage.stock("15:45:00")) == []
    stage.exchange.halt(False)
    stage.feeds("08:00:00", RELIANCE, day="2026-11-23")
    assert stage.snapshot().ltpc.cp == before.ltp


@pytest.mark.parametrize("hold", [Hold.TRADES, Hold.LISTING, Hold.AT_LOWER_LIMIT])
def test_a_stock_that_is_held_takes_no_part_in_auctions(hold: Hold) -> None:
    stage = Stage("08:59:00")
    stage.register.hold({"RELIANCE": frozenset({hold})})
    told = stage.stock("09:14:30", INFY)
    assert called(told)
    assert stage.snapshot().vtt == 0
    assert (stage.snapshot().iep, stage.snapshot().ltpc.HasField("iep")) == (0.0, False)


def test_before_august_2026_the_close_is_the_average_of_the_last_half_hour() -> None:
    day = "2026-06-10"
    stage = Stage("15:29:00", day)
    told = stage.stock("16:01:00")
    assert called(told) == []
    window = stage.exchange.source.trades(RELIANCE, ns("15:00:00", day), ns("15:30:00", day))
    average = sum(price * size for _, price, size in window) / sum(size for *_, size in window)
    close = round(average / 10) / 10
    after = [one for one in prints(told) if one.at_ns >= ns("15:40:00", day)]
    assert {one.stock.ltpc.ltp for one in after} == {close}
    assert after[0].at_ns < ns("15:42:00", day)
    bar = after[-1].stock.marketOHLC.ohlc[0]
    assert round(bar.close * 100) == window[-1][1]
    assert bar.vol == after[-1].stock.vtt
    stage.feeds("08:00:00", RELIANCE, day="2026-06-11")
    assert stage.snapshot().ltpc.cp == close
    assert stage.candles(f"{RELIANCE}/days/1/{day}/{day}")[0][4] == close


@pytest.mark.parametrize("stops", [["09:00:00.130"], ["09:07:59", "09:08:05"], ["09:00:30"]])
def test_any_way_through_an_auction_gives_the_same_bytes(stops: list[str]) -> None:
    def frames(stops: list[str]) -> list[bytes]:
        stage = Stage("08:59:00")
        moments = [*stops, "09:16:00"]
        return [frame for at in moments for _, frame in stage.exchange.advance(ns(at))]

    assert frames(stops) == frames([])


def test_an_auction_nobody_hears_ends_like_one_that_is_heard() -> None:
    heard, unheard = Stage("15:14:00"), Floor(1, ns("15:14:00"), Calendar())
    heard.stock("16:30:00")
    for _ in unheard.advance(ns("16:30:00"), frozenset()):
        continue
    for key in _KEYS:
        assert heard.exchange.source.snapshot(key) == unheard.snapshot(key)


def test_nothing_told_in_an_auction_says_where_its_price_goes() -> None:
    moves, left, before = [], [], []
    for day in range(60):
        auction = Auction(0, 10 * NS_PER_MINUTE)
        call = closing_call(9, date(2026, 1, 1 + day % 28), auction, terms(), np.zeros(2400))
        if day >= 28:
            call = opening_call(9 + day, date(2026, 1, 1), auction, terms())
        log = np.log(call.price / BASE_PRICE)
        step = np.diff(log, axis=0)[:: STEPS // 8]
        moves.append(step[1:].ravel())
        before.append(step[:-1].ravel())
        left.append(call.left_over[1 : -1 : STEPS // 8][: len(step) - 1].ravel())
    wish = np.concatenate(moves)
    for seen in (left, before):
        assert abs(np.corrcoef(wish, np.concatenate(seen))[0, 1]) < 0.02


def test_an_auction_stays_within_its_band() -> None:
    auction = Auction(0, 10 * NS_PER_MINUTE)
    rise = np.linspace(0.0, 0.2, 2400)
    call = closing_call(1, date(2026, 11, 20), auction, terms(), rise)
    assert np.all(call.price <= terms().highest)
    assert np.all(call.price[-1] == terms().highest)


def terms() -> Terms:
    bands = np.array([price_band(int(b), int(t)) for b, t in zip(BASE_PRICE, TICK, strict=True)])
    return Terms(
        BASE_PRICE.astype(np.float64), bands[:, 0], bands[:, 1], BASE_PRICE, np.ones(N_STOCKS)
    )


def test_the_day_of_a_special_session_has_no_auction() -> None:
    stage = Stage("08:00:00", "2026-11-20")
    for _ in stage.exchange.set_hours(date(2026, 11, 20), (("10:00", "11:00"),)):
        continue
    told = stage.stock("17:00:00")
    assert called(told) == []
    assert {one.at_ns // NS_PER_DAY for one in told} == {ns("10:00:00") // NS_PER_DAY}
    assert prints(told)[-1].at_ns <= ns("11:00:00")
