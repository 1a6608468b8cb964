"""What the exchange answers: login, errors, quotes, master, status and the feed's door."""

import gzip
import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from ticktick.domain.clock import NS_PER_S, parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.answers import Request, Response
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.listings import LISTINGS
from ticktick.emulator.market import Market

RELIANCE, NIFTY = "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"
DIALOG = "/v2/login/authorization"
APP = {"client_id": "demo-api-key", "redirect_uri": "http://localhost:8000"}


def ns(text: str) -> int:
    return parse_iso_ns(f"{text}+05:30")


def exchange(at: str = "2026-11-20T09:40:00") -> Exchange:
    made = Exchange(lambda at_ns: Market(1, at_ns, Calendar()), ns(at), seed=1)
    made.address = "127.0.0.1:9"
    return made


def get(made: Exchange, path: str, token: str | None = None, **query: str) -> Response:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return made.handle(Request("GET", path, query, headers))


def data(answer: Response) -> Any:
    content = json.loads(answer.body)
    assert (answer.status, content["status"]) == (200, "success")
    return content["data"]


def error(answer: Response) -> tuple[int, str]:
    content = json.loads(answer.body)
    assert content["status"] == "error"
    assert "data" not in content
    (problem,) = content["errors"]
    assert problem["errorCode"] == problem["error_code"]
    assert problem["propertyPath"] is problem["property_path"] is None
    assert problem["message"]
    return answer.status, problem["errorCode"]


def code_of(made: Exchange, **more: str) -> str:
    answer = get(made, f"{DIALOG}/approve", **APP, **more)
    assert answer.status == 302
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def exchanged(made: Exchange, **changes: str) -> Response:
    form = {
        **APP,
        "code": changes.get("code") or code_of(made),
        "client_secret": "demo-api-secret",
        "grant_type": "authorization_code",
        **changes,
    }
    body = urlencode({name: value for name, value in form.items() if value != "-"})
    return made.handle(Request("POST", f"{DIALOG}/token", body=body.encode()))


def test_the_login_page_has_a_button_that_returns_code_and_state() -> None:
    made = exchange()
    page = get(made, f"{DIALOG}/dialog", response_type="code", state="a<b", **APP)
    assert page.content_type == "text/html"
    assert b"a&lt;b" in page.body
    answer = get(made, f"{DIALOG}/approve", state="a<b", **APP)
    returned = urlsplit(answer.headers["Location"])
    assert returned.netloc == "localhost:8000"
    assert parse_qs(returned.query)["state"] == ["a<b"]


def test_a_code_gives_one_token_without_an_envelope() -> None:
    made = exchange()
    code = code_of(made)
    token = json.loads(exchanged(made, code=code).body)
    assert token["user_id"] == "TT0001"
    assert get(made, "/v2/user/profile", token["access_token"]).status == 200
    assert error(exchanged(made, code=code)) == (401, "UDAPI100016")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"client_id": "-"}, (400, "UDAPI1017")),
        ({"redirect_uri": "-"}, (400, "UDAPI1018")),
        ({"code": "-"}, (400, "UDAPI1022")),
        ({"grant_type": "-"}, (400, "UDAPI1023")),
        ({"client_secret": "-"}, (400, "UDAPI1024")),
        ({"client_id": "other"}, (401, "UDAPI100016")),
        ({"client_secret": "other"}, (401, "UDAPI100016")),
        ({"redirect_uri": "http://localhost:1"}, (401, "UDAPI100016")),
    ],
)
def test_a_wrong_token_request_is_refused(
    change: dict[str, str], expected: tuple[int, str]
) -> None:
    assert error(exchanged(exchange(), **change)) == expected


def test_a_new_token_kills_the_old_one() -> None:
    made = exchange()
    old, new = made.login.mint(made.now_ns), made.login.mint(made.now_ns)
    assert error(get(made, "/v2/user/profile", old)) == (401, "UDAPI100050")
    assert get(made, "/v2/user/profile", new).status == 200


def test_a_token_dies_at_half_past_three_in_the_morning() -> None:
    made = exchange("2026-11-20T22:00:00")
    token = made.login.mint(made.now_ns)
    assert list(made.advance(ns("2026-11-21T03:29:59"))) == []
    assert get(made, "/v2/user/profile", token).status == 200
    assert list(made.advance(ns("2026-11-21T03:30:00"))) == []
    assert error(get(made, "/v2/user/profile", token)) == (401, "UDAPI100050")


