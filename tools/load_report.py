"""What a load test came to, held against its targets."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from tools.load_clients import Tally

STEADY: Final = 2_500.0
BURST: Final = 25_000.0
_CLOSED: Final = "ticktick_client_closed_slow_total"
_TURNS: Final = "ticktick_client_turns_total"
_FILLED_S: Final = 30.0  # the system's buffers of a stalled connection fill first


class Line(NamedTuple):
    """One line of the table; `good` None where nothing is demanded."""

    target: str
    bar: str
    measured: str
    good: bool | None = None


class Phase(NamedTuple):
    """What a while of one load came to: figures before and after it, and what was seen.

    `exchange_cpu` and `watching_cpu` are the shares of one core that the exchange and the
    dashboards took: where all processes share the cores, they are part of what is measured.
    """

    seconds: float
    sent: int
    before: Mapping[str, float]
    after: Mapping[str, float]
    tally: Tally
    exchange_cpu: float
    watching_cpu: float

    def grown(self, name: str) -> float:
        """By how much a counter rose."""
        return self.after[name] - self.before[name]

    @property
    def cpu(self) -> float:
        """Share of one core that the program took."""
        return self.grown("ticktick_process_cpu_seconds_total") / self.seconds

    def ready_us(self, share: float) -> float:
        """Microseconds from socket to metrics below which this share of the frames lay."""
        return self._quantile("ticktick_ready_us", share)

    def redis_ms(self, share: float) -> float:
        """Milliseconds after which this share of the batches stood in Redis."""
        return self._quantile("ticktick_redis_write_ms", share)

    def _quantile(self, histogram: str, share: float) -> float:
        return bucket_quantile(
            {
                float(name.partition('le="')[2].rstrip('"}')): self.grown(name)
                for name in self.after
                if name.startswith(f"{histogram}_bucket")
            },
            share,
        )


def bucket_quantile(cumulative: Mapping[float, float], share: float) -> float:
    """The value below which this share lies, by counts up to rising bounds; inf beyond the last.

    Between two bounds values are taken for evenly spread; NaN without any.
    """
    bounds = sorted(cumulative)
    total = cumulative[bounds[-1]]
    if not total:
        return float("nan")
    below, low = 0.0, 0.0
    for bound in bounds:
        if cumulative[bound] >= share * total:
            inside = cumulative[bound] - below
            part = (share * total - below) / inside if inside else 0.0
            return bound if bound == float("inf") else low + (bound - low) * part
        below, low = cumulative[bound], bound
    return float("inf")


class Measured(NamedTuple):
    """The phases of a test, and what was found at its end.

    `begun` is the time until the past of every symbol was read, `without_history` of how many it
    was not. `differing` counts the prices on all dashboards that are not the exchange's last
    ones, `lost` the connections of dashboards that ended.
    """

    watching: int
    stalled: int
    begun: Phase
    without_history: int
    steady: Phase
    crowded: Phase
    burst: Phase
    recovery_s: float
    differing: int
    lost: int
    memory_mib: float
    redis_mb: float


def report(of: Measured) -> list[Line]:
    """Every target, in order."""
    return [
        *_begun_lines(of),
        *_steady_lines(of.steady),
        *_burst_lines(of),
        *_dashboard_lines(of),
        *_redis_lines(of),
        Line(
            "memory of the program", "<= 200 MiB", f"{of.memory_mib:.0f} MiB", of.memory_mib <= 200
        ),
    ]


def table(lines: Sequence[Line]) -> str:
    """The lines under a head."""
    cells = [Line("target", "bar", "measured"), *lines]
    words = {None: "", True: "ok", False: "MISSED"}
    return "\n".join(
        f"{line.target:<34}{line.bar:>13}{line.measured:>18}  {words[line.good]}".rstrip()
        for line in cells
    )


def _begun_lines(of: Measured) -> Iterator[Line]:
    """The time in which history is read is no steady one: told apart, and not judged."""
    begun = of.begun
    yield Line("until all history is read", "", f"{begun.seconds:.0f} s")
    yield Line("  symbols whose past is awaited", "", str(of.without_history))
    yield Line("  processor of the program", "", f"{begun.cpu:.0%}")
    for share in (0.5, 0.99):
        ready, sent = begun.ready_us(share) / 1000, begun.tally.sent_ms.quantile_ms(share)
        yield Line(f"  socket -> metrics, p{share * 100:.0f}", "", f"{ready:.2f} ms")
        yield Line(f"  socket -> dashboard frame, p{share * 100:.0f}", "", f"{sent:.0f} ms")


def _steady_lines(steady: Phase) -> Iterator[Line]:
    rate = steady.sent / steady.seconds
    good = rate >= 0.98 * STEADY
    yield Line("steady, 500 symbols, full depth", "2,500/s", f"{rate:,.0f}/s", good)
    yield Line("  for so long", "", f"{steady.seconds:,.0f} s")
    yield Line("  processor of the program", "<= 60 %", f"{steady.cpu:.0%}", steady.cpu <= 0.6)
    yield Line("  processor of the exchange", "", f"{steady.exchange_cpu:.0%}")
    yield Line("  processor of the dashboards", "", f"{steady.watching_cpu:.0%}")
    for share, bar_us in ((0.5, 500.0), (0.99, 5_000.0)):
        took = steady.ready_us(share)
        told = f"{took / 1000:.2f} ms"
        yield Line(
            f"  socket -> metrics, p{share * 100:.0f}",
            f"<= {bar_us / 1000:g} ms",
            told,
            took <= bar_us,
        )
    for share, bar_ms in ((0.5, 30.0), (0.99, 60.0)):
        took = steady.tally.sent_ms.quantile_ms(share)
        name = f"  socket -> dashboard frame, p{share * 100:.0f}"
        yield Line(name, f"<= {bar_ms:.0f} ms", f"{took:.0f} ms", took <= bar_ms)


def _burst_lines(of: Measured) -> Iterator[Line]:
    burst = of.burst
    rate = burst.sent / burst.seconds
    yield Line("burst", "25,000/s", f"{rate:,.0f}/s", rate >= 0.9 * BURST)
    yield Line("  processor of the program", "", f"{burst.cpu:.0%}")
    yield Line("  processor of the exchange", "", f"{burst.exchange_cpu:.0%}")
    losses = sum(burst.grown(n) for n in burst.after if n.startswith("ticktick_reconnects_total"))
    yield Line("  links lost", "0", f"{losses:.0f}", losses == 0)
    seen = burst.tally.seen_ms.quantile_ms(0.99)
    yield Line("  exchange -> dashboard, p99", "<= 250 ms", f"{seen:.0f} ms", seen <= 250)
    sent = burst.tally.sent_ms.quantile_ms(0.99)
    yield Line("  of it in the program", "", f"{sent:.0f} ms")
    joined = burst.grown("ticktick_feed_conflated_total")
    yield Line("  frames joined while behind", "", f"{joined:,.0f}")
    yield Line("  recovery", "<= 2 s", f"{of.recovery_s:.1f} s", of.recovery_s <= 2)
    yield Line("  last prices that are not shown", "0", str(of.differing), of.differing == 0)


def _dashboard_lines(of: Measured) -> Iterator[Line]:
    steady, crowded, burst = of.steady, of.crowded, of.burst
    per_s = 1 / steady.seconds / of.watching
    frames, turns = steady.tally.blocks * per_s, steady.grown(_TURNS) * per_s
    name = f"dashboards, {of.watching} of all symbols"
    yield Line(name, "20 frames/s", f"{frames:.1f}/s", frames >= 19)
    yield Line("  turns, with news or without", "", f"{turns:.1f}/s")
    mb = steady.tally.bytes / steady.seconds / 1e6
    yield Line("  sent to all of them", "", f"{mb:.1f} MB/s")
    yield Line("  connections lost", "0", str(of.lost), of.lost == 0)
    before, after = (phase.tally.seen_ms.quantile_ms(0.99) for phase in (steady, crowded))
    change = after / before - 1 if before else float("nan")
    name = f"  p99 beside {of.stalled} stalled ones"
    yield Line(name, "<= +10 %", f"{change:+.0%} ({after:.0f} ms)", change <= 0.1)
    closed = burst.after[_CLOSED] - steady.before[_CLOSED]
    may = crowded.seconds + burst.seconds > _FILLED_S
    good = closed == of.stalled if may else None
    yield Line("  stalled ones closed", str(of.stalled), f"{closed:.0f}", good)


def _redis_lines(of: Measured) -> Iterator[Line]:
    steady = of.steady
    for share, bar_ms in ((0.5, 200), (0.99, 1_000)):
        took = steady.redis_ms(share)
        name = f"Redis, write lag p{share * 100:.0f}"
        yield Line(name, f"<= {bar_ms} ms", f"{took:.0f} ms", took <= bar_ms)
    dropped = steady.grown('ticktick_redis_dropped_total{kind="metric_points"}')
    yield Line("Redis, points dropped", "0", f"{dropped:.0f}", dropped == 0)
    yield Line("Redis, memory", "<= 512 MB", f"{of.redis_mb:.0f} MB", of.redis_mb <= 512)
