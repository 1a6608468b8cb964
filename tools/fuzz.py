"""Damage frames of the feed and look at what the program then shows; see start.py.

--decoders looks at nothing but that both decoders say the same of each frame, which is faster;
--sanitize runs with code that was compiled to stop at any access beyond its memory.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from tests.fuzz.drive import (
    FRAMES_AN_EPISODE,
    Failure,
    MakeEngine,
    Tally,
    run_episode,
    sound_engine,
)
from tests.fuzz.side_by_side import compare_decoders
from tests.fuzz.supplies import MOMENTS, Supply, made_by_exchange, recorded
from tools.sanitize import sanitized

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
FRAMES = 200_000
OUTCOMES = ("unreadable", "refused", "believed")
LONGEST_HEX = 1_000


def supplies(shared: Path) -> list[Supply]:
    """Good frames of the exchange at several moments, and recorded ones where they are at hand."""
    made = [made_by_exchange(moment, 60) for moment in MOMENTS]
    return made + ([recorded(shared)] if shared.is_dir() else [])


def table(tally: Tally) -> str:
    """What became of the frames, a line for each kind of damage."""
    head = "".join(f"{name:>12}" for name in ("frames", *OUTCOMES, "slowest ms"))
    lines = [f"{'damage':<18}{head}"]
    for kind, count in sorted(tally.frames.items()):
        parts = "".join(f"{tally.outcomes[kind, outcome]:>12}" for outcome in OUTCOMES)
        lines.append(f"{kind:<18}{count:>12}{parts}{tally.slowest_ms[kind]:>12.1f}")
    return "\n".join(lines)


def told(failure: Failure, seed: int, option: str) -> str:
    """The failure, its frame, and how to see it again."""
    data = failure.trial.data
    if len(data) > LONGEST_HEX:
        with tempfile.NamedTemporaryFile(prefix="frame-", suffix=".bin", delete=False) as file:
            file.write(data)
        frame = f"{len(data)} bytes in {file.name}"
    else:
        frame = data.hex() or "none"
    complaints = "\n".join(f"  {complaint}" for complaint in failure.trial.complaints[:10])
    return (
        f"FAILED at frame {failure.number} of episode {failure.episode} ({failure.trial.kind}):\n"
        f"{complaints}\n  the frame: {frame}\n"
        f"  again: python3 start.py fuzz --seed {seed} --episode {failure.episode}{option}"
    )


def main(
    arguments: Sequence[str],
    make_engine: MakeEngine = sound_engine,
    good: Sequence[Supply] | None = None,
) -> int:
    """Run as many episodes as the frames need; 1 at the first failure.

    `good` are the frames that are damaged, by default all there are.
    """
    parser = argparse.ArgumentParser(prog="start.py fuzz", description=__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES, help="how many are damaged")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other damage")
    parser.add_argument("--episode", type=int, help="run this one alone")
    parser.add_argument("--decoders", action="store_true", help="compare the decoders alone")
    parser.add_argument("--sanitize", action="store_true", help="watch every access to memory")
    chosen = parser.parse_args(arguments)
    if chosen.sanitize:
        return sanitized([each for each in arguments if each != "--sanitize"])
    good = supplies(SHARED) if good is None else good
    tally, began_s = Tally(), time.monotonic()
    count = -(-chosen.frames // FRAMES_AN_EPISODE)
    episodes = range(count) if chosen.episode is None else [chosen.episode]
    left, option = chosen.frames, " --decoders" if chosen.decoders else ""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("damaged frames", total=chosen.frames)
        for episode in episodes:
            frames = min(FRAMES_AN_EPISODE, left)
            try:
                if chosen.decoders:
                    compare_decoders(good, chosen.seed, episode, frames, tally)
                else:
                    run_episode(good, chosen.seed, episode, frames, tally, make_engine)
            except Failure as failure:
                progress.stop()
                print(f"{table(tally)}\n{told(failure, chosen.seed, option)}")
                return 1
            left -= frames
            progress.advance(task, frames)
    total, spent_s = sum(tally.frames.values()), time.monotonic() - began_s
    print(f"{table(tally)}\n{total} damaged frames, seed {chosen.seed}, {spent_s:.0f} s: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