def test_a_restarted_exchange_knows_its_own_token_and_no_other() -> None:
    token = exchange().login.mint(exchange().now_ns)
    forged = f"{token.rpartition('.')[0]}.forged"
    assert get(exchange(), "/v2/user/profile", token).status == 200
    assert get(exchange(), "/v2/user/profile", forged).status == 401
    assert get(exchange(), "/v2/user/profile", "no\u20b9token").status == 401


def test_a_logged_out_token_is_dead() -> None:
    made = exchange()
    headers = {"authorization": f"Bearer {made.login.mint(made.now_ns)}"}
    assert data(made.handle(Request("DELETE", "/v2/logout", {}, headers, b"{}"))) is True
    assert error(made.handle(Request("GET", "/v2/user/profile", {}, headers)))[0] == 401


def test_unknown_routes_and_methods_answer_in_the_broker_form() -> None:
    made = exchange()
    assert error(get(made, "/v2/nothing")) == (404, "UDAPI100060")
    assert error(made.handle(Request("POST", "/v2/user/profile"))) == (405, "UDAPI100012")


def test_the_master_lists_identities_and_tick_sizes_in_paise() -> None:
    answer = get(exchange(), "/market-quote/instruments/exchange/NSE.json.gz")
    records = {row["trading_symbol"]: row for row in json.loads(gzip.decompress(answer.body))}
    assert len(records) == len(LISTINGS) == 18
    assert records["BAJFINANCE"]["instrument_key"] == "NSE_EQ|INE296A01032"
    sizes = {symbol: row["tick_size"] for symbol, row in records.items() if "tick_size" in row}
    assert sizes.pop("MARUTI") == 100.0
    fives = {symbol for symbol, size in sizes.items() if size == 5.0}
    assert fives == {"HDFCBANK", "SBIN", "ITC", "BAJFINANCE"}
    assert {size for symbol, size in sizes.items() if symbol not in fives} == {10.0}
    assert sum("cas_eligible" in row for row in records.values()) == 15
    assert records["NIFTY"]["instrument_type"] == "INDEX"


def test_quotes_are_keyed_by_segment_and_symbol() -> None:
    made = exchange()
    token = made.login.mint(made.now_ns)
    keys = f"{RELIANCE},{NIFTY}"
    prices = data(get(made, "/v3/market-quote/ltp", token, instrument_key=keys))
    assert list(prices) == ["NSE_EQ:RELIANCE", "NSE_INDEX:NIFTY"]
    assert prices["NSE_EQ:RELIANCE"]["instrument_token"] == RELIANCE
    full = data(get(made, "/v2/market-quote/quotes", token, symbol=RELIANCE))["NSE_EQ:RELIANCE"]
    assert full["ohlc"]["close"] == prices["NSE_EQ:RELIANCE"]["cp"]
    assert full["last_trade_time"].isdecimal()
    assert full["lower_circuit_limit"] < full["last_price"] < full["upper_circuit_limit"]
    index = data(get(made, "/v2/market-quote/quotes", token, symbol=NIFTY))["NSE_INDEX:NIFTY"]
    assert index["depth"]["buy"] == [{"quantity": 0, "price": 0.0, "orders": 0}] * 5


def test_the_day_has_no_bar_before_it() -> None:
    made = exchange()
    token = made.login.mint(made.now_ns)
    path = "/v3/market-quote/ohlc"
    day = data(get(made, path, token, instrument_key=RELIANCE, interval="1d"))["NSE_EQ:RELIANCE"]
    assert day["prev_ohlc"] is None
    half = data(get(made, path, token, instrument_key=RELIANCE, interval="I30"))
    assert half["NSE_EQ:RELIANCE"]["live_ohlc"]["ts"] == ns("2026-11-20T09:15:00") // 1_000_000


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/v3/market-quote/ltp", {}, "UDAPI1009"),
        ("/v3/market-quote/ltp", {"instrument_key": "RELIANCE"}, "UDAPI1011"),
        ("/v3/market-quote/ltp", {"instrument_key": f"{RELIANCE},NSE_EQ|X"}, "UDAPI100011"),
        ("/v3/market-quote/ltp", {"instrument_key": ",".join(["NSE_EQ|X"] * 501)}, "UDAPI100042"),
        ("/v3/market-quote/ohlc", {"instrument_key": RELIANCE}, "UDAPI1027"),
        ("/v3/market-quote/ohlc", {"instrument_key": RELIANCE, "interval": "I2"}, "UDAPI1028"),
        ("/v2/market/status/NSE_EQ", {}, "UDAPI1089"),
    ],
)
def test_a_bad_question_gets_its_documented_code(
    path: str, query: dict[str, str], code: str
) -> None:
    made = exchange()
    token = made.login.mint(made.now_ns)
    assert error(get(made, path, token, **query)) == (400, code)


