"""Tick metrics by hand, and at their edges: empty, one-sided, repeated, reset, out of order."""

import math
from collections.abc import Sequence

import pytest

from tests.market_stage import OPEN, LiveStage, clock, index, instrument
from tests.metric_stage import ROWS, MetricStage, differences
from tests.oracles.metrics import SPANS_S, S, Told, Update
from ticktick.core import flow
from ticktick.domain.metric import METRICS
from ticktick.market.windows import CHANGES, WAITING_TRADES

QUOTE = ("mid", "spread", "spread_bps", "spread_ticks", "microprice", "imbalance_w")
OF_QUOTES = (*QUOTE, *SPANS_S, "rv")
Level = tuple[int, int]


def tick(
    second: float,
    bid: Level = (99, 10),
    ask: Level = (101, 30),
    price: int = 100,
    volume: int = 1_000,
    average: int = 100,
) -> Update:
    """An update so many seconds after the opening, with one level a side."""
    at_ns = OPEN + round(second * S)
    sides = [bid[0]], [bid[1]], [ask[0]], [ask[1]]
    return Update(at_ns, price, at_ns, volume, *sides, average)


def after(updates: Sequence[Update], tick_size: int = 5) -> dict[str, float]:
    """Every metric after these updates."""
    stage = MetricStage(instrument(tick_size=tick_size))
    stage.take_all(updates)
    return stage.values()


def missing(values: dict[str, float]) -> set[str]:
    """Which of the metrics of this half are not known."""
    return {name for name in Told([tick(0)], 5).at(1, OPEN) if math.isnan(values[name])}


def test_a_quote_by_hand() -> None:
    told = after([tick(0, (9_990, 10), (10_010, 30))])
    assert (told["mid"], told["spread"], told["spread_ticks"]) == (10_000, 20, 4)
    assert told["spread_bps"] == 20
    assert told["microprice"] == (9_990 * 30 + 10_010 * 10) / 40
    assert told["imbalance"] == told["imbalance_1"] == -0.5
    assert told["imbalance_w"] == pytest.approx(-0.5, rel=1e-12)


def test_the_weighted_imbalance_by_hand() -> None:
    book = ([9_995, 9_985], [10, 100], [10_005, 10_010], [10, 50])
    told = after([Update(OPEN, 10_000, OPEN, 1, *book, 10_000)])
    bids = 10 * math.exp(-0.5) + 100 * math.exp(-1.5)
    asks = 10 * math.exp(-0.5) + 50 * math.exp(-1.0)
    assert told["imbalance_w"] == pytest.approx((bids - asks) / (bids + asks), rel=1e-12)
    assert told["imbalance"] == 50 / 170
    assert told["imbalance_1"] == 0


def test_the_side_of_a_trade_by_quote_and_else_by_the_last_change_of_price() -> None:
    bid, ask = (95, 1), (105, 1)
    updates = [tick(0, bid, ask)]
    signs = []
    for second, price in enumerate((100, 105, 95, 100, 100, 99, 106), start=1):
        updates.append(tick(second, bid, ask, price=price, volume=1_000 + second))
        signs.append(after(updates)["trade_sign"])
    assert signs == [0, 1, -1, 1, 1, -1, 1]
    one_sided = tick(9, (95, 1), (0, 0), price=104, volume=1_020)
    told = after([*updates, one_sided])
    assert (told["trade_sign"], math.isnan(told["effective_spread"])) == (-1, True)


def test_effective_and_realised_spread_by_hand() -> None:
    bought = [
        tick(0, (9_990, 5), (10_010, 5), price=10_000),
        tick(1, (9_990, 5), (10_010, 5), price=10_010, volume=1_010),
    ]
    assert after(bought)["effective_spread"] == 20
    assert math.isnan(after(bought)["realised_spread"])
    rose = tick(31, (9_995, 5), (10_015, 5), price=10_010, volume=1_010)
    assert math.isnan(after([*bought, rose])["realised_spread"])  # 30 s are not over yet
    later = [*bought, rose, tick(32, (9_000, 5), (9_010, 5), price=10_010, volume=1_010)]
    assert after(later)["realised_spread"] == pytest.approx(10, rel=1e-12)
    assert after(later)["effective_spread"] == 20


