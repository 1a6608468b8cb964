"""Race contenders in turn in one process, and tell the result as a table or as JSON lines.

Every benchmark checks first that all contenders come to the same values. The garbage collector
stays on, as it is in the program.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

ROUNDS: Final = 15
ROUND_NS: Final = 20_000_000

Contender = Callable[[], object]


class Result(NamedTuple):
    """Medians over the rounds of the mean nanoseconds of one call; `ratio` is theirs to ours.

    A spread is half the distance of the quartiles over the median.
    """

    bench: str
    case: str
    peer: str
    ours_ns: int
    theirs_ns: int
    ratio: float
    ours_spread: float
    theirs_spread: float


def race(
    bench: str,
    case: str,
    ours: Contender,
    peers: Mapping[str, Contender],
    rounds: int = ROUNDS,
    round_ns: int = ROUND_NS,
) -> list[Result]:
    """Run each contender for a while, round after round; a result for each peer."""
    contenders = [ours, *peers.values()]
    calls = [_calls(run, round_ns) for run in contenders]
    means: list[list[float]] = [[] for _ in contenders]
    for _ in range(rounds):
        for run, count, told in zip(contenders, calls, means, strict=True):
            began = time.perf_counter_ns()
            for _ in range(count):
                run()
            told.append((time.perf_counter_ns() - began) / count)
    return [
        result(bench, case, peer, means[0], theirs)
        for peer, theirs in zip(peers, means[1:], strict=True)
    ]


def result(
    bench: str, case: str, peer: str, ours: Iterable[float], theirs: Iterable[float]
) -> Result:
    """What measured nanoseconds of both come to."""
    mine, others = sorted(ours), sorted(theirs)
    median, other = statistics.median(mine), statistics.median(others)
    ratio = round(other / median, 2)
    return Result(
        bench, case, peer, round(median), round(other), ratio, _spread(mine), _spread(others)
    )


def tell(title: str, results: Iterable[Result]) -> None:
    """Print results as they come: a table, or one JSON object a line with --json."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    as_json = parser.parse_args().json
    if not as_json:
        print(f"{title}\n{'case':<28}{'peer':<26}{'ours us':>12}{'theirs us':>14}{'ratio':>10}")
    for told in results:
        if as_json:
            print(json.dumps(told._asdict()), flush=True)
            continue
        ours, theirs = told.ours_ns / 1e3, told.theirs_ns / 1e3
        line = f"{told.case:<28}{told.peer:<26}{ours:>12,.1f}{theirs:>14,.1f}{told.ratio:>10,.2f}"
        print(line, flush=True)


def _calls(run: Contender, round_ns: int) -> int:
    """How many calls fill a round; the first call warms up."""
    run()
    began = time.perf_counter_ns()
    run()
    return max(1, round_ns // max(time.perf_counter_ns() - began, 1))


def _spread(values: list[float]) -> float:
    if len(values) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4)
    return round((high - low) / 2 / middle, 3)
