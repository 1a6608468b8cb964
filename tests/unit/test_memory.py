"""What a process gives back to the system, seen from outside: each in a process of its own."""

import subprocess
import sys

import pytest

from ticktick.compiled import part

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

MIB = 2**20

RESIDENT = """
import resource
from pathlib import Path

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
"""

# large pieces are freed while small ones that came after them stay: holes, if they lie together
BURST = """
import sys
from ticktick import memory

if sys.argv[1] == "apart":
    memory.keep_large_apart()
bytearray(8 << 20)  # freed at once: from here on glibc keeps pieces of that size
before, stays = resident(), []
for _ in range(20):
    large = [bytearray(1 << 20) for _ in range(4)]
    stays.append(bytearray(600))
    stays.append(large.pop())
    large.clear()
    stays.append(bytearray(200 << 10))
print(resident() - before - sum(map(len, stays)))
"""

# lines that refer to each other are freed by the collector, which takes them apart first
RINGS = """
import gc
from tests.analytics_stage import walk
from ticktick.analytics.bars import bars_of
from ticktick.analytics.handle import handles_of
from ticktick.analytics.indicators import streams_of

columns = bars_of(walk(300)).columns

def drop_rings():
    for place in range(1200):
        ring = [handles_of(streams_of(has_volume=True))]
        ring[0].seed(columns)
        ring.append(ring)
        del ring
        if place % 300 == 0:
            gc.collect()
    gc.collect()

gc.disable()
drop_rings()
before = resident()
drop_rings()
print(resident() - before)
"""


def kept_bytes(program: str, *arguments: str) -> int:
    """What a process holds after this beyond what it still uses."""
    command = [sys.executable, "-c", RESIDENT + program, *arguments]
    return int(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)


def test_a_burst_leaves_no_memory_behind() -> None:
    if kept_bytes(BURST, "together") < 2 * MIB:
        pytest.skip("this C library keeps nothing anyway")
    assert kept_bytes(BURST, "apart") < MIB


@pytest.mark.skipif(part("ticktick.analytics.handles") is None, reason="not compiled")
def test_lines_that_refer_to_each_other_give_their_handles_back() -> None:
    assert kept_bytes(RINGS) < MIB