def test_a_trade_of_no_known_side_has_no_spread() -> None:
    updates = [tick(0, price=100), tick(1, price=100, volume=1_010), tick(40)]
    told = after(updates)
    assert told["trade_sign"] == 0
    assert math.isnan(told["effective_spread"])
    assert math.isnan(told["realised_spread"])


def test_order_flow_by_hand() -> None:
    quotes = [(99, 10, 101, 30), (99, 16, 101, 30), (100, 4, 101, 30), (100, 4, 102, 7)]
    quotes += [(99, 5, 100, 9)] * 2  # the second tells nothing new
    updates = [tick(0, (98, 1), (103, 1))]
    updates += [tick(60 + i, q[:2], q[2:]) for i, q in enumerate(quotes)]
    flows = [10 - 30, 6, 4, 30, -4 - 9]
    mean_depth = (40 + 46 + 34 + 11 + 14) / 2 / 5
    told = after(updates)
    for name in SPANS_S:
        assert told[name] == pytest.approx(sum(flows) / mean_depth, rel=1e-12)


def test_a_quote_that_moves_with_the_same_quantities_is_a_change() -> None:
    told = after([tick(0), tick(61, (100, 10), (102, 30))])
    assert told["ofi"] == (10 + 30) / 20


def test_order_flow_leaves_each_span_in_its_time() -> None:
    stage = MetricStage()
    stage.take_all([tick(0), tick(61, bid=(99, 15)), tick(62, bid=(99, 12))])
    known = []
    for second in (61 + 9, 61 + 10, 62 + 10, 61 + 30, 62 + 30, 62 + 60):
        stage.metrics.expire(OPEN + second * S)
        known.append(
            [
                round(stage.values()[name] * 43)
                for name in SPANS_S
                if not math.isnan(stage.values()[name])
            ]
        )
    assert [len(each) for each in known] == [3, 3, 2, 2, 1, 0]


@pytest.mark.parametrize(("name", "seconds"), SPANS_S.items())
def test_a_span_that_is_not_covered_is_missing_and_known_by_time_alone(
    name: str, seconds: int
) -> None:
    stage = MetricStage()
    stage.take_all([tick(0), tick(1, bid=(99, 15))])
    assert math.isnan(stage.values()[name])
    changed = stage.metrics.expire(OPEN + seconds * S)
    assert 0 in changed.tolist()
    assert not math.isnan(stage.values()[name])


@pytest.mark.parametrize("late_s", [0, 2.9, 4.9])
def test_volatility_by_hand_is_missing_until_sixty_returns_are_known(late_s: float) -> None:
    stage, known = MetricStage(), list[bool]()
    for n in range(62):
        mid = 10_000 + 10 * (n % 2)
        stage.take(tick(5 * n + late_s, (mid - 5, 1), (mid + 5, 1)))
        known.append(not math.isnan(stage.values()["rv"]))
        # the moment may still be told of then
        stage.metrics.expire(OPEN + (math.ceil(n + late_s / 5) * 5 + 2) * S)
    expected = 1e4 * math.log(10_010 / 10_000) * math.sqrt(60) * math.sqrt(60 / 300)
    assert stage.values()["rv"] == pytest.approx(expected, rel=1e-9)
    assert known == [False] * 61 + [True]


def test_a_quote_that_lasts_has_no_volatility_and_hours_of_silence_cost_nothing() -> None:
    stage = MetricStage()
    stage.take_all([tick(0), tick(7, (109, 1), (111, 1))])
    stage.metrics.expire(OPEN + 7_200 * S)
    assert stage.values()["rv"] == 0


def test_the_exact_vwap_by_hand_and_where_averages_are_too_coarse() -> None:
    updates = [
        tick(0, price=10_000, volume=0, average=0),
        tick(10, price=10_000, volume=100, average=10_000),
        tick(311, price=10_100, volume=400, average=10_075),
    ]
    assert after(updates, 100)["vwap_exact"] == (10_075 * 400 - 10_000 * 100) / 300
    assert math.isnan(after(updates, 1)["vwap_exact"])
    assert math.isnan(after(updates[:2], 100)["vwap_exact"])  # 300 s are not over
    untold = [*updates[:2], updates[2]._replace(average_price=0)]
    assert math.isnan(after(untold, 100)["vwap_exact"])