def test_the_feed_is_entered_with_a_single_use_code() -> None:
    made = exchange()
    token = made.login.mint(made.now_ns)
    authorised = data(get(made, "/v3/feed/market-data-feed/authorize", token))
    address = authorised["authorized_redirect_uri"]
    assert address == authorised["authorizedRedirectUri"]
    assert address.startswith("ws://127.0.0.1:9/market-data-feeder/")
    redirected = get(made, "/v3/feed/market-data-feed", token)
    assert redirected.status == 302
    assert redirected.headers["Location"].startswith("ws://127.0.0.1:9/")
    code = parse_qs(urlsplit(address).query)["code"][0]
    assert made.connect(code) is not None
    assert made.connect(code) is None
    assert error(get(made, "/v3/feed/market-data-feed")) == (401, "UDAPI100050")


def test_a_third_connection_is_refused_until_one_closes() -> None:
    made = exchange()
    first = made.connect(made.feed_code())
    assert first is not None
    assert made.connect(made.feed_code()) is not None
    assert made.connect(made.feed_code()) is None
    made.disconnect(first)
    assert made.connect(made.feed_code()) is not None


def test_a_jump_back_shows_the_same_day_again() -> None:
    made = exchange()
    before = made.source.trades(RELIANCE, 0, made.now_ns)
    list(made.advance(made.now_ns + 600 * NS_PER_S))
    made.jump(ns("2026-11-20T09:40:00"))
    assert made.source.trades(RELIANCE, 0, made.now_ns) == before


def test_the_analytics_token_reads_the_market_for_a_year_but_not_the_account() -> None:
    made = exchange()
    long, daily = made.login.long_token(made.now_ns), made.login.live_token(made.now_ns)
    for path in ("/v2/market/status/NSE", "/v3/feed/market-data-feed/authorize"):
        assert get(made, path, long).status == 200
    assert data(get(made, "/v3/market-quote/ltp", long, instrument_key=RELIANCE))
    for path in ("/v2/user/profile", "/v3/user/get-funds-and-margin", "/v2/user/kill-switch"):
        assert error(get(made, path, long)) == (403, "UDAPI1154")
        assert get(made, path, daily).status == 200
    assert error(made.handle(Request("DELETE", "/v2/logout", {}, bearer(long))))[0] == 403
    made.login.mint(made.now_ns)
    assert get(made, "/v2/market/status/NSE", long).status == 200
    assert get(made, "/v2/market/status/NSE", daily).status == 401
    later = exchange("2027-11-19T09:40:00")
    assert get(later, "/v2/market/status/NSE", long).status == 200
    assert get(exchange("2027-11-22T09:40:00"), "/v2/market/status/NSE", long).status == 401


def test_a_restarted_exchange_knows_tokens_of_both_kinds_again() -> None:
    made = exchange()
    long, daily = made.login.long_token(made.now_ns), made.login.live_token(made.now_ns)
    again = exchange()
    assert get(again, "/v2/market/status/NSE", long).status == 200
    assert get(again, "/v2/user/profile", daily).status == 200
    assert error(get(again, "/v2/user/profile", long)) == (403, "UDAPI1154")


@pytest.mark.parametrize("name", ["CDS", "BCD", "MCX", "NSCOM"])
def test_exchanges_that_are_not_run_here_are_closed(name: str) -> None:
    made = exchange()
    told = data(get(made, f"/v2/market/status/{name}", made.login.mint(made.now_ns)))
    assert told["exchange"] == name
    assert told["status"] == "NORMAL_CLOSE"
    assert told["last_updated"] * 1_000_000 == ns("2026-11-20T00:00:00")


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
