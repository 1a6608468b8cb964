"""Futures and options: listed as the broker lists them, priced so that pairs agree."""

from datetime import date, timedelta

import numpy as np
import pytest

from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, iso_ist, parse_iso_ns
from ticktick.domain.instrument import Kind
from ticktick.domain.sessions import Calendar
from ticktick.emulator.bars import Bars
from ticktick.emulator.black76 import RATE, greeks, price
from ticktick.emulator.contracts import contracts, monthly_expiry, weekly_expiry
from ticktick.emulator.floor import Floor
from ticktick.emulator.listings import NIFTY_BASE, Listing
from ticktick.emulator.master import record
from ticktick.proto.MarketDataFeed_pb2 import Feed, MarketFullFeed

DAY = date(2026, 11, 20)
FUTURE = "NIFTY FUT 23 NOV 26"
CALL, PUT = "NIFTY 25900 CE 01 DEC 26", "NIFTY 25900 PE 01 DEC 26"


def ns(text: str) -> int:
    return parse_iso_ns(f"{text}+05:30")


def floor(at: str = "2026-11-20T10:30:00", seed: int = 1) -> Floor:
    return Floor(seed, ns(at), Calendar())


def listing(source: Floor, symbol: str) -> Listing:
    (found,) = [one for one in source.listings if one.symbol == symbol]
    return found


def full(source: Floor, symbol: str) -> MarketFullFeed:
    feed = source.snapshot(listing(source, symbol).key)
    assert feed is not None
    return feed.fullFeed.marketFF


def mid(feed: MarketFullFeed) -> float:
    best = feed.marketLevel.bidAskQuote[0]
    return (best.bidP + best.askP) / 2


def options(source: Floor) -> list[Listing]:
    return [one for one in source.listings if one.kind in (Kind.CALL, Kind.PUT)]