def test_a_volume_of_the_day_before_is_none_of_the_exact_vwap() -> None:
    updates = [
        tick(0, volume=900, average=9_000)._replace(trade_ns=OPEN - 20 * 3_600 * S),
        tick(10, price=10_000, volume=100, average=10_000),
        tick(200, price=10_100, volume=400, average=10_075),
    ]
    stage = MetricStage(instrument(tick_size=5))
    stage.take_all(updates)
    stage.metrics.expire(OPEN + 305 * S)
    assert stage.values()["vwap_exact"] == 10_075


def test_a_volume_that_was_reset_makes_the_exact_vwap_missing_not_wrong() -> None:
    updates = [
        tick(0, volume=1_000),
        tick(1, volume=5_000),
        tick(302, volume=10),
        tick(303, volume=700),
        tick(304, volume=900),
    ]
    told = after(updates, 10_000)
    assert math.isnan(told["vwap_exact"])
    assert told["vwap"] == 100
    later = [*updates, tick(590, volume=1_000), tick(603, volume=1_500)]
    assert math.isnan(after(later[:-1], 10_000)["vwap_exact"])
    assert after(later, 10_000)["vwap_exact"] == 100  # the reset has left the window


def test_a_reset_among_joined_trades_makes_the_exact_vwap_missing_until_it_has_left() -> None:
    volumes = [*range(1_000, 17_000, 10), 10, 700, 710, 720]  # of a full window, joined at its end
    updates = [tick(place / 10, volume=volume) for place, volume in enumerate(volumes)]
    assert math.isnan(after([*updates, tick(302, volume=730)], 10_000)["vwap_exact"])
    rest = [tick(302, volume=730), tick(470, volume=1_000)]
    assert after([*updates, *rest], 10_000)["vwap_exact"] == 100


def test_an_empty_book_leaves_only_what_trades_say() -> None:
    empty = Update(OPEN, 100, OPEN, 5, [0] * 5, [0] * 5, [0] * 5, [0] * 5, 100)
    told = after([empty, empty._replace(at_ns=OPEN + S, price=101, volume=9)])
    known = {"tick_return", "log_return", "trade_sign", "vwap", "vwap_session", "vwap_distance"}
    assert {*Told([empty], 5).at(1, OPEN)} - missing(told) == known


def test_no_quantity_at_a_quote_leaves_its_prices() -> None:
    told = after([tick(0, (99, 0), (101, 0))])
    assert (told["mid"], told["spread"]) == (100, 2)
    for name in ("microprice", "imbalance", "imbalance_1", "imbalance_w"):
        assert math.isnan(told[name])


def test_a_price_at_the_upper_circuit_has_no_quote_and_its_book_says_why() -> None:
    updates = [tick(n, (99, 10 + n), (101, 30)) for n in range(0, 400, 4)]
    before = after(updates)
    assert not {*OF_QUOTES} & missing(before)
    locked = after([*updates, tick(400, (110, 900), (0, 0), price=110, volume=1_500)])
    assert {*OF_QUOTES} <= missing(locked)
    assert locked["imbalance"] == locked["imbalance_1"] == 1
    back = after([*updates, tick(400, (110, 900), (0, 0)), tick(404)])
    assert not {*OF_QUOTES} & missing(back)


def test_a_sixth_level_makes_the_book_a_deep_one() -> None:
    bid, bids = [95 - n for n in range(6)], [10, 10, 10, 10, 10, 500]
    ask, asks = [105 + n for n in range(6)], [20] * 6
    five = Update(OPEN, 100, OPEN, 5, bid[:5], bids[:5], ask[:5], asks[:5], 100)
    assert math.isnan(after([five])["imbalance_30"])
    told = after([Update(OPEN, 100, OPEN, 5, bid, bids, ask, asks, 100)])
    assert told["imbalance_30"] == (550 - 120) / 670
    assert told["imbalance"] == -50 / 150


def test_one_update_a_day_is_a_quote_and_nothing_that_needs_a_past() -> None:
    told = after([tick(0)])
    book = {*QUOTE, "imbalance", "imbalance_1", "vwap_session", "vwap_distance"}
    assert {*Told([tick(0)], 5).at(1, OPEN)} - missing(told) == book


