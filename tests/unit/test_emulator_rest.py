"""REST answers on options, search, account and older forms, and the code of every bad question."""

import json
from typing import Any

import pytest

from ticktick.domain.clock import parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.answers import Request, Response
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.floor import Floor

RELIANCE, NIFTY, BANK = "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50", "NSE_INDEX|Nifty Bank"
CALL = "NSE_FO|60140"
CHAIN, SEARCH = "/v2/option/chain", "/v2/instruments/search"
TOKEN_REQUEST = "/v3/login/auth/token/request"


def ns(text: str) -> int:
    return parse_iso_ns(f"{text}+05:30")


@pytest.fixture(scope="module")
def made() -> Exchange:
    return Exchange(lambda at_ns: Floor(1, at_ns, Calendar()), ns("2026-11-20T10:30:00"), seed=1)


def get(made: Exchange, path: str, **query: str) -> Response:
    token = made.login.live_token(made.now_ns)
    return made.handle(Request("GET", path, query, {"authorization": f"Bearer {token}"}))


def body(answer: Response) -> Any:
    content = json.loads(answer.body)
    assert (answer.status, content["status"]) == (200, "success"), content
    return content


def code(answer: Response) -> tuple[int, str]:
    (problem,) = json.loads(answer.body)["errors"]
    assert problem["errorCode"] == problem["error_code"]
    return answer.status, problem["errorCode"]


V2, V3 = "/v2/historical-candle", "/v3/historical-candle"


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/v2/option/contract", {}, "UDAPI1009"),
        ("/v2/option/contract", {"instrument_key": "NIFTY"}, "UDAPI1011"),
        ("/v2/option/contract", {"instrument_key": "NSE_INDEX|X"}, "UDAPI100011"),
        ("/v2/option/contract", {"instrument_key": NIFTY, "expiry_date": "soon"}, "UDAPI100036"),
        (CHAIN, {"expiry_date": "current_week"}, "UDAPI1009"),
        (CHAIN, {"instrument_key": NIFTY}, "UDAPI100036"),
        (CHAIN, {"instrument_key": NIFTY, "expiry_date": "01-12-2026"}, "UDAPI100036"),
        (CHAIN, {"instrument_key": "MCX_FO|1", "expiry_date": "2026-12-01"}, "UDAPI1088"),
        ("/v3/market-quote/option-greek", {}, "UDAPI1009"),
        ("/v3/market-quote/option-greek", {"instrument_key": "60140"}, "UDAPI1011"),
        ("/v3/market-quote/option-greek", {"instrument_key": "NSE_FO|1"}, "UDAPI100011"),
        (
            "/v3/market-quote/option-greek",
            {"instrument_key": ",".join([CALL] * 51)},
            "UDAPI100076",
        ),
        ("/v2/market-quote/ltp", {}, "UDAPI1009"),
        ("/v2/market-quote/ltp", {"symbol": f"{RELIANCE},NSE_EQ|X"}, "UDAPI100011"),
        ("/v2/market-quote/ltp", {"symbol": ",".join([CALL] * 501)}, "UDAPI100042"),
        ("/v2/market-quote/ohlc", {"symbol": RELIANCE}, "UDAPI1027"),
        ("/v2/market-quote/ohlc", {"symbol": RELIANCE, "interval": "1minute"}, "UDAPI1028"),
        (SEARCH, {}, "UDAPI100036"),
        (SEARCH, {"query": "NIFTY", "records": "31"}, "UDAPI100036"),
        (SEARCH, {"query": "NIFTY", "page_number": "0"}, "UDAPI100036"),
        (SEARCH, {"query": "NIFTY", "atm_offset": "near"}, "UDAPI100036"),
        ("/v2/user/get-funds-and-margin", {"segment": "FO"}, "UDAPI1019"),
        (f"{V2}/{RELIANCE}/5minute/2026-11-19", {}, "UDAPI1020"),
        (f"{V2}/intraday/{RELIANCE}/day", {}, "UDAPI1020"),
        (f"{V2}/RELIANCE/day/2026-11-19", {}, "UDAPI1021"),
        (f"{V2}/NSE_EQ|X/day/2026-11-19", {}, "UDAPI100011"),
        (f"{V2}/{RELIANCE}/day", {}, "UDAPI1022"),
        (f"{V2}/{RELIANCE}/day/yesterday", {}, "UDAPI1015"),
        (f"{V2}/{RELIANCE}/day/2026-11-19/2026-11-20", {}, "UDAPI1015"),
        (f"{V2}/{RELIANCE}/1minute/2026-11-19/2026-10-01", {}, "UDAPI1015"),
        (f"{V3}/{RELIANCE}/days/1", {}, "UDAPI1022"),
    ],
)
def test_a_bad_question_gets_its_documented_code(
    made: Exchange, path: str, query: dict[str, str], expected: str
) -> None:
    assert code(get(made, path, **query)) == (400, expected)


