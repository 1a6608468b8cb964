"""Every tick metric on recorded sessions equals NumPy's, computed anew from the whole session."""

import json
import math
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.market_stage import instrument
from tests.metric_stage import ROWS, MetricStage, differences
from tests.oracles.metrics import S, Told, Update
from tests.oracles.recorded_day import recorded_days
from ticktick.domain.clock import parse_iso_ns

DAY = Path("upstox_v3_feed") / "2025-12-15"
END = parse_iso_ns("2025-12-15T15:29:00+05:30")
OUTAGE_NS = 35 * S
# the share whose smallest step is 0.10 rupees, a share and two options of 0.05
FILES = {
    "NSE_EQ_INE811K01011": 5,
    "NSE_EQ_INE118H01025": 10,
    "NSE_FO_51461": 5,
    "NSE_FO_60166": 5,
}
QUICK = "NSE_EQ_INE811K01011"
EVERY = 25  # every metric is computed anew at so many updates, and at each of the first


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [QUICK, *(pytest.param(n, marks=pytest.mark.slow) for n in FILES if n != QUICK)],
)
def test_every_metric_of_a_recorded_session_equals_its_definition(
    name: str, shared_data: Path
) -> None:
    tick = FILES[name]
    stage = MetricStage(instrument(tick_size=tick))
    known: set[str] = set()
    for part in parts(read(shared_data / DAY / f"{name}.jsonl.gz")):
        stage.metrics.restart(ROWS)
        told = Told(part, tick)
        for count, update in enumerate(part, start=1):
            stage.take(update)
            if count % EVERY == 0 or count < 300:
                values = stage.values()
                assert differences(told, count, update.at_ns, values) == []
                known |= {metric for metric, value in values.items() if not math.isnan(value)}
    never = {*told.at(1, part[0].at_ns)} - known
    assert never <= {"imbalance_30", "vwap_exact"}  # five levels; averages are too coarse here


@pytest.mark.shared
def test_a_metric_of_another_definition_would_be_noticed_on_a_recorded_session(
    shared_data: Path,
) -> None:
    stage = MetricStage(instrument(tick_size=5), vwap_window_s=299)
    updates = next(parts(read(shared_data / DAY / f"{QUICK}.jsonl.gz")))[:3_000]
    told, found = Told(updates, 5), list[str]()
    for count, update in enumerate(updates, start=1):
        stage.take(update)
        if count % 100 == 0:
            found += differences(told, count, update.at_ns, stage.values())
    assert {text.split(":")[0] for text in found} == {"vwap"}


@cache
def read(path: Path) -> list[Update]:
    """What each line of the continuous session says, repeats left out."""
    (day,) = recorded_days(path)
    told = [
        update_of(line.at_ns, json.loads(line.said)["fullFeed"]["marketFF"]) for line in day.lines
    ]
    is_news = [True, *(one[1:] != other[1:] for one, other in pairwise(told))]
    return [
        update for update, news in zip(told, is_news, strict=True) if news and update.at_ns < END
    ]


def parts(updates: list[Update]) -> Iterator[list[Update]]:
    """The session cut where the recorder was out."""
    gaps = np.flatnonzero(np.diff([update.at_ns for update in updates]) > OUTAGE_NS) + 1
    edges = [0, *gaps.tolist(), len(updates)]
    for start, end in pairwise(edges):
        yield updates[start:end]


def update_of(at_ns: int, market: dict[str, Any]) -> Update:
    """One recorded packet; what it leaves out is 0."""
    levels = market.get("marketLevel", {}).get("bidAskQuote", [])
    trade = market["ltpc"]
    return Update(
        at_ns,
        paise(trade["ltp"]),
        int(trade["ltt"]) * 1_000_000,
        int(market.get("vtt", 0)),
        [paise(level.get("bidP", 0)) for level in levels] or [0],
        [int(level.get("bidQ", 0)) for level in levels] or [0],
        [paise(level.get("askP", 0)) for level in levels] or [0],
        [int(level.get("askQ", 0)) for level in levels] or [0],
        paise(market.get("atp", 0)),
        int(market.get("tbq", 0)),
        int(market.get("tsq", 0)),
    )


def paise(rupees: float) -> int:
    """Rupees in the recorded double as a whole number."""
    return round(rupees * 100)
