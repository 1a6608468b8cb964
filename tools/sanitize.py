"""Fuzz with compiled parts that AddressSanitizer watches: every access beyond their memory ends it.

They are built apart, into build/sanitized, with gcc; what the checkout runs on stays as it is.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
BUILT: Final = ROOT / "build" / "sanitized"
FLAGS: Final = "-fsanitize=address -fno-omit-frame-pointer -g -O1"


def sanitized(arguments: Sequence[str]) -> int:
    """Build the parts, then run the fuzzer with them; 1 if anything was found or broke."""
    build = [sys.executable, "setup.py", "-q", "build", "--build-base", str(BUILT)]
    settings = {**os.environ, "CFLAGS": FLAGS, "LDFLAGS": FLAGS, "TICKTICK_REQUIRE_EXT": "1"}
    subprocess.run([*build, "--build-lib", str(BUILT / "lib")], cwd=ROOT, env=settings, check=True)
    found = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    watched = {
        **os.environ,
        "LD_PRELOAD": found.stdout.strip(),
        "ASAN_OPTIONS": "detect_leaks=0",  # an interpreter never gives everything back
        "PYTHONMALLOC": "malloc",  # its own would hide where a text ends
        "PYTHONPATH": str(BUILT / "lib"),
        "TICKTICK_REQUIRE_EXT": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tools.fuzz", *arguments], cwd=ROOT, env=watched, check=False
    )
    return 1 if done.returncode else 0
