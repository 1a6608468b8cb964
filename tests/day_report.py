"""What the client made of a recorded instrument, beside what the file says."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.day_stage import Fact, Played
from tests.oracles.recorded_day import RecordedDay, Values
from ticktick.domain.clock import NS_PER_S, at_ist, ist, ist_day

_STALE_AFTER_S = 7.0
_SILENCE_NS = (7 * NS_PER_S, 5 * NS_PER_S)  # surely one, and perhaps one
_CLOCKS_APART_NS = 2 * NS_PER_S


class Rates(NamedTuple):
    """The share of `minutes` in which a tick-built candle has the broker's price."""

    minutes: int
    open: float
    high: float
    low: float
    close: float


class DayReport(NamedTuple):
    """One instrument of one file; `recorded_` figures are the oracle's.

    `rates` are those of the client's candles as they first closed, before anybody confirmed
    them, `plain_rates` those of a plain reading of the same updates. `equal` counts final
    candles that are the broker's, `plain_equal` those that are the plain reading's. Of the
    trades `after_silence` are the first after one, which nobody can tell from those in it: at
    least and at most so many. `lost` and `others` tell the last state of
    minutes that the file holds no broker's candle of: those between two that it does hold, and
    the rest. `stale` counts outages that were shown.
    """

    key: str
    updates: int
    recorded_updates: int
    repeats: int
    recorded_repeats: int
    minute_ends: int
    refused: int
    volume: int | None
    recorded_volume: int
    trades: int
    recorded_trades: int
    after_silence: tuple[int, int]
    rates: Rates
    plain_rates: Rates
    equal: int
    recorded_minutes: int
    plain_equal: int
    plain_minutes: int
    lost: dict[str, str]
    others: dict[str, str]
    outages: int
    stale: int

    @property
    def kept(self) -> int:
        """Updates that told something and were believed."""
        return self.updates - self.repeats - self.refused


def day_report(
    played: Played, day: RecordedDay, symbol: str, stale_after_s: float = _STALE_AFTER_S
) -> DayReport:
    """Compare a client that watched this instrument alone with the file.

    An outage counts as shown if from `stale_after_s` after its begin on the symbol is stale, or
    in repair of the outage before.
    """
    broker, plain = day.minutes, day.built_minutes()
    states = played.minutes(symbol)
    last = {start: candles[-1] for start, candles in states.items()}
    first = {start: candles[0] for start, candles in states.items()}
    built = {start: _values(c) for start, c in first.items() if not c["confirmed"]}
    lost, outages = set(day.lost_minutes), _outages(day)
    told = {start: last[start]["state"] if start in last else "none" for start in {*last, *lost}}
    return DayReport(
        key=day.key,
        updates=played.updates[day.key],
        recorded_updates=len(day.lines),
        repeats=played.counters["repeats"],
        recorded_repeats=day.repeats,
        minute_ends=day.minute_ends,
        refused=_refused(played.counters),
        volume=played.volumes[symbol],
        recorded_volume=day.last_volume,
        trades=played.counters["trades"],
        recorded_trades=len(day.trades),
        after_silence=_after_silence(day),
        rates=_rates(built, broker),
        plain_rates=_rates(plain, broker),
        equal=sum(_is_confirmed_as(last.get(start), broker[start]) for start in broker),
        recorded_minutes=len(broker),
        plain_equal=sum(_values(last[start]) == plain[start] for start in last.keys() & plain),
        plain_minutes=len(last.keys() & plain),
        lost={_clock(start): told[start] for start in sorted(lost)},
        others={_clock(start): told[start] for start in sorted(told.keys() - broker.keys() - lost)},
        outages=len(outages),
        stale=sum(
            _is_stale(played.freshness(symbol), begin_ns + round(stale_after_s * NS_PER_S), end_ns)
            for begin_ns, end_ns in outages
        ),
    )