@pytest.mark.parametrize(
    "path",
    [
        CHAIN,
        SEARCH,
        "/v2/option/contract",
        "/v3/market-quote/option-greek",
        "/v2/market-quote/ltp",
        "/v2/market-quote/ohlc",
        "/v2/user/get-funds-and-margin",
        "/v3/user/get-funds-and-margin",
        "/v2/user/kill-switch",
    ],
)
def test_accounts_and_quotes_need_a_token(made: Exchange, path: str) -> None:
    assert code(made.handle(Request("GET", path))) == (401, "UDAPI100050")


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        (f"{V2}/{RELIANCE}/1minute/2026-11-19/2026-11-18", 2 * 360),
        (f"{V2}/{RELIANCE}/30minute/2026-11-19/2026-11-19", 12),
        (f"{V2}/{RELIANCE}/day/2026-11-19/2026-11-17", 3),
        (f"{V2}/{RELIANCE}/week/2026-11-19/2026-11-09", 2),
        (f"{V2}/{CALL}/1minute/2026-11-19/2026-11-19", 385),
        (f"{V2}/intraday/{RELIANCE}/1minute", 75),
        (f"{V2}/intraday/{CALL}/30minute", 3),
    ],
)
def test_older_candles_need_no_token_and_have_the_right_count(
    made: Exchange, path: str, rows: int
) -> None:
    candles = body(made.handle(Request("GET", path)))["data"]["candles"]
    assert len(candles) == rows
    assert all(len(row) == 7 for row in candles)
    assert candles == sorted(candles, reverse=True)


def test_older_and_newer_candles_are_the_same(made: Exchange) -> None:
    for older, newer in (("1minute", "minutes/1"), ("30minute", "minutes/30"), ("day", "days/1")):
        paths = [f"{V2}/{CALL}/{older}", f"{V3}/{CALL}/{newer}"]
        answers = [made.handle(Request("GET", f"{path}/2026-11-19/2026-11-18")) for path in paths]
        assert body(answers[0]) == body(answers[1])
        assert all(row[6] > 0 for row in body(answers[0])["data"]["candles"])


def test_contracts_are_master_records_with_the_expiry_as_a_date(made: Exchange) -> None:
    everything = body(get(made, "/v2/option/contract", instrument_key=NIFTY))["data"]
    assert len(everything) == 82
    (one,) = [row for row in everything if row["instrument_key"] == CALL]
    assert one["trading_symbol"] == "NIFTY 25900 CE 01 DEC 26"
    assert (one["expiry"], one["strike_price"], one["lot_size"]) == ("2026-12-01", 25_900.0, 65)
    of_day = get(made, "/v2/option/contract", instrument_key=NIFTY, expiry_date="2026-12-01")
    assert body(of_day)["data"] == everything
    other = get(made, "/v2/option/contract", instrument_key=NIFTY, expiry_date="2026-12-08")
    assert body(other)["data"] == []
    assert body(get(made, "/v2/option/contract", instrument_key=BANK))["data"] == []


