"""Damaged frames: whatever comes, nothing breaks and nothing untrue is shown."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from tests.fuzz.drive import Failure, Tally, run_episode
from tests.fuzz.mutations import MUTATIONS
from tests.fuzz.side_by_side import compare_decoders
from tests.fuzz.supplies import MOMENTS, Supply, made_by_exchange, recorded
from tests.fuzz.wire import encode, parse
from tests.oracles.belief import Judge, Shown
from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.brokers.upstox.decoders import CompiledDecoder, new_decoder
from ticktick.domain.clock import NS_PER_S, parse_iso_ns
from ticktick.domain.metric import METRICS
from ticktick.domain.sessions import Calendar
from ticktick.domain.slots import DEEP, SLOT
from ticktick.engine.engine import Engine
from ticktick.engine.ports import Decoded, Decoder, EngineSettings
from ticktick.errors import DecodeError
from ticktick.market.table import SlotTable
from ticktick.proto import MarketDataFeed_pb2 as pb2
from tools import fuzz

NOON = parse_iso_ns("2026-11-20T12:00:00+05:30")
KEYS = ["NSE_EQ|A", "NSE_EQ|B"]
NAMES = [metric.name for metric in METRICS]


@pytest.fixture(scope="module")
def supplies() -> list[Supply]:
    return [made_by_exchange(moment, 12) for moment in MOMENTS]


def test_P08_no_damaged_frame_shows_what_cannot_be_true(supplies: list[Supply]) -> None:
    tally = Tally()
    for episode in range(len(supplies)):
        run_episode(supplies, 7, episode, 250, tally)
    assert set(tally.frames) == {mutation.__name__ for mutation in MUTATIONS}
    assert sum(tally.frames.values()) == 250 * len(supplies)
    outcomes = {outcome: 0 for _, outcome in tally.outcomes}
    for (_, outcome), count in tally.outcomes.items():
        outcomes[outcome] += count
    assert set(outcomes) == {"unreadable", "refused", "believed"}
    assert all(count > 200 for count in outcomes.values())


@pytest.mark.shared
def test_P08_no_damaged_frame_of_a_recorded_day_shows_what_cannot_be_true(
    shared_data: Path,
) -> None:
    run_episode([recorded(shared_data)], 7, 0, 300, Tally())


def test_both_decoders_say_the_same_of_damaged_frames(supplies: list[Supply]) -> None:
    tally = Tally()
    for episode in range(len(supplies)):
        compare_decoders(supplies, 11, episode, 60, tally)
    assert {outcome for _, outcome in tally.outcomes} == {"unreadable", "refused", "believed"}


class Careless(ProtobufDecoder):
    """A decoder that does not count what it left out."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Say nothing of refused packets."""
        return structs.replace(super().decode(data, table, received_ns, seq), refused=0)


def test_two_decoders_that_differ_now_and_then_are_told_apart(supplies: list[Supply]) -> None:
    with pytest.raises(Failure, match="the decoders tell"):
        compare_decoders(supplies, 11, 0, 300, Tally(), Careless)


def test_every_good_frame_is_read_by_compiled_code_alone(supplies: list[Supply]) -> None:
    decoder = new_decoder()
    if not isinstance(decoder, CompiledDecoder):
        pytest.skip("plain Python serves")
    for supply in supplies:
        table = SlotTable(len(supply.instruments))
        table.follow(supply.instruments)
        scanner = decoder._scanner_of(table)
        assert all(scanner.scan(good.data, 1, 1) is not None for good in supply.frames)


class Broken(ProtobufDecoder):
    """A decoder that lets everything through, or worse."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Write past the screen."""
        decoded = super().decode(data, table, received_ns, seq)
        table.accept(decoded.rows)
        return decoded


class Fragile(ProtobufDecoder):
    """A decoder that breaks at what it does not know."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Raise what the engine does not expect."""
        try:
            return super().decode(data, table, received_ns, seq)
        except DecodeError as error:
            raise KeyError("market") from error


class Slow(ProtobufDecoder):
    """A decoder that thinks for long."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Work for a tenth of a second and more."""
        sum(range(10_000_000))
        return super().decode(data, table, received_ns, seq)


def complaint(supplies: list[Supply], decoder: type[Decoder], **settings: int) -> str:
    def broken() -> Engine:
        return Engine(decoder(), Calendar(), EngineSettings(**settings))

    for episode in range(60):
        try:
            run_episode(supplies, 7, episode, 200, Tally(), broken)
        except Failure as failure:
            return str(failure)
    return "nothing was caught"


@pytest.mark.parametrize(
    ("decoder", "settings", "sentence"),
    [
        (Broken, {}, "changed without being told|believed|no price of this day|unconfirmed"),
        (Fragile, {}, "KeyError: 'market'"),
        (Slow, {}, "it took [0-9]{2,} ms"),
        (ProtobufDecoder, {"ahead_limit_s": 100_000}, "of another time"),
        (ProtobufDecoder, {"fresh_limit_s": 60}, "fresh although it is older than 5 s"),
    ],
)
def test_P08_a_program_that_believes_too_much_is_caught(
    supplies: list[Supply], decoder: type[Decoder], settings: dict[str, int], sentence: str
) -> None:
    assert re.search(sentence, complaint(supplies, decoder, **settings))


def test_the_same_seed_and_episode_damage_the_same_frames(supplies: list[Supply]) -> None:
    def outcomes(seed: int) -> Any:
        tally = Tally()
        run_episode(supplies, seed, 2, 150, tally)
        return tally.outcomes

    assert outcomes(3) == outcomes(3)
    assert outcomes(3) != outcomes(4)


