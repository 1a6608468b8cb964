"""F40: the zone of the computer changes nothing that is computed."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ZONES = ("UTC", "America/New_York", "Asia/Kolkata")
COMPUTE = ("-m", "tests.market_day")

# a decoder that reads the exchange's stamps in the zone of the computer
LOCAL_TIME = """
import sys, time
from pathlib import Path
from msgspec.structs import replace
from tests.market_day import compute
from ticktick.brokers.upstox.decode import ProtobufDecoder

class LocalDecoder(ProtobufDecoder):
    def decode(self, data, table, received_ns, seq):
        decoded = super().decode(data, table, received_ns, seq)
        local_ns = decoded.exchange_ns + time.localtime().tm_gmtoff * 10**9
        table.records["exchange_ns"][decoded.rows] = local_ns
        return replace(decoded, exchange_ns=local_ns)

compute(Path(sys.argv[1]), sys.argv[2:4], LocalDecoder())
"""


def outputs_of(
    zones: Sequence[str], folder: Path, program: Sequence[str], span: str
) -> list[bytes]:
    """What each computer computes of the same span, and of the recording of the first."""
    runs = []
    for zone in zones:
        place = folder / zone.replace("/", "_")
        place.mkdir()
        arguments = [sys.executable, *program, str(place), *span.split()]
        runs.append((place, subprocess.Popen(arguments, cwd=ROOT, env=os.environ | {"TZ": zone})))
    for _, run in runs:
        assert run.wait(600) == 0
    return [(place / "day.jsonl").read_bytes() for place, _ in runs]


def same_everywhere(folder: Path, program: Sequence[str], span: str) -> None:
    """The check of F40 on what is computed live."""
    first, *others = outputs_of(ZONES, folder, program, span)
    assert first.count(b'"type":"metrics"') > 100
    assert first.count(b'"type":"candle"') > 5
    assert all(other == first for other in others)


def replayed_everywhere(folder: Path) -> None:
    """The check of F40 on a replay, by the command that a person uses."""
    recording = folder / ZONES[0] / "day.ttrec"
    live = (folder / ZONES[0] / "day.jsonl").read_bytes()
    for zone in ZONES:
        again = folder / f"{zone.replace('/', '_')}.jsonl"
        subprocess.run(
            [sys.executable, "-m", "ticktick", "replay", recording, "--outputs", again],
            env=os.environ | {"TZ": zone},
            check=True,
            capture_output=True,
            timeout=300,
        )
        assert again.read_bytes() == live


@pytest.mark.timeout(300)
def test_P21_F40_the_open_is_the_same_in_every_time_zone(tmp_path: Path) -> None:
    span = "2026-11-20T09:10:00 2026-11-20T09:22:00"
    same_everywhere(tmp_path, COMPUTE, span)
    replayed_everywhere(tmp_path)
    (tmp_path / "mutant").mkdir()
    with pytest.raises(AssertionError):
        same_everywhere(tmp_path / "mutant", ("-c", LOCAL_TIME), span)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("hours", ["09:00 10:05", "15:00 16:05"])
def test_P21_F40_pre_open_auction_and_close_are_the_same_in_every_time_zone(
    tmp_path: Path, hours: str
) -> None:
    begin, end = hours.split()
    same_everywhere(tmp_path, COMPUTE, f"2026-11-20T{begin}:00 2026-11-20T{end}:00")
    replayed_everywhere(tmp_path)
