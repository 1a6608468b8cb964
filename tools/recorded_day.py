"""Play recorded files through the real client and print what it made of them.

Run from the checkout: python -m tools.recorded_day [--speed max] [[KEY=]FILE...], by default the
four sessions of ../shared/data. `--speed max` has exchange and client in one process, each market
second waiting for the client; a number runs `ticktick emulator` and `ticktick demo` so many times
as fast as the day was. A file of several instruments is played once for each.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.day_report import DayReport, day_report, table
from tests.day_stage import play_in_step, play_with_programs, symbol_of
from tests.oracles.recorded_day import recorded_days
from ticktick.emulator.recording import RecordedFile, recorded_file

DAY = Path(__file__).resolve().parents[2] / "shared/data/upstox_v3_feed/2025-12-15"


def reports(file: RecordedFile, speed: str) -> Iterator[DayReport]:
    """A report of each instrument of a file."""
    for day in recorded_days(file.path, file.key):
        began, stale_after_s = time.monotonic(), 7.0
        with tempfile.TemporaryDirectory() as name:
            if speed == "max":
                played = play_in_step([file], [day.key], Path(name))
            else:
                end_ns = day.lines[-1].at_ns
                stale_after_s = 25.0  # half a real second at fifty times the speed
                played = play_with_programs(file, [day.key], end_ns, speed, Path(name))
        print(f"{file.path.name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        yield day_report(played, day, symbol_of(file, day.key), stale_after_s)


def main() -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", default="max", help="max, or market seconds per real second")
    parser.add_argument("files", nargs="*", metavar="[KEY=]FILE")
    chosen = parser.parse_args()
    names = chosen.files or [str(path) for path in sorted(DAY.glob("*.jsonl.gz"))]
    if not names:
        parser.error(f"there is nothing in {DAY}; name a file")
    files = [recorded_file(Path(n.rpartition("=")[2]), n.rpartition("=")[0]) for n in names]
    print(table([report for file in files for report in reports(file, chosen.speed)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
