"""A program that is stopped and started on one day, and what it told before."""

import asyncio
import json
from pathlib import Path

from tests.integration.test_failing_tasks import Page, run_with
from tests.integration.test_usual import AT_NS, quote
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import TimerFired
from ticktick.engine.runner import Runner
from ticktick.engine.supervisor import Work

RULE = {
    "id": 1,
    "symbol": "RELIANCE",
    "source": "last_price",
    "comparison": "above",
    "threshold": 1399.0,
    "cooldown_s": 0,
}


async def told(folder: Path, *prices: float) -> tuple[list[tuple[str, int]], list[str]]:
    """Kinds and numbers of what a run tells of alerts at these prices, and who holds at its end."""
    (folder / "alerts.json").write_text(json.dumps({"alerts": [RULE]}))
    holds: list[str] = []
    is_over = asyncio.Event()

    def work(runner: Runner) -> Work:
        async def start() -> None:
            for second, price in enumerate(prices):
                at_ns = AT_NS + second * NS_PER_S
                await runner.put(quote(at_ns, price, price + 0.5))
                await runner.let_happen(TimerFired(at_ns))
            is_over.set()
            await asyncio.Event().wait()

        return Work("the feed", start)

    async def look(page: Page) -> None:
        await is_over.wait()
        holds.extend(json.loads(await page.get("/api/v1/alerts"))["rules"][0]["holds"])

    outputs = await run_with(folder, work, look, folder / "alerts.json")
    facts = [json.loads(line) for line in outputs.splitlines()]
    kinds = ("alert", "alert_cleared")
    return [(fact["type"], fact["number"]) for fact in facts if fact["type"] in kinds], holds


async def test_an_alert_that_was_told_is_not_told_again_by_the_next_start(tmp_path: Path) -> None:
    assert await told(tmp_path, 1400.0) == ([("alert", 1)], ["RELIANCE"])
    assert await told(tmp_path, 1400.0) == ([], ["RELIANCE"])
    assert await told(tmp_path, 1390.0, 1400.0) == (
        [("alert_cleared", 1), ("alert", 2)],
        ["RELIANCE"],
    )
    (tmp_path / "alerts_told.json").unlink()  # a program that forgets tells it at every start
    assert await told(tmp_path, 1400.0) == ([("alert", 1)], ["RELIANCE"])