def table(reports: Sequence[DayReport]) -> str:
    """The figures of several reports side by side."""
    rows = [("", *(report.key.rpartition("|")[2] for report in reports))]
    rows += [(name, *map(of, reports)) for name, of in _ROWS]
    widths = [max(len(row[column]) for row in rows) for column in range(len(reports) + 1)]
    return "\n".join(
        row[0].ljust(widths[0])
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )


_ROWS = (
    ("updates read / recorded", lambda r: f"{r.updates:,} / {r.recorded_updates:,}"),
    ("kept", lambda r: f"{r.kept:,}"),
    ("repeats, exact / with a minute's end", lambda r: f"{r.recorded_repeats:,} / {r.minute_ends}"),
    ("refused", lambda r: f"{r.refused:,}"),
    ("volume, ours / recorded", lambda r: _of(r.volume or 0, r.recorded_volume)),
    ("trades / those after silence / told", lambda r: _trades(r)),
    ("candles before the broker's came", lambda r: str(r.rates.minutes or "-")),
    ("  the broker's close (plain reading)", lambda r: _percent(r, "close")),
    ("  the broker's high (plain reading)", lambda r: _percent(r, "high")),
    ("  the broker's low (plain reading)", lambda r: _percent(r, "low")),
    ("final candles that are the broker's", lambda r: _of(r.equal, r.recorded_minutes)),
    ("final candles of a plain reading", lambda r: _of(r.plain_equal, r.plain_minutes)),
    ("minutes the recorder lost", lambda r: _counted(r.lost)),
    ("minutes nobody told", lambda r: _counted(r.others)),
    ("outages shown as stale", lambda r: _of(r.stale, r.outages)),
)


def _trades(report: DayReport) -> str:
    return (
        f"{report.trades:,} / {report.recorded_trades - report.trades} / {report.recorded_trades:,}"
    )


def _of(part: int, whole: int) -> str:
    return f"{part:,} / {whole:,}" if whole else "-"


def _percent(report: DayReport, price: str) -> str:
    if not report.rates.minutes:
        return "-"
    return f"{getattr(report.rates, price):.1%} ({getattr(report.plain_rates, price):.1%})"


def _counted(states: dict[str, str]) -> str:
    words = list(states.values())
    return ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words))) or "-"


def _rates(built: dict[int, Values], broker: dict[int, Values]) -> Rates:
    both = built.keys() & broker
    shares = [
        sum(built[start][place] == broker[start][place] for start in both) / max(len(both), 1)
        for place in range(4)
    ]
    return Rates(len(both), *shares)


def _outages(day: RecordedDay) -> list[tuple[int, int]]:
    """The recorder's silences during continuous trading."""
    return day.outages(*_session(day))


def _after_silence(day: RecordedDay) -> tuple[int, int]:
    at_least, at_most = (day.trades_after(ns, *_session(day)) for ns in _SILENCE_NS)
    return at_least, at_most


def _session(day: RecordedDay) -> tuple[int, int]:
    date = ist_day(day.lines[0].at_ns)
    return at_ist(date, 9, 15), at_ist(date, 15, 30)


def _is_stale(changes: list[tuple[int, str]], from_ns: int, to_ns: int) -> bool:
    """Whether nothing but stale, or in repair, was shown between two moments."""
    before = [word for at_ns, word in changes if at_ns <= from_ns][-1:]
    later = [word for at_ns, word in changes if from_ns < at_ns < to_ns - _CLOCKS_APART_NS]
    shown = {*before, *later}
    return bool(shown) and shown <= {"stale", "gap"}


def _refused(counters: dict[str, int]) -> int:
    named = [name for name in counters if name.startswith("rejected_")]
    return sum(counters[name] for name in (*named, "refused_values"))


def _values(candle: Fact) -> Values:
    return tuple(candle[name] for name in ("open", "high", "low", "close", "volume"))


def _is_confirmed_as(candle: Fact | None, values: Values) -> bool:
    return candle is not None and candle["confirmed"] and _values(candle) == values


def _clock(start_ns: int) -> str:
    return f"{ist(start_ns):%H:%M}"
