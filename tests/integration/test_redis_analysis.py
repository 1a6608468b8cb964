"""What candles say, in Redis: indicators as a hash, patterns as a stream, in rupees."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tests.store_stage import OPEN_MS, Asking, SmallMarket, eventually, facts_only
from ticktick.analytics.catalogue import UNITS
from ticktick.domain.analysis import Confirmation, Pattern, Reading, Record
from ticktick.domain.event import (
    Fact,
    IndicatorsRead,
    PatternFound,
    PatternJudged,
    PatternSuperseded,
    VwapCrossed,
    WatchlistChanged,
)
from ticktick.store.redis_store import RedisWriter
from ticktick.store.server import EmbeddedServer

OPEN_NS = OPEN_MS * 1_000_000
PATTERN = Pattern(
    symbol="RELIANCE",
    minutes=5,
    start_ns=OPEN_NS,
    name="hammer",
    value=100,
    direction=1,
    strict=True,
    shadow_ratio=2.5,
    trend="down",
    in_context=True,
    confirmation=141_300,
    invalidation=140_900,
    record=Record(40, 0.55, 0.4, 0.69, 0.5),
)


def reading(
    minutes: int, values: Mapping[str, float], at: int = 0, degenerate: Sequence[str] = ()
) -> Fact:
    start_ns = OPEN_NS + at * 60_000_000_000
    told = Reading("RELIANCE", minutes, start_ns, 300, dict(values), tuple(degenerate))
    return IndicatorsRead(start_ns, told)


def write(server: EmbeddedServer, *batches: Sequence[Fact]) -> None:
    writer = RedisWriter(server.url, SmallMarket())
    for facts in batches:
        writer.take(facts_only(*facts))
    writer.close()


def entries(ask: Asking) -> list[dict[str, str]]:
    told = ask(2, "XRANGE", "patterns:RELIANCE", "-", "+")
    return [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in told]


def test_indicators_are_one_hash_with_prices_in_rupees(server: EmbeddedServer, ask: Asking) -> None:
    write(
        server, [reading(5, {"rsi_14": 61.5, "sma_20": 141_255.5}), reading(15, {"adx_14": 22.0})]
    )
    told = ask(2, "HGETALL", "indicators:RELIANCE")
    assert float(told["5m:rsi_14"]) == 61.5
    assert float(told["5m:sma_20"]) == 1412.555
    assert float(told["15m:adx_14"]) == 22.0
    assert int(told["5m:start_ms"]) == OPEN_MS
    assert int(told["5m:bars"]) == 300


def test_crossings_are_entries_in_rupees(server: EmbeddedServer, ask: Asking) -> None:
    up = VwapCrossed(OPEN_NS, "RELIANCE", 1, 141_055.0, 141_050.5, 31)
    write(server, [up, replace(up, direction=-1)])
    first, second = ask(2, "XRANGE", "crossings:RELIANCE", "-", "+")
    assert first[0] == f"{OPEN_MS}-0"
    told = dict(zip(first[1][::2], first[1][1::2], strict=True))
    assert (told["direction"], told["trades"]) == ("1", "31")
    assert (float(told["average"]), float(told["vwap"])) == (1410.55, 1410.505)
    assert second[1][:2] == ["direction", "-1"]


def test_what_is_no_longer_ready_leaves_the_hash(server: EmbeddedServer, ask: Asking) -> None:
    write(
        server,
        [reading(5, {"rsi_14": 61.5, "mfi_14": 50.0}, degenerate=["mfi_14"])],
        [reading(5, {"rsi_14": 60.0}, at=5)],
    )
    told = ask(2, "HGETALL", "indicators:RELIANCE")
    assert float(told["5m:rsi_14"]) == 60.0
    assert "5m:mfi_14" not in told
    assert "5m:degenerate" not in told


def test_a_neutral_value_is_flagged(server: EmbeddedServer, ask: Asking) -> None:
    write(server, [reading(5, {"mfi_14": 50.0, "cmo_14": 0.0}, degenerate=["mfi_14", "cmo_14"])])
    assert ask(2, "HGET", "indicators:RELIANCE", "5m:degenerate") == "mfi_14 cmo_14"


def test_values_that_are_withheld_leave_the_hash_and_the_reason_stands(
    server: EmbeddedServer, ask: Asking
) -> None:
    reason = "the open of 2026-11-17T09:15 is -50.0% from the close before it"
    withheld = IndicatorsRead(OPEN_NS, Reading("RELIANCE", 5, OPEN_NS, 300, {}, withheld=reason))
    write(server, [reading(5, {"rsi_14": 61.5})], [withheld])
    told = ask(2, "HGETALL", "indicators:RELIANCE")
    assert "5m:rsi_14" not in told
    assert told["5m:withheld"] == reason
    write(server, [withheld], [reading(5, {"rsi_14": 61.5})])
    assert ask(2, "HGET", "indicators:RELIANCE", "5m:withheld") is None


def test_a_pattern_is_an_entry_and_so_is_what_becomes_of_it(
    server: EmbeddedServer, ask: Asking
) -> None:
    judged = Confirmation("RELIANCE", 5, OPEN_NS, "hammer", True)
    write(
        server,
        [PatternFound(OPEN_NS, PATTERN)],
        [PatternJudged(OPEN_NS, judged), PatternSuperseded(OPEN_NS, replace(PATTERN, revision=0))],
    )
    found, said, gone = entries(ask)
    assert (found["event"], found["pattern"], found["timeframe"]) == ("found", "hammer", "5m")
    assert (float(found["confirmation"]), float(found["invalidation"])) == (1413.0, 1409.0)
    assert (found["strict"], found["in_context"], found["trend"]) == ("1", "1", "down")
    assert (found["cases"], float(found["hit_rate"])) == ("40", 0.55)
    assert (said["event"], said["confirmed"]) == ("judged", "1")
    assert gone["event"] == "superseded"


def test_P18_entries_and_readings_survive_a_server_that_comes_back_empty(
    server: EmbeddedServer, ask: Asking
) -> None:
    writer = RedisWriter(server.url, SmallMarket())
    try:
        writer.take(facts_only(reading(5, {"rsi_14": 61.5}), PatternFound(OPEN_NS, PATTERN)))
        eventually(lambda: len(entries(ask)) == 1)
        Asking(server.url)(0, "CLIENT", "KILL", "TYPE", "normal")
        ask(0, "FLUSHALL")
        writer.take(facts_only(PatternFound(OPEN_NS + 1, PATTERN)))
        eventually(lambda: ask(2, "HGET", "indicators:RELIANCE", "5m:rsi_14") is not None)
        eventually(lambda: len(entries(ask)) == 1)
    finally:
        writer.close()


def test_an_entry_written_twice_is_there_once(server: EmbeddedServer, ask: Asking) -> None:
    writer = RedisWriter(server.url, SmallMarket())
    try:
        for _ in range(3):
            writer.take(facts_only(PatternFound(OPEN_NS, PATTERN)))
            Asking(server.url)(0, "CLIENT", "KILL", "TYPE", "normal")
        eventually(lambda: len(entries(ask)) == 3)
    finally:
        writer.close()
    assert len(entries(ask)) == 3


def test_a_symbol_nobody_follows_any_more_leaves_its_stream_and_no_hash(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket(("RELIANCE", "TCS"))
    writer = RedisWriter(server.url, market)
    try:
        writer.take(facts_only(reading(5, {"rsi_14": 61.5}), PatternFound(OPEN_NS, PATTERN)))
        eventually(lambda: ask(2, "EXISTS", "indicators:RELIANCE") == 1)
        del market.table.row_of_symbol["RELIANCE"]
        writer.take(facts_only(WatchlistChanged(OPEN_NS, ("TCS",), removed=("RELIANCE",))))
        eventually(lambda: ask(2, "EXISTS", "indicators:RELIANCE") == 0)
        assert len(entries(ask)) == 1
    finally:
        writer.close()


def test_every_published_name_has_a_unit_and_only_those_are_written(
    server: EmbeddedServer, ask: Asking
) -> None:
    write(server, [reading(1, dict.fromkeys(UNITS, 1.0))])
    told = ask(2, "HGETALL", "indicators:RELIANCE")
    assert {name.partition(":")[2] for name in told} == {*UNITS, "start_ms", "bars"}
