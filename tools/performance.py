"""Write the page on speed from what the benchmarks say: tables, the machine, and a drawing.

Run from the checkout: python3 start.py bench --json > build/bench.jsonl, then
python -m tools.performance build/bench.jsonl, in .venv.
"""

import json
import math
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

PAGE: Final = Path("docs/reference/performance.md")
DRAWING: Final = Path("docs/images/performance.svg")
NAME_WIDTH, BAR_WIDTH, LINE_HEIGHT = 400, 420, 22
INTRODUCTION: Final = """# Performance

Every figure is the median of rounds in which both contenders took turns in one process, on equal
input, after a check that they come to equal values; the garbage collector stays on. "Ratio" says
how many times the time of the peer is ours, ± is half the distance of the quartiles. Ratios carry
over to other machines better than times do.

Measure your own: `python3 start.py bench`, one part `python3 start.py bench decode`, for programs
`--json`. This page is made by `python3 start.py bench --json > build/bench.jsonl` and then
`.venv/bin/python -m tools.performance build/bench.jsonl`.
"""
TITLES: Final = {
    "decode": "A frame of the feed becomes rows",
    "measure": "Tick metrics of the touched rows",
    "indicators": "Indicators and patterns when a minute closes",
    "redis": "Points into Redis",
    "wire": "From the socket to a second process",
    "start": "Start and memory",
}


class Line(Struct, frozen=True):
    """One result of a benchmark, as it prints it; spreads are fractions of the medians."""

    bench: str
    case: str
    peer: str
    ours_ns: float
    theirs_ns: float
    ratio: float
    ours_spread: float = 0.0
    theirs_spread: float = 0.0


def machine() -> str:
    """The processor, its cores and what runs on it."""
    model = platform.processor() or platform.machine()
    told = Path("/proc/cpuinfo")
    if told.is_file():
        names = [line for line in told.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def page(lines: Sequence[Line], measured_on: str) -> str:
    """The whole page as Markdown."""
    parts = [
        INTRODUCTION,
        f"Measured on: {measured_on}.\n",
        f"![Ratios](../images/{DRAWING.name})\n",
    ]
    for bench, told in groupby(lines, key=lambda line: line.bench):
        parts.append(f"## {TITLES.get(bench, bench)}\n\n{table(told)}")
    return "\n".join(parts)


def table(lines: Iterable[Line]) -> str:
    """One benchmark's results as a Markdown table."""
    head = "| case | peer | ours | theirs | ratio |\n|---|---|---|---|---|\n"
    rows = (
        f"| {line.case} | {line.peer} | {amount(line, line.ours_ns)} ±{line.ours_spread:.0%} "
        f"| {amount(line, line.theirs_ns)} ±{line.theirs_spread:.0%} | {times(line.ratio)} |\n"
        for line in lines
    )
    return head + "".join(rows)


def amount(line: Line, told: float) -> str:
    """What was measured in its unit: a time, or for a case in MiB thousands of its figure."""
    return f"{told / 1e3:,.0f} MiB" if line.case.endswith("MiB") else duration(told)


def times(ratio: float) -> str:
    """A ratio with as many digits as it is good for."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def duration(ns: float) -> str:
    """A time in the unit that a person would use."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:,.3g} {unit}" if ns < 1000 * size else f"{ns / size:,.0f} {unit}"
    return f"{ns:.0f} ns"


def drawing(lines: Sequence[Line]) -> str:
    """Bars of the ratios on a scale of powers of ten, as SVG for light and dark pages."""
    most = max(1, math.ceil(math.log10(max(line.ratio for line in lines))))
    height = LINE_HEIGHT * (len(lines) + 2)
    shapes = [
        f'<text x="{_x(power, most):.0f}" y="14" text-anchor="middle">{10**power:,}x</text>'
        f'<line x1="{_x(power, most):.0f}" x2="{_x(power, most):.0f}" y1="20" y2="{height}"/>'
        for power in range(most + 1)
    ]
    shapes += [_bar(line, place, most) for place, line in enumerate(lines)]
    width = NAME_WIDTH + BAR_WIDTH + 90
    style = (
        "text{fill:#808890;font:12px sans-serif}rect{fill:#3f7fbf}"
        "line{stroke:#808890;stroke-opacity:.3}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f"<title>How many times the peers' time is ours</title><style>{style}</style>"
        + "".join(shapes)
        + "</svg>\n"
    )


def _bar(line: Line, place: int, most: int) -> str:
    top = LINE_HEIGHT * (place + 1) + 4
    end = _x(math.log10(max(line.ratio, 1.0)), most)
    name = f"{line.bench} {line.case}: {line.peer}"
    return (
        f'<text x="{NAME_WIDTH - 8}" y="{top + 12}" text-anchor="end">{_escaped(name)}</text>'
        f'<rect x="{NAME_WIDTH}" y="{top}" width="{end - NAME_WIDTH:.0f}" height="16"/>'
        f'<text x="{end + 6:.0f}" y="{top + 12}">{times(line.ratio)}</text>'
    )


def _x(power: float, most: int) -> float:
    return NAME_WIDTH + BAR_WIDTH * power / most


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def read(path: Path) -> list[Line]:
    """The results in a file of JSON lines; whatever else was printed is passed over."""
    told: list[dict[str, Any]] = [
        json.loads(line) for line in path.read_text().splitlines() if line.startswith('{"bench"')
    ]
    return [Line(**line) for line in told]


def main(arguments: Sequence[str]) -> int:
    """Write page and drawing; 1 where there is nothing to write."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        print("name the file that `python3 start.py bench --json` wrote")
        return 2
    lines = read(Path(arguments[0]))
    if not lines:
        print(f"{arguments[0]} holds no result of a benchmark")
        return 1
    PAGE.write_text(page(lines, machine()))
    DRAWING.write_text(drawing(lines))
    print(f"{PAGE} and {DRAWING}: {len(lines)} results")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
