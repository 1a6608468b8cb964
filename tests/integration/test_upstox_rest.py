"""The REST client against a broker that fails, refuses, lies or is not the broker."""

import asyncio
import re
import ssl
from contextlib import suppress
from datetime import date

import aiohttp
import pytest

from tests.upstox_stage import (
    FRIDAY,
    KEY,
    TOKEN,
    Stub,
    listening,
)
from ticktick.brokers.upstox.hosts import USER_AGENT, Hosts
from ticktick.brokers.upstox.rest import Answered, UpstoxRest
from ticktick.errors import AuthError, BrokerError, RateLimited

pytestmark = pytest.mark.usefixtures("retries_do_not_wait")


async def test_given_a_profile_when_asked_then_the_request_names_us_and_bears_the_token(
    stub: Stub, rest: UpstoxRest
) -> None:
    stub.says(200, {"status": "success", "data": {"user_id": "AB1234", "exchanges": None}})
    assert (await rest.profile()).user_id == "AB1234"
    ((path, headers),) = stub.requests
    assert path == "/v2/user/profile"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["User-Agent"] == USER_AGENT


async def test_given_a_server_that_fails_twice_when_reading_then_it_is_asked_again(
    stub: Stub, rest: UpstoxRest
) -> None:
    stub.says(503, b"<html>busy</html>")
    stub.says(500, b"")
    stub.says(200, {"data": {"user_id": "AB1234"}})
    await rest.profile()
    assert len(stub.requests) == 3


async def test_given_a_server_that_keeps_failing_when_reading_then_four_tries_are_all(
    stub: Stub, rest: UpstoxRest
) -> None:
    for _ in range(9):
        stub.says(502, b"")
    with pytest.raises(BrokerError, match="HTTP 502"):
        await rest.profile()
    assert len(stub.requests) == 4


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BrokerError), (401, AuthError), (403, BrokerError), (429, RateLimited)],
)
async def test_given_a_refusal_when_reading_then_it_is_asked_once(
    stub: Stub, rest: UpstoxRest, status: int, kind: type[BrokerError]
) -> None:
    stub.says(status, {"errors": [{"errorCode": "UDAPI1", "message": "no"}]})
    with pytest.raises(kind):
        await rest.profile()
    assert len(stub.requests) == 1


_HALF = b'{"status":"success","data":{"user_id":"AB'


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"data":null}', b'{"data":{"user_id":null}}', b"\xff\xfe", _HALF],
)
async def test_F13_given_a_success_that_is_none_when_reading_then_it_is_asked_again(
    stub: Stub, rest: UpstoxRest, body: bytes
) -> None:
    stub.says(200, body)
    stub.says(200, {"data": {"user_id": "AB1234"}})
    assert (await rest.profile()).user_id == "AB1234"
    stub.says(200, body)
    stub.says(200, {"data": {"candles": []}})
    assert await rest.intraday_minutes(KEY) == []
    for _ in range(4):
        stub.says(200, body)
    with pytest.raises(BrokerError, match="try again"):
        await rest.profile()
    assert len(stub.requests) == 8


