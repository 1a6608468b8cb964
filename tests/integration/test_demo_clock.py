"""The clock of a demo: what the exchange's bench tells, unless its own answers contradict it."""

from email.utils import parsedate_to_datetime

import pytest

from tests.exchange_stage import ExchangeStage, exchange_stage
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.domain.clock import NS_PER_S
from ticktick.errors import ConfigError
from ticktick.origin.demo_clock import DemoTime


async def begun(stage: ExchangeStage) -> DemoTime:
    return await DemoTime.begin(stage.http, hosts(stage))


def hosts(stage: ExchangeStage) -> Hosts:
    return Hosts.loopback(f"http://{stage.exchange.address}")


async def test_every_answer_is_dated_by_the_market() -> None:
    async with exchange_stage() as stage:
        later_ns = stage.now_ns + 3600 * NS_PER_S + NS_PER_S // 3
        async with stage.http.post("/_emu/clock", json={"now_ns": later_ns}):
            pass
        for path in ("/v2/user/profile", "/nothing", "/_emu/clock"):
            async with stage.http.get(path) as answer:
                date = parsedate_to_datetime(answer.headers["Date"])
            assert int(date.timestamp()) == later_ns // NS_PER_S


async def test_a_demo_follows_the_exchange_when_it_is_set() -> None:
    async with exchange_stage() as stage:
        time = await begun(stage)
        later_ns = stage.now_ns + 16 * 3600 * NS_PER_S
        async with stage.http.post("/_emu/clock", json={"now_ns": later_ns, "rate": 20.0}):
            pass
        await time.look()
        assert time.clock.rate == 20.0
        assert 0 <= time.clock.now_ns() - later_ns < 20 * 30 * NS_PER_S
        assert time.offset_ms == 0.0


@pytest.mark.parametrize("skew_s", [-3600, 3600, 5, -5])
async def test_P21_a_skewed_clock_is_not_followed_and_its_offset_is_told(skew_s: float) -> None:
    async with exchange_stage() as stage:
        time = await begun(stage)
        await stage.fault("clock.skew", args={"s": skew_s})
        for _ in range(3):
            await time.look()
            assert abs(time.clock.now_ns() - stage.now_ns) < NS_PER_S // 10
            assert time.offset_ms == pytest.approx(skew_s * 1000, abs=100)
        await stage.clear()
        await time.look()
        assert abs(time.clock.now_ns() - stage.now_ns) < NS_PER_S // 10
        assert time.offset_ms == 0.0


async def test_P21_a_demo_that_begins_with_a_skewed_clock_is_right_within_half_a_second() -> None:
    async with exchange_stage() as stage:
        await stage.fault("clock.skew", args={"s": 3600})
        time = await begun(stage)
        assert abs(time.clock.now_ns() - stage.now_ns) <= NS_PER_S // 2
        assert time.offset_ms == pytest.approx(3_600_000, abs=500)


async def test_without_an_exchange_there_is_no_demo() -> None:
    async with exchange_stage() as stage:
        nobody = Hosts.loopback("http://127.0.0.1:9")
        with pytest.raises(ConfigError, match="start one with `ticktick emulator`"):
            await DemoTime.begin(stage.http, nobody)
