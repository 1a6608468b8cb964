"""What one day measured is what the next day calls usual, through the whole program."""

import asyncio
import json
from pathlib import Path

from tests.integration.test_failing_tasks import Page, run_with
from tests.store_stage import OPEN_NS, instrument
from ticktick.domain.clock import NS_PER_MS, NS_PER_S, ist, ist_day_number
from ticktick.domain.event import FrameArrived, TimerFired
from ticktick.engine.runner import Runner
from ticktick.engine.supervisor import Work
from ticktick.proto import MarketDataFeed_pb2 as pb2

AT_NS = OPEN_NS + 60 * NS_PER_S


def quote(at_ns: int, bid: float, ask: float) -> FrameArrived:
    """A frame that tells a deep book."""
    message = pb2.FeedResponse(type=pb2.live_feed, currentTs=at_ns // NS_PER_MS)
    full = message.feeds[instrument("RELIANCE").instrument_key].fullFeed.marketFF
    full.ltpc.ltp, full.ltpc.ltt, full.vtt = bid, at_ns // NS_PER_MS, 1_000
    for level in range(5):
        side = full.marketLevel.bidAskQuote.add()
        side.bidP, side.bidQ = bid - level, 10_000
        side.askP, side.askQ = ask + level, 10_000
    return FrameArrived(at_ns, 1, message.SerializeToString())


async def test_flags_stand_on_what_the_days_before_measured(tmp_path: Path) -> None:
    minute = ist(AT_NS).hour * 60 + ist(AT_NS).minute // 15 * 15
    today = ist_day_number(AT_NS)
    kept = [["RELIANCE", today - back, minute, 1.0, None] for back in range(1, 8)]
    (tmp_path / "baselines.jsonl").write_text("\n".join(map(json.dumps, kept)) + "\n")
    told = {}

    def work(runner: Runner) -> Work:
        async def start() -> None:
            await runner.put(quote(AT_NS, 1400.0, 1400.5))
            await runner.let_happen(TimerFired(AT_NS))
            await asyncio.Event().wait()

        return Work("the feed", start)

    async def look(page: Page) -> None:
        while await page.figure("ticktick_event_us_count") < 5:
            continue
        (symbol,) = json.loads(await page.get("/api/v1/status"))["symbols"]
        told.update(symbol)

    await run_with(tmp_path, work, look)
    # 3.6 basis points are far below the fixed limits, but more than twice the usual one
    assert told["liquidity"] == "THIN"
    assert (told["liquidity_baseline"], told["volatility_baseline"]) == (True, False)
    assert told["volatility"] == "UNKNOWN"