async def test_given_a_token_that_is_none_when_logging_in_then_it_is_asked_once(
    stub: Stub, rest: UpstoxRest
) -> None:
    stub.says(200, _HALF)
    with pytest.raises(BrokerError, match="try again"):
        await rest.token({"code": "c"})
    assert len(stub.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", b"<html>down</html>", b'{"errors":['])
async def test_F13_given_a_server_that_fails_when_reading_then_it_is_asked_again(
    stub: Stub, rest: UpstoxRest, status: int, body: bytes
) -> None:
    stub.says(status, body)
    stub.says(200, {"data": {"candles": []}})
    assert await rest.intraday_minutes(KEY) == []
    assert len(stub.requests) == 2


async def test_F15_given_a_rate_that_is_refused_when_reading_then_the_class_pauses(
    stub: Stub, rest: UpstoxRest
) -> None:
    stub.says(429, b"", **{"Retry-After": "90"})
    with pytest.raises(RateLimited):
        await rest.profile()
    waits = asyncio.ensure_future(rest.quotes([KEY]))
    for _ in range(5):
        await asyncio.sleep(0)
    assert (rest.budget.waiting, rest.budget.left) == (1, 0.0)
    assert len(stub.requests) == 1
    waits.cancel()


async def test_given_a_refused_token_when_reading_then_that_very_token_is_told(
    stub: Stub, http: aiohttp.ClientSession
) -> None:
    told: list[tuple[str, str]] = []
    rest = UpstoxRest(
        http,
        Hosts.loopback(stub.url),
        lambda: TOKEN,
        account_token=lambda: "the-accounts-own",
        refused=lambda token, error: told.append((token, error.code)),
    )
    for read in (rest.profile, rest.authorise_feed):
        stub.says(401, {"errors": [{"errorCode": "UDAPI100050", "message": "no"}]})
        with pytest.raises(AuthError):
            await read()
    assert told == [("the-accounts-own", "UDAPI100050"), (TOKEN, "UDAPI100050")]
    bearers = [headers["Authorization"] for _, headers in stub.requests]
    assert bearers == ["Bearer the-accounts-own", f"Bearer {TOKEN}"]


async def test_given_one_bad_key_when_quoted_then_the_others_are_told(
    stub: Stub, rest: UpstoxRest
) -> None:
    refusal = {"errors": [{"errorCode": "UDAPI100011", "message": "Invalid Instrument key"}]}
    quote = {"instrument_token": KEY, "last_price": 1}
    stub.says(400, refusal)
    stub.says(200, {"data": {"NSE_EQ:RELIANCE": quote}})
    stub.says(400, refusal)
    assert list(await rest.quotes([KEY, "NSE_EQ|NOBODY"])) == [KEY]
    assert len(stub.requests) == 3


@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize(
    ("told", "date_ns"),
    [
        ({"Date": "Fri, 20 Nov 2026 05:00:07 GMT"}, 1_795_150_807 * 10**9),
        ({"Date": "Fri, 20 Nov 2026 05:00:07 GMT", "Age": "31"}, None),
        ({"Date": "noon"}, None),
    ],
)
async def test_P21_given_an_answer_when_heard_then_its_date_is_told_unless_a_cache_gave_it(
    stub: Stub, http: aiohttp.ClientSession, status: int, told: dict[str, str], date_ns: int | None
) -> None:
    counter = iter(range(100, 1_000, 100))
    rest = UpstoxRest(
        http, Hosts.loopback(stub.url), lambda: TOKEN, counter_ns=lambda: next(counter)
    )
    heard: list[Answered] = []
    rest.on_answer = heard.append
    stub.says(status, {"status": "success", "data": {"user_id": "AB1234"}}, **told)
    with suppress(AuthError):
        await rest.profile()
    assert heard == [Answered(100, 200, date_ns)]


async def test_given_a_redirect_when_reading_then_the_token_does_not_follow_it(
    stub: Stub, rest: UpstoxRest
) -> None:
    elsewhere = Stub()
    async with listening(elsewhere.answer) as port:
        stub.says(302, b"", Location=f"http://127.0.0.1:{port}/")
        with pytest.raises(BrokerError, match="HTTP 302"):
            await rest.profile()
    assert elsewhere.requests == []


async def test_given_nobody_listens_when_reading_then_one_sentence_says_so(
    http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(Stub().answer) as port:
        pass
    rest = UpstoxRest(http, Hosts.loopback(f"http://127.0.0.1:{port}"), lambda: TOKEN)
    said = f"cannot reach 127.0.0.1:{port} (Connection refused); check the connection"
    with pytest.raises(BrokerError, match=re.escape(said)):
        await rest.profile()
    assert not caplog.records


async def test_given_no_token_when_reading_then_nothing_is_sent(
    stub: Stub, http: aiohttp.ClientSession
) -> None:
    rest = UpstoxRest(http, Hosts.loopback(stub.url), lambda: None)
    with pytest.raises(AuthError, match="ticktick login"):
        await rest.profile()
    assert stub.requests == []


async def test_given_candles_with_a_nan_when_read_then_the_rows_come_as_they_are(
    stub: Stub, rest: UpstoxRest
) -> None:
    stub.says(200, b'{"data":{"candles":[["2026-11-20T09:15:00+05:30",NaN,1,1,1,1,0]]}}')
    (row,) = await rest.history_minutes("NSE_INDEX|Nifty 50", FRIDAY, date(2026, 11, 2))
    assert row[1] != row[1]  # not a number
    ((path, headers),) = stub.requests
    assert path == ("/v3/historical-candle/NSE_INDEX%7CNifty%2050/minutes/1/2026-11-20/2026-11-02")
    assert "Authorization" not in headers


async def test_given_many_keys_when_quoted_then_they_are_mapped_by_their_own_key(
    stub: Stub, rest: UpstoxRest
) -> None:
    keys = [f"NSE_EQ|K{number}" for number in range(501)]
    for part in (keys[:500], keys[500:]):
        quotes = {f"NSE_EQ:S{key[8:]}": {"instrument_token": key, "last_price": 1} for key in part}
        stub.says(200, {"data": quotes})
    assert list(await rest.quotes(keys)) == keys
    assert len(stub.requests) == 2


async def test_S01_given_a_self_signed_server_when_asked_then_nothing_is_sent_to_it(
    http: aiohttp.ClientSession, self_signed: ssl.SSLContext
) -> None:
    stub = Stub()
    async with listening(stub.answer, self_signed) as port:
        rest = UpstoxRest(http, Hosts.loopback(f"https://127.0.0.1:{port}"), lambda: TOKEN)
        with pytest.raises(BrokerError, match="could not prove that it is"):
            await rest.profile()
        with pytest.raises(BrokerError, match="could not prove that it is"):
            await rest.token({"code": "c", "client_secret": "s"})
    assert stub.requests == []
