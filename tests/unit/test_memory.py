"""What a process gives back to the system, seen from outside: each in a process of its own."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

MIB = 2**20

# large pieces are freed while small ones that came after them stay: holes, if they lie together
BURST = """
import sys
from pathlib import Path
from ticktick import memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

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


def kept_bytes(how: str) -> int:
    """What a process holds after a burst beyond what it still uses."""
    command = [sys.executable, "-c", BURST, how]
    return int(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)


def test_a_burst_leaves_no_memory_behind() -> None:
    if kept_bytes("together") < 2 * MIB:
        pytest.skip("this C library keeps nothing anyway")
    assert kept_bytes("apart") < MIB