def test_a_good_frame_goes_through_the_tree_unchanged(supplies: list[Supply]) -> None:
    for good in supplies[0].frames[:50]:
        assert encode(parse(good.data, pb2.FeedResponse.DESCRIPTOR)) == good.data


def slots(**columns: Any) -> Any:
    made = np.zeros(len(KEYS), SLOT)
    made["exchange_ns"] = made["last_trade_ns"] = NOON
    made["last_price"] = 10_000
    for name, value in columns.items():
        made[name][0] = value
    return made


def shown(seq: int = 0, ninth_ask: int = 0, **columns: Any) -> Shown:
    metrics = np.full((len(NAMES), len(KEYS)), np.nan)
    for name in NAMES:
        if name in columns:
            metrics[NAMES.index(name), 0] = columns.pop(name)
    told = slots(**columns)
    told["seq"][0] = seq
    deep = np.zeros(len(KEYS), DEEP)
    deep["ask_price"][0, 3] = ninth_ask
    return Shown(told, deep, metrics, ("quiet", "quiet"), ("continuous", "continuous"))


def packet(at_ns: int = NOON, **full: Any) -> bytes:
    frame = pb2.FeedResponse(currentTs=at_ns // 1_000_000)
    full.setdefault("ltpc", pb2.LTPC(ltp=100.0))
    frame.feeds[KEYS[0]].fullFeed.marketFF.CopyFrom(pb2.MarketFullFeed(**full))
    return frame.SerializeToString()


def verdicts(data: bytes, before: Shown, after: Shown, now_ns: int = NOON) -> Iterator[str]:
    band = dict.fromkeys(KEYS, (9_000, 11_000))
    return Judge(KEYS, NAMES, band, dict.fromkeys(KEYS, 5)).verdict(data, now_ns, 5, before, after)


def test_the_judge_has_nothing_against_a_good_packet() -> None:
    assert list(verdicts(packet(), shown(), shown(5, bid_price=[9_990] * 5, mid=9_995.0))) == []


@pytest.mark.parametrize(
    ("data", "after", "sentence"),
    [
        (packet(), shown(0, volume=7), "changed without being told"),
        (packet(), shown(0, mid=9_995.0), "a metric changed without being told"),
        (b"\xff", shown(5), "of another time, or of none"),
        (packet(NOON + 3 * NS_PER_S), shown(5), "of another time"),
        (packet(NOON - 86_400 * NS_PER_S), shown(5), "of another time"),
        (packet(), shown(5, exchange_ns=NOON - 1), "an older frame was believed"),
        (packet(), shown(5, last_trade_ns=NOON + 60 * NS_PER_S), "a trade later than its frame"),
        (packet(vtt=-1), shown(5), "believed although its vtt is -1"),
        (packet(atp=float("nan")), shown(5), "believed although its atp is nan"),
        (packet(), shown(5, bid_price=[9_990, 8_999, 0, 0, 0]), "8999 is no price of this day"),
        (packet(), shown(5, average_price=-1), "-1 is no price of this day"),
        (packet(), shown(5, auction_price=11_001), "11001 is no price of this day"),
        (packet(), shown(5, told_levels=30, ninth_ask=11_002), "11002 is no price of this day"),
        (packet(), shown(5, told_levels=5, ninth_ask=9_999), "a level that was not told"),
        (packet(), shown(5, minute_start_ns=NOON, minute_open=9_500), "contradicts itself"),
        (packet(), shown(5, ask_quantity=[0, 0, -1, 0, 0]), "a quantity below nothing"),
        (packet(), shown(5, last_price=0), "the last price became nothing"),
        (packet(), shown(5, mid=8_000.0), "mid is no price of this day"),
        (packet(), shown(5, vwap_distance=np.inf), "a metric is infinite"),
        (packet(), shown(5, imbalance=1.5), "imbalance is none"),
        (packet(), shown(5, spread=0.0), "spread is none"),
        (packet(), shown(5, tick_return=-0.9), "more than the day's band"),
    ],
)
def test_the_judge_names_what_must_not_be_shown(data: bytes, after: Shown, sentence: str) -> None:
    assert sentence in "; ".join(verdicts(data, shown(), after))


def test_the_judge_wants_a_second_tick_for_a_jump_but_no_third() -> None:
    judge = Judge(KEYS, NAMES, {}, dict.fromkeys(KEYS, 5))
    far = packet(ltpc=pb2.LTPC(ltp=120.0))
    assert list(judge.verdict(packet(), NOON, 5, shown(), shown(5))) == []
    jumped = "; ".join(judge.verdict(far, NOON, 6, shown(5), shown(6, last_price=12_000)))
    assert "last_price from 10000 to 12000 unconfirmed" in jumped
    assert list(judge.verdict(far, NOON, 7, shown(5), shown(5))) == []
    assert list(judge.verdict(far, NOON, 8, shown(5), shown(8, last_price=12_000))) == []


def test_the_command_prints_a_table_and_how_to_see_a_failure_again(
    supplies: list[Supply], capsys: pytest.CaptureFixture[str]
) -> None:
    assert fuzz.main(["--frames", "120", "--seed", "3"], good=supplies) == 0
    said = capsys.readouterr().out
    assert said.startswith("damage ")
    assert re.search(r"120 damaged frames, seed 3, \d+ s: ok", said)

    def broken() -> Engine:
        return Engine(Fragile(), Calendar(), EngineSettings())

    assert fuzz.main(["--frames", "120", "--seed", "3"], broken, supplies) == 1
    said = capsys.readouterr().out
    assert "KeyError" in said
    assert "again: python3 start.py fuzz --seed 3 --episode 0" in said