def test_a_burst_of_a_thousand_a_second_loses_no_change_and_leaves_within_a_second() -> None:
    updates = [tick(0)]
    updates += [tick(61 + n / 1_000, (99, 10 + n % 7)) for n in range(CHANGES * 8)]
    stage, told = MetricStage(instrument(tick_size=5)), Told(updates, 5)
    stage.take_all(updates)
    assert differences(told, len(updates), updates[-1].at_ns, stage.values()) == []
    last_s = 61 + CHANGES * 8 / 1_000
    stage.metrics.expire(OPEN + round((last_s + 59.9) * S))
    assert not math.isnan(stage.values()["ofi_60"])
    stage.metrics.expire(OPEN + round((last_s + 60.8) * S))
    assert math.isnan(stage.values()["ofi_60"])
    assert not stage.windows.flow[0, 7:].any()


def test_joined_changes_leave_their_span_at_most_a_second_late() -> None:
    updates = [tick(0)]
    updates += [tick(61 + n / 100, (99, 10 + n % 7)) for n in range(4_000)]  # a hundred a second
    stage = MetricStage()
    stage.take_all(updates)
    changes = stage.windows.flow[0, flow.CHANGES : flow.CHANGES + flow.SPANS].tolist()
    assert 1_000 <= changes[0] <= 1_060
    assert 3_000 <= changes[1] <= 3_060
    assert changes[2] == 3_999  # the first of them is the quote before


def test_more_trades_than_can_wait_leave_the_oldest_to_tell_the_realised_spread() -> None:
    updates = [tick(0)]
    for n in range(1, WAITING_TRADES + 50):
        updates.append(tick(n / 100, price=101, volume=1_000 + n))
    updates.append(tick(33, (109, 1), (111, 1), price=101, volume=1_000 + n))
    told = after([*updates, tick(40, (109, 1), (111, 1), price=101, volume=1_000 + n)])
    assert told["realised_spread"] == pytest.approx(2e4 * (101 - 100) / 100)


def test_trading_that_ends_takes_the_quotes_metrics_and_they_begin_anew() -> None:
    stage = MetricStage()
    stage.take_all(tick(n, (99, 10 + n), (101, 30)) for n in range(400))
    assert not {*OF_QUOTES} & missing(stage.values())
    stage.continuous[:] = 0
    stage.metrics.requote(ROWS, OPEN + 400 * S)
    assert {*OF_QUOTES} <= missing(stage.values())
    stage.continuous[:] = 1
    stage.metrics.requote(ROWS, OPEN + 460 * S)
    stage.take(tick(461, (99, 5)))
    assert {*OF_QUOTES} & missing(stage.values()) == {*SPANS_S, "rv"}


def test_a_gap_leaves_nothing_of_the_past_to_any_window() -> None:
    stage = LiveStage()
    stage.begin()
    for n in range(1, 400):
        at_ns = OPEN + n * S
        stage.frame(
            at_ns,
            last_price=100 + n % 2,
            last_trade_ns=at_ns,
            volume=1_000 + n,
            bid_price=[99, 0, 0, 0, 0],
            ask_price=[102, 0, 0, 0, 0],
            bid_quantity=[5 + n % 3, 0, 0, 0, 0],
            ask_quantity=[7, 0, 0, 0, 0],
        )
    names = (*SPANS_S, "rv", "vwap", "trade_sign", "tick_return", "realised_spread")
    assert not [name for name in names if math.isnan(stage.metric(name))]
    stage.link(clock(9, 22), False)
    stage.link(clock(9, 23), True)
    assert [name for name in names if not math.isnan(stage.metric(name))] == []
    assert len(stage.market.window("ACME")) == 0


def test_an_index_has_returns_and_nothing_else() -> None:
    stage = LiveStage(index())
    for second in range(3):
        at_ns = OPEN + second * S
        stage.frame(at_ns, "NIFTY", last_price=100 + second, last_trade_ns=at_ns)
    known = {m.name for m in METRICS if not math.isnan(stage.metric(m.name, "NIFTY"))}
    assert known == {"tick_return", "log_return"}


def test_time_touches_only_rows_whose_numbers_it_changes() -> None:
    stage = MetricStage()
    stage.take_all([tick(0), tick(1, bid=(99, 15))])
    assert stage.metrics.expire(OPEN + 9 * S).tolist() == []
    assert stage.metrics.expire(OPEN + 10 * S).tolist() == [0]
