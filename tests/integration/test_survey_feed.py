"""The survey of the feed: as expected on the exchange, different with switches and faults."""

import pytest

from tests.survey_stage import survey_stage, unlike, verdicts

FEED = ("feed.", "frames.", "modes.", "minutes.")


@pytest.mark.slow
async def test_a_minute_of_the_feed_is_as_expected() -> None:
    async with survey_stage(rate=10.0) as stage:
        results = await stage.look(*FEED, listen_s=75.0)
    assert unlike(results, "PASS") == ["SKIPPED frames.index_auction: no closing auction runs now"]


async def test_some_seconds_of_the_feed_are_as_expected() -> None:
    async with survey_stage(rate=5.0) as stage:
        results = await stage.look(*FEED, listen_s=8.0)
    assert [one.found for one in results.values() if one.verdict == "DIFF"] == []
    assert {name for name, one in results.items() if one.verdict == "SKIPPED"} <= {
        "frames.index_auction",
        "frames.minute",
    }


async def test_what_the_broker_does_not_document_shows_when_it_is_otherwise() -> None:
    async with survey_stage(rate=5.0) as stage:
        await stage.switch(
            feed__unknown_keys_told=True,
            feed__addresses_last=True,
            feed__partial_packets=False,
            feed__d30_for_all=True,
        )
        results = await stage.look(*FEED, listen_s=8.0)
    assert {name for name, one in results.items() if one.verdict == "DIFF"} == {
        "feed.unknown_key",
        "feed.code_once",
        "frames.partial",
        "modes.full_d30",
    }
    assert "1 instrument keys are not listed" in results["feed.unknown_key"].found


@pytest.mark.parametrize(
    ("switch", "claim", "verdict", "found"),
    [
        pytest.param(
            "account.plus", True, "PASS", "the third connection was let in", marks=pytest.mark.slow
        ),
        ("account.plus", False, "DIFF", "the third connection was let in"),
        ("feed.one_socket", False, "DIFF", "the second connection was refused (HTTP 403)"),
    ],
)
async def test_the_number_of_connections_is_that_of_the_plan(
    switch: str, claim: bool, verdict: str, found: str
) -> None:
    async with survey_stage(rate=1.0) as stage:
        await stage.switch(**{switch.replace(".", "__"): True})
        results = await stage.look("feed.sockets", "modes.full_d30", isPlusPlan=claim)
    assert results["feed.sockets"].verdict == verdict
    assert results["feed.sockets"].found == found


async def test_a_deep_book_comes_with_the_plan() -> None:
    async with survey_stage(rate=5.0) as stage:
        await stage.switch(account__plus=True)
        found = (await stage.look("modes.full_d30", isPlusPlan=True))["modes.full_d30"]
    assert (found.verdict, found.found[-9:]) == ("PASS", "levels 30")


@pytest.mark.slow
async def test_a_silent_feed_shows_in_the_canary() -> None:
    async with survey_stage(rate=1.0) as stage:
        await stage.fault("ws.silence", after=1.0)
        results = await stage.look("frames.canary", "feed.pong", "feed.kept", listen_s=8.0)
    assert verdicts(results) == {
        "feed.pong": "PASS", "feed.kept": "PASS", "frames.canary": "DIFF",
    }  # fmt: skip


async def test_damage_and_lies_on_the_feed_show() -> None:
    async with survey_stage(rate=5.0) as stage:
        await stage.fault("ws.text", args={"share": 0.2})
        await stage.fault("ws.values", "NSE_EQ", args={"kind": "negative_volume"})
        await stage.fault("clock.skew", args={"s": 60.0})
        await stage.fault("market.phase", args={"p": "CLOSING_START"})
        results = await stage.look("feed.texts", "frames.", listen_s=8.0)
        await stage.clear()
        assert (await stage.look("feed.texts"))["feed.texts"].verdict == "PASS"
    different = {name for name, one in results.items() if one.verdict == "DIFF"}
    assert different >= {"feed.texts", "frames.time", "frames.volume"}
    assert "service unavailable" in results["feed.texts"].found


async def test_what_http_tells_is_held_against_the_feed() -> None:
    minute = ["2026-11-20T10:29:00+05:30", 1.0, 2.0, 0.5, 1.5, 7, 0]
    async with survey_stage(rate=1.0) as stage:
        await stage.says("/v3/historical-candle/intraday", {"data": {"candles": [minute]}})
        await stage.says("/v2/market/status", {"data": {"status": "CLOSING_START"}})
        results = await stage.look("minutes.same", "frames.status")
    assert results["minutes.same"].found[-14:] == "minutes differ"
    assert results["frames.status"].found == "NORMAL_OPEN on the feed, CLOSING_START over HTTP"
    assert set(verdicts(results).values()) == {"DIFF"}


async def test_a_feed_that_hangs_up_shows() -> None:
    async with survey_stage(rate=1.0) as stage:
        await stage.fault("ws.close", args={"code": 1011}, after=1.0)
        results = await stage.look("feed.kept", "feed.idle", listen_s=3.0)
    assert verdicts(results) == {"feed.kept": "DIFF", "feed.idle": "DIFF"}
    assert results["feed.kept"].found == "closed with 1011"


async def test_without_the_feed_its_looks_are_skipped_with_the_reason() -> None:
    async with survey_stage() as stage:
        await stage.says("/v3/feed/market-data-feed/authorize", "", 503)
        results = await stage.look(*FEED)
    assert {one.verdict for one in results.values()} == {"SKIPPED"}
    assert {one.found for one in results.values()} <= {
        "the broker answered HTTP 503",
        "no closing auction runs now",
    }


@pytest.mark.parametrize(
    "start", ["2026-11-20T20:00:00", pytest.param("2026-11-22T11:00:00", marks=pytest.mark.slow)]
)
async def test_outside_the_session_the_feed_differs_in_nothing(start: str) -> None:
    async with survey_stage(start, rate=1.0) as stage:
        results = await stage.look(*FEED)
    assert [one for one in results.values() if one.verdict == "DIFF"] == []
    assert results["frames.canary"].found == "the market does not trade now"
    assert results["frames.snapshot"].verdict == "PASS"