@pytest.mark.parametrize(
    ("expiry", "rows"),
    [
        ("2026-12-01", 41),
        ("current_week", 41),
        ("next_week", 0),
        ("far_week", 0),
        ("current_month", 0),
        ("next_month", 0),
        ("far_month", 0),
    ],
)
def test_the_chain_is_asked_for_by_date_or_word(made: Exchange, expiry: str, rows: int) -> None:
    answer = get(made, CHAIN, instrument_key=NIFTY, expiry_date=expiry)
    assert len(body(answer)["data"]) == rows


def test_the_chain_agrees_with_the_quotes(made: Exchange) -> None:
    chain = body(get(made, CHAIN, instrument_key=NIFTY, expiry_date="2026-12-01"))["data"]
    (row,) = [row for row in chain if row["strike_price"] == 25_900.0]
    spot = body(get(made, "/v2/market-quote/ltp", symbol=NIFTY))["data"]["NSE_INDEX:NIFTY"]
    assert row["underlying_spot_price"] == spot["last_price"]
    assert row["expiry"] == "2026-12-01"
    call, put = row["call_options"], row["put_options"]
    assert row["pcr"] == round(put["market_data"]["oi"] / call["market_data"]["oi"], 4)
    quote = body(get(made, "/v3/market-quote/option-greek", instrument_key=CALL))["data"]
    told = quote["NSE_FO:NIFTY 25900 CE 01 DEC 26"]
    assert call["instrument_key"] == told["instrument_token"] == CALL
    assert call["option_greeks"]["delta"] == told["delta"] > 0
    assert call["option_greeks"]["iv"] == round(told["iv"] * 100, 2)
    assert call["market_data"]["ltp"] == told["last_price"]
    assert call["market_data"]["oi"] == told["oi"]
    assert call["market_data"]["bid_price"] < call["market_data"]["ask_price"]
    assert 20 < call["option_greeks"]["pop"] < 50
    assert 20 < put["option_greeks"]["pop"] < 50
    full = body(get(made, "/v3/market-quote/quotes", instrument_key=CALL))["data"]
    item = full["NSE_FO:NIFTY 25900 CE 01 DEC 26"]
    assert item["oi_day_low"] <= item["oi"] <= item["oi_day_high"]
    assert item["previous_oi"] == call["market_data"]["prev_oi"]


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ({"query": "relia"}, ["RELIANCE"]),
        ({"query": "INE009A01021"}, ["INFY"]),
        ({"query": "nifty", "segments": "INDEX"}, ["NIFTY", "BANKNIFTY"]),
        ({"query": "banknifty", "instrument_types": "FUT"}, ["BANKNIFTY FUT 23 NOV 26"]),
        (
            {"query": "nifty 25900", "segments": "FO", "expiry": "current_week"},
            ["NIFTY 25900 CE 01 DEC 26", "NIFTY 25900 PE 01 DEC 26"],
        ),
        ({"query": "reliance", "exchanges": "BSE"}, []),
    ],
)
def test_search_finds_by_part_of_symbol_name_or_isin(
    made: Exchange, query: dict[str, str], symbols: list[str]
) -> None:
    found = body(get(made, SEARCH, **query))
    assert [row["trading_symbol"] for row in found["data"]] == symbols
    assert found["meta_data"]["page"]["total_records"] == len(symbols)


def test_search_knows_the_money_and_pages(made: Exchange) -> None:
    near = {"query": "nifty", "instrument_types": "CE", "expiry": "2026-12-01"}
    spot = body(get(made, "/v2/market-quote/ltp", symbol=NIFTY))["data"]["NSE_INDEX:NIFTY"]
    (at_the_money,) = body(get(made, SEARCH, **near, atm_offset="0"))["data"]
    assert abs(at_the_money["strike_price"] - spot["last_price"]) <= 25
    (above,) = body(get(made, SEARCH, **near, atm_offset="2"))["data"]
    assert above["strike_price"] == at_the_money["strike_price"] + 100
    last = body(get(made, SEARCH, **near, records="30", page_number="2"))
    assert last["meta_data"]["page"] == {
        "page_number": 2,
        "total_pages": 2,
        "records": 11,
        "total_records": 41,
    }


