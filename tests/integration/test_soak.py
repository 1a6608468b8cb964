"""A short soak of the whole program: random faults, nothing grows, prices come back."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_P20_a_few_minutes_of_faults_leave_memory_files_and_tasks_as_they_were() -> None:
    if not Path("/proc/self/statm").is_file():
        pytest.skip("memory is read from /proc, which this system does not have")
    done = subprocess.run(
        [sys.executable, "tools/soak.py", "--hours", "0.3", "--seed", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=380,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    assert "memory MB" in done.stdout