def test_price_and_greeks_equal_published_values_of_the_formula() -> None:
    years = 7 / 365
    assert price(25_000, 25_500, years, 0.12, 1) == pytest.approx(23.916886, abs=1e-6)
    assert price(25_000, 25_000, years, 0.12, 1) == pytest.approx(165.534122, abs=1e-6)
    assert price(25_000, 24_500, years, 0.14, -1) == pytest.approx(36.831580, abs=1e-6)
    assert greeks(25_000, 25_500, years, 0.12, 1).vega == pytest.approx(6.849434, abs=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("strike", [24_900.0, 25_900.0, 26_900.0])
@pytest.mark.parametrize("days", [0.5, 11.0])
def test_greeks_equal_finite_differences_of_the_price(
    sign: float, strike: float, days: float
) -> None:
    spot, years, iv = 25_892.5, days / 365, 0.13

    def value(
        spot: float = spot, years: float = years, iv: float = iv, rate: float = RATE
    ) -> float:
        undiscounted = price(spot * np.exp(rate * years), strike, years, iv, sign)
        return float(undiscounted * np.exp((RATE - rate) * years))

    found = greeks(spot * np.exp(RATE * years), strike, years, iv, sign)
    h, t = 1.0, 1e-4 / 365
    assert found.delta == pytest.approx((value(spot + h) - value(spot - h)) / (2 * h), abs=1e-5)
    curve = (value(spot + h) - 2 * value() + value(spot - h)) / h**2
    assert found.gamma == pytest.approx(curve, abs=1e-5)
    by_volatility = (value(iv=iv + 1e-4) - value(iv=iv - 1e-4)) / 0.02
    assert found.vega == pytest.approx(by_volatility, rel=1e-5, abs=1e-6)
    assert found.theta == pytest.approx(
        (value(years=years - t) - value(years=years + t)) / (2 * t) / 365, rel=1e-4, abs=1e-5
    )
    by_rate = (value(rate=RATE + 1e-5) - value(rate=RATE - 1e-5)) / 2e-3
    assert found.rho == pytest.approx(by_rate, rel=1e-5, abs=1e-6)


def test_the_master_lists_two_futures_and_forty_one_strikes() -> None:
    listed = contracts(DAY, Calendar(), NIFTY_BASE)
    assert len(listed) == 2 + 2 * 41
    assert len({one.key for one in listed}) == len(listed)
    records = {one.symbol: record(one) for one in listed}
    future = records[FUTURE]
    assert (future["lot_size"], future["tick_size"], future["strike_price"]) == (65, 10.0, 0.0)
    assert records["BANKNIFTY FUT 23 NOV 26"]["lot_size"] == 30
    call = records[CALL]
    assert (call["lot_size"], call["tick_size"], call["strike_price"]) == (65, 5.0, 25_900.0)
    assert (call["instrument_type"], call["weekly"]) == ("CE", True)
    assert iso_ist(call["expiry"] * 1_000_000) == "2026-12-01T23:59:59+05:30"
    assert call["underlying_key"] == call["asset_key"] == "NSE_INDEX|Nifty 50"


@pytest.mark.parametrize(
    ("day", "month", "week"),
    [
        ("2026-11-20", "2026-11-23", "2026-12-01"),
        ("2026-11-23", "2026-11-23", "2026-12-01"),
        ("2026-11-25", "2026-12-29", "2026-12-01"),
        ("2026-12-02", "2026-12-29", "2026-12-08"),
        ("2026-12-30", "2027-01-26", "2027-01-05"),
        ("2026-11-06", "2026-11-23", "2026-11-09"),
    ],
)
def test_expiries_are_tuesdays_or_the_trading_day_before(day: str, month: str, week: str) -> None:
    today = date.fromisoformat(day)
    assert monthly_expiry(today, Calendar()) == date.fromisoformat(month)
    assert weekly_expiry(today, Calendar()) == date.fromisoformat(week)


@pytest.mark.parametrize(
    "at", ["2026-11-20T09:30:00", "2026-11-20T13:07:11", "2026-11-20T15:33:00"]
)
def test_put_call_parity_holds_between_mids_within_a_tick(at: str) -> None:
    source = floor(at)
    pairs = list(zip(options(source)[::2], options(source)[1::2], strict=True))
    # in mids, the forward is the same number for every strike: two pairs at a time must agree
    years = (ns("2026-12-01T15:40:00") - ns(at)) / (365 * NS_PER_DAY)
    forwards = []
    for call, put in pairs:
        assert call.contract is not None
        gap = mid(full(source, call.symbol)) - mid(full(source, put.symbol))
        forwards.append(call.contract.strike / 100 + gap * np.exp(RATE * years))
    assert max(forwards) - min(forwards) <= 2 * 0.05 + 1e-6
    near = mid(full(source, FUTURE))
    days_between = (ns("2026-12-01T15:40:00") - ns("2026-11-23T15:40:00")) / (365 * NS_PER_DAY)
    assert np.median(forwards) == pytest.approx(near * np.exp(RATE * days_between), abs=0.1)


def test_the_feed_shows_greeks_of_the_chain_with_the_right_signs() -> None:
    source = floor()
    calls = [full(source, one.symbol) for one in options(source)[::2]]
    puts = [full(source, one.symbol) for one in options(source)[1::2]]
    deltas = [feed.optionGreeks.delta for feed in calls]
    assert deltas == sorted(deltas, reverse=True)
    assert all(0 <= delta <= 1 for delta in deltas)
    assert all(-1 <= feed.optionGreeks.delta <= 0 for feed in puts)
    assert all(feed.optionGreeks.theta < 0 for feed in calls)
    assert all(0.03 < feed.iv < 0.5 and feed.oi > 0 for feed in calls + puts)
    for call, put in zip(calls, puts, strict=True):
        assert call.iv == put.iv
        assert call.optionGreeks.gamma == put.optionGreeks.gamma
    future = full(source, FUTURE)
    assert future.oi > 0
    assert not future.HasField("optionGreeks")
    assert future.iv == 0


def test_call_prices_fall_with_the_strike_and_are_convex() -> None:
    source = floor()
    mids = np.array([mid(full(source, one.symbol)) for one in options(source)[::2]])
    assert np.all(np.diff(mids) < 0)
    assert np.all(np.diff(mids, 2) > -0.1)


def test_books_are_uncrossed_on_the_tick_grid_and_thirty_levels_deep() -> None:
    source = floor()
    for symbol in (FUTURE, CALL, PUT):
        one = listing(source, symbol)
        deep = source.snapshot(one.key, deep=True)
        assert deep is not None
        levels = list(deep.fullFeed.marketFF.marketLevel.bidAskQuote)
        assert len(levels) == 30
        assert levels[:5] == list(full(source, symbol).marketLevel.bidAskQuote)
        bids, asks = [q.bidP for q in levels], [q.askP for q in levels]
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        assert bids[0] < asks[0]
        for quote in levels:
            for paise in (quote.bidP * 100, quote.askP * 100):
                assert round(paise) % one.tick_size == 0
            assert quote.bidQ % one.lot_size == quote.askQ % one.lot_size == 0


def folded(trades: list[tuple[int, int, int]]) -> dict[int, tuple[int, ...]]:
    bars: dict[int, tuple[int, ...]] = {}
    for at_ns, paise, quantity in trades:
        start = at_ns // NS_PER_MINUTE * NS_PER_MINUTE
        o, h, low, _, v = bars.get(start, (paise, paise, paise, paise, 0))
        bars[start] = (o, max(h, paise), min(low, paise), paise, v + quantity)
    return bars


def as_dict(bars: Bars) -> dict[int, tuple[int, ...]]:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return dict(zip(bars.start_ns.tolist(), rows, strict=True))


@pytest.mark.parametrize("symbol", [FUTURE, CALL])
def test_bars_of_the_day_are_exactly_the_trades(symbol: str) -> None:
    source = floor("2026-11-20T10:05:17.400")
    key = listing(source, symbol).key
    today = source.bars(key).between(ns("2026-11-20T00:00:00"), 1 << 62)
    assert len(today) > 30
    assert as_dict(today) == folded(source.trades(key, 0, 1 << 62))


def test_derivatives_trade_on_to_fifteen_forty_and_no_further() -> None:
    source = floor("2026-11-20T16:05:00")
    key = listing(source, FUTURE).key
    today = source.bars(key).between(ns("2026-11-20T00:00:00"), 1 << 62)
    assert len(today) == 385
    assert iso_ist(int(today.start_ns[-1])) == "2026-11-20T15:39:00+05:30"
    evening = today.close[-25:]
    assert len(set(evening.tolist())) > 10
    yesterday = source.bars(key).between(ns("2026-11-19T00:00:00"), ns("2026-11-20T00:00:00"))
    assert len(yesterday) == 385


def updates(source: Floor, to: str, keys: frozenset[str]) -> list[tuple[int, str, bytes]]:
    return [
        (update.at_ns, key, feed.SerializeToString(deterministic=True))
        for update in source.advance(ns(to), keys)
        for key, feed in update.feeds.items()
    ]


def test_one_seed_gives_one_market_however_it_is_advanced_and_watched() -> None:
    key = listing(floor(), CALL).key
    at_once = updates(floor(), "2026-11-20T10:32:00", frozenset({key}))
    portions, source = [], floor()
    for second in range(0, 121, 7):
        moment = iso_ist(ns("2026-11-20T10:30:00") + second * 1_000_000_000)[:19]
        portions += updates(source, moment, frozenset({key}))
    portions += updates(source, "2026-11-20T10:32:00", frozenset({key}))
    assert portions == at_once
    everything = frozenset(one.key for one in source.listings)
    among_all = updates(floor(), "2026-11-20T10:32:00", everything)
    assert [row for row in among_all if row[1] == key] == at_once
    assert at_once != updates(floor(seed=2), "2026-11-20T10:32:00", frozenset({key}))
    late = floor()
    assert updates(late, "2026-11-20T10:31:00", frozenset()) == []
    tail = [row for row in at_once if row[0] > ns("2026-11-20T10:31:00")]
    assert updates(late, "2026-11-20T10:32:00", frozenset({key})) == tail


def test_a_moment_is_one_update_of_stocks_and_derivatives() -> None:
    source = floor()
    everything = frozenset(one.key for one in source.listings)
    moments = [update.at_ns for update in source.advance(ns("2026-11-20T10:30:30"), everything)]
    assert moments == sorted(set(moments))


def test_the_next_day_closes_join_and_expired_contracts_are_gone() -> None:
    source = floor("2026-11-23T14:00:00")
    before = listing(source, CALL)
    assert list(source.advance(ns("2026-11-25T09:30:00"), frozenset())) == []
    symbols = {one.symbol for one in source.listings}
    assert FUTURE not in symbols
    assert "NIFTY FUT 29 DEC 26" in symbols
    bars = source.bars(before.key)
    close = bars.between(0, ns("2026-11-24T00:00:00")).close[-1]
    assert full(source, CALL).ltpc.cp == close / 100
    past = source.bars(listing(source, "NIFTY FUT 29 DEC 26").key)
    assert len(past.between(0, ns("2026-11-25T00:00:00"))) > 20_000


def test_the_next_pre_open_begins_where_derivatives_ended() -> None:
    source = floor("2026-11-16T15:10:00")
    stocks = [one.key for one in source.listings if one.kind is Kind.EQUITY]
    assert list(source.advance(ns("2026-11-17T08:00:00"), frozenset())) == []
    future = source.bars(listing(source, FUTURE).key)
    moved = np.log(future.close[-1] / future.close[-26])
    assert abs(moved) > 0.003
    first: dict[str, float] = {}
    for update in source.advance(ns("2026-11-17T09:01:00"), frozenset(stocks)):
        for key, feed in update.feeds.items():
            first.setdefault(key, feed.fullFeed.marketFF.iep)
    away = [np.log(first[key] * 100 / source.bars(key).close[-1]) for key in stocks]
    assert np.mean(away) == pytest.approx(moved, abs=0.001)


def test_open_interest_changes_through_the_day_and_not_overnight() -> None:
    source = floor()
    key = listing(source, CALL).key
    moments = [ns("2026-11-19T15:40:00"), ns("2026-11-20T09:00:00"), ns("2026-11-20T10:30:00")]
    night, morning, later = source.open_interest(key, np.array(moments)).tolist()
    assert night == morning != later
    assert full(source, CALL).oi % 65 == 0
    stock = source.open_interest("NSE_EQ|INE002A01018", np.array(moments))
    assert stock.tolist() == [0, 0, 0]


def test_a_halt_stops_derivatives_too() -> None:
    source = floor()
    source.halt(True)
    key = listing(source, CALL).key
    trades = [
        update
        for update in source.advance(ns("2026-11-20T10:35:00"), frozenset({key}))
        if Feed.FromString(update.feeds[key].SerializeToString()).fullFeed.marketFF.HasField("ltpc")
    ]
    assert trades == []
    source.halt(False)
    assert list(source.advance(ns("2026-11-20T10:40:00"), frozenset({key})))
    minute = timedelta(minutes=1) // timedelta(microseconds=1) * 1000
    halted = source.trades(key, ns("2026-11-20T10:30:00"), ns("2026-11-20T10:35:00"))
    assert halted == []
    assert source.trades(key, ns("2026-11-20T10:35:00") + minute, 1 << 62)