def test_funds_are_told_in_both_forms(made: Exchange) -> None:
    older = body(get(made, "/v2/user/get-funds-and-margin"))["data"]
    newer = body(get(made, "/v3/user/get-funds-and-margin"))["data"]
    assert set(older["commodity"].values()) == {0.0}
    assert older["equity"]["available_margin"] == newer["available_to_trade"]["total"]
    assert set(body(get(made, "/v2/user/get-funds-and-margin", segment="COM"))["data"]) == {
        "commodity"
    }


def test_the_kill_switch_is_told_for_each_segment(made: Exchange) -> None:
    told = body(get(made, "/v2/user/kill-switch"))["data"]
    assert len(told) == 8
    assert {row["segment_status"] for row in told} == {"ACTIVE"}


def test_special_sessions_are_told_with_their_hours(made: Exchange) -> None:
    (told,) = body(made.handle(Request("GET", "/v2/market/holidays/2026-02-01")))["data"]
    assert told["holiday_type"] == "SPECIAL_TIMING"
    hours = {
        row["exchange"]: (row["start_time"], row["end_time"]) for row in told["open_exchanges"]
    }
    assert hours["NSE"] == tuple(ns(f"2026-02-01T{t}") // 1_000_000 for t in ("09:15", "15:30"))
    assert body(made.handle(Request("GET", "/v2/market/holidays/2026-11-20")))["data"] == []


def asked(made: Exchange, client_id: str, content: Any) -> Response:
    path = f"{TOKEN_REQUEST}/{client_id}"
    return made.handle(Request("POST", path, body=json.dumps(content).encode()))


@pytest.mark.parametrize(
    ("client_id", "content", "expected"),
    [
        (" ", {"client_secret": "demo-api-secret"}, (400, "UDAPI1017")),
        ("demo-api-key", {}, (400, "UDAPI1024")),
        ("demo-api-key", [], (400, "UDAPI100036")),
        ("demo-api-key", {"client_secret": "other"}, (401, "UDAPI100016")),
        ("other", {"client_secret": "demo-api-secret"}, (401, "UDAPI100016")),
    ],
)
def test_a_wrong_request_for_a_token_is_refused(
    made: Exchange, client_id: str, content: Any, expected: tuple[int, str]
) -> None:
    assert code(asked(made, client_id, content)) == expected


def test_an_approved_request_gives_a_notice_with_the_token(made: Exchange) -> None:
    with pytest.raises(LookupError, match="no app has asked"):
        made.token_requests.decide(True, made.now_ns)
    answer = body(asked(made, "demo-api-key", {"client_secret": "demo-api-secret"}))["data"]
    assert answer["authorization_expiry"] == str(ns("2026-11-21T03:30:00") // 1_000_000)
    assert answer["notifier_url"].startswith("http://127.0.0.1:")
    notice = made.token_requests.decide(True, made.now_ns)
    assert notice is not None
    assert notice.url == answer["notifier_url"]
    told = json.loads(notice.body)
    assert told["message_type"] == "access_token"
    assert told["expires_at"] == answer["authorization_expiry"]
    headers = {"authorization": f"Bearer {told['access_token']}"}
    assert body(made.handle(Request("GET", "/v2/user/profile", {}, headers)))
    with pytest.raises(LookupError):
        made.token_requests.decide(True, made.now_ns)


def test_a_rejected_or_lapsed_request_sends_nothing(made: Exchange) -> None:
    secret = {"client_secret": "demo-api-secret"}
    body(asked(made, "demo-api-key", secret))
    assert made.token_requests.decide(False, made.now_ns) is None
    body(asked(made, "demo-api-key", secret))
    with pytest.raises(LookupError, match="lapsed"):
        made.token_requests.decide(True, ns("2026-11-21T03:30:00"))


@pytest.mark.parametrize("url", ["http://example.com/n", "https://127.0.0.1/n", "ftp://localhost"])
def test_tokens_are_sent_to_this_machine_only(made: Exchange, url: str) -> None:
    with pytest.raises(ValueError, match="on this machine"):
        made.token_requests.register(url)
