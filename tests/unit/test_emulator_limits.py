"""Documented limits: sockets, keys by mode, request windows, night hours; and the switches."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S, parse_iso_ns
from ticktick.emulator.answers import Refused, Request
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.feed import FeedConnection
from ticktick.emulator.floor import Floor
from ticktick.emulator.limits import RequestLimits, admitted
from ticktick.emulator.switches import SWITCHES, BadSwitchError, Switches

RELIANCE = "NSE_EQ|INE002A01018"


def exchange(at: str = "2026-11-20T10:30:00") -> Exchange:
    calendar = MovableCalendar()
    start_ns = parse_iso_ns(f"{at}+05:30")
    return Exchange(lambda at_ns: Floor(1, at_ns, calendar), start_ns, seed=1, calendar=calendar)


def connected(made: Exchange) -> list[FeedConnection]:
    links = [made.connect(made.feed_code()) for _ in range(7)]
    return [link for link in links if link is not None]


def keys(count: int, first: int = 0) -> list[str]:
    return [f"NSE_EQ|K{number}" for number in range(first, first + count)]


def codes(made: Exchange, count: int, *, every_ns: int) -> list[int]:
    """Statuses of so many requests of one API, a real time apart."""
    path = f"/v3/historical-candle/intraday/{RELIANCE}/days/1"
    requests = [Request("GET", path, arrived_ns=number * every_ns) for number in range(count)]
    return [made.handle(request).status for request in requests]


@pytest.mark.parametrize(
    ("switch", "most"), [(None, 2), ("account.plus", 5), ("feed.one_socket", 1)]
)
def test_a_user_holds_as_many_sockets_as_his_plan_allows(switch: str | None, most: int) -> None:
    made = exchange()
    if switch is not None:
        made.switches.order(json.dumps({switch: True}).encode())
    assert len(connected(made)) == most


@pytest.mark.parametrize(
    ("mode", "most"), [("ltpc", 5000), ("option_greeks", 3000), ("full", 2000), ("full_d30", 50)]
)
def test_one_mode_alone_has_its_own_figure(mode: str, most: int) -> None:
    assert admitted({}, keys(most + 10), mode, plus=True) == keys(most)


def test_mixed_modes_share_the_smallest_mixed_figure() -> None:
    have = dict.fromkeys(keys(1400), "ltpc")
    assert len(admitted(have, keys(200, 2000), "full", plus=True)) == 100
    assert len(admitted(have, keys(700, 2000), "option_greeks", plus=True)) == 600
    assert admitted(dict.fromkeys(keys(1800), "ltpc"), keys(1, 2000), "full", plus=True) == []


def test_keys_that_change_their_mode_are_counted_once() -> None:
    have = dict.fromkeys(keys(2000), "full")
    assert admitted(have, keys(2000), "full", plus=True) == keys(2000)
    assert admitted(have, keys(1), "ltpc", plus=True) == []
    assert admitted(dict.fromkeys(keys(1500), "full"), keys(1), "ltpc", plus=True) == keys(1)


def test_thirty_levels_need_the_plus_plan_or_the_switch() -> None:
    assert admitted({}, keys(1), "full_d30", plus=False) == []
    made = exchange()
    (link, *_) = connected(made)
    wish = {"method": "sub", "data": {"mode": "full_d30", "instrumentKeys": [RELIANCE]}}
    assert link.on_message(json.dumps(wish).encode()) is None
    made.switches.order(b'{"account.plus": true}')
    assert link.on_message(json.dumps(wish).encode()) is not None
    made.switches.order(b'{"account.plus": false, "feed.d30_for_all": true}')
    assert link.on_message(json.dumps(wish).encode()) is not None


def test_the_token_tells_the_plan() -> None:
    made = exchange()
    told = []
    for is_plus in (False, True):
        made.switches.order(json.dumps({"account.plus": is_plus}).encode())
        claims = made.login.mint(made.now_ns).split(".")[1]
        told.append(json.loads(base64.urlsafe_b64decode(claims + "=="))["isPlusPlan"])
    assert told == [False, True]


def test_keys_above_a_limit_are_ignored_or_told_in_a_text_frame() -> None:
    made = exchange()
    (link, *_) = connected(made)
    wish = {"method": "sub", "data": {"mode": "full_d30", "instrumentKeys": [RELIANCE]}}
    link.on_message(json.dumps(wish).encode())
    assert link.take_refusal() is None
    made.switches.order(b'{"feed.text_errors": true}')
    link.on_message(json.dumps(wish).encode())
    told = json.loads(link.take_refusal() or "")
    assert told == {
        "status": "failed",
        "method": "sub",
        "error": "1 instrument keys are above the limit of full_d30",
    }
    assert link.take_refusal() is None


def test_the_fifty_first_request_of_a_second_is_refused() -> None:
    statuses = codes(exchange(), 60, every_ns=1_000_000)
    assert statuses == [200] * 50 + [429] * 10


def test_the_minute_and_the_half_hour_have_their_own_figures() -> None:
    limits = RequestLimits()
    taken = 0
    for number in range(5000):
        try:
            limits.check("api", Request("GET", "/", arrived_ns=number * NS_PER_S // 20), 0)
            taken += 1
        except Refused:
            continue
    assert taken == 4 * 500
    with pytest.raises(Refused) as refused:
        limits.check("api", Request("GET", "/", arrived_ns=29 * NS_PER_MINUTE), 0)
    assert (refused.value.code, refused.value.status) == ("UDAPI10005", 429)
    limits.check("api", Request("GET", "/", arrived_ns=31 * NS_PER_MINUTE), 0)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=300))
def test_no_second_of_the_faster_clock_holds_more_than_fifty(steps: list[tuple[int, int]]) -> None:
    limits, real, market, now = RequestLimits(), 0, 0, 0
    taken: list[int] = []
    for real_step, market_step in steps:
        real, market = real + real_step * 1_000_000, market + market_step * 1_000_000
        now += max(real_step, market_step)
        fits = len([at for at in taken if at > now - 1000]) < 50
        try:
            limits.check("api", Request("GET", "/", arrived_ns=real), market)
            taken.append(now)
            assert fits
        except Refused:
            assert not fits


def test_another_api_has_a_budget_of_its_own() -> None:
    made = exchange()
    assert codes(made, 51, every_ns=0)[-1] == 429
    assert made.handle(Request("GET", "/v2/market/holidays", arrived_ns=0)).status == 200


@pytest.mark.parametrize("path", ["/v2/user/get-funds-and-margin", "/v3/user/get-funds-and-margin"])
@pytest.mark.parametrize(
    ("at", "status"),
    [("00:00:00", 423), ("05:29:59", 423), ("05:30:00", 200), ("23:59:59", 200)],
)
def test_funds_are_closed_from_midnight_to_half_past_five(path: str, at: str, status: int) -> None:
    made = exchange(f"2026-11-20T{at}")
    headers = {"authorization": f"Bearer {made.login.live_token(made.now_ns)}"}
    answer = made.handle(Request("GET", path, headers=headers))
    assert answer.status == status
    if status == 423:
        assert json.loads(answer.body)["errors"][0]["errorCode"] == "UDAPI100072"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"feed.other": true}', "there is no switch 'feed.other'; there are account.plus"),
        (b'{"account.plus": 1}', "switches are set by a JSON object of truths"),
        (b"[]", "switches are set by a JSON object of truths"),
    ],
)
def test_a_bad_order_moves_no_switch(body: bytes, sentence: str) -> None:
    switches = Switches()
    with pytest.raises(BadSwitchError) as refused:
        switches.order(body)
    assert sentence in str(refused.value)
    assert {name: told["on"] for name, told in switches.told().items()} == {
        name: switch.is_on for name, switch in SWITCHES.items()
    }
