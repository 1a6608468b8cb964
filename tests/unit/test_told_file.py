"""What was raised today, kept for the next start."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests.alert_stage import AlertStage, rule
from tests.market_stage import OPEN
from ticktick.alerting.told_file import ToldFile
from ticktick.domain.alert import Told
from ticktick.domain.clock import NS_PER_DAY
from ticktick.domain.event import Event, RulesRead
from ticktick.engine.ports import Outputs


class Kept(AlertStage):
    """A stage whose outputs go to a file, and that begins with what the file holds.

    `copies` counts how often the alerts were copied for it.
    """

    def __init__(self, path: Path, now_ns: int = OPEN, price: int = 200) -> None:
        self.copies = 0
        self.file = ToldFile(path, self._copy)
        super().__init__(rule(), told=self.file.read(now_ns), price=price)

    def process(self, event: Event) -> Outputs:
        outputs = super().process(event)
        self.file.take(outputs)
        return outputs

    def _copy(self) -> tuple[Told, ...]:
        self.copies += 1
        return self.engine.alerts.told


def ended(path: Path, *prices: int, price: int = 200) -> Kept:
    """A stage that saw these prices and came to an orderly end."""
    stage = Kept(path, price=price)
    stage.prices(*prices)
    stage.file.close()
    return stage


def test_a_program_that_is_started_again_goes_on_with_its_alerts(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    ended(path, 201)
    again = ended(path, 203, 199, price=202)
    assert again.told() == [("cleared", 1)]
    third = Kept(path)
    third.prices(202)
    assert [alert.number for alert in third.raised] == [2]


def test_another_day_begins_without_alerts(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    ended(path, 201)
    tomorrow = Kept(path, OPEN + NS_PER_DAY)
    tomorrow.prices(202)
    assert tomorrow.told() == [("raised", 1)]


def test_what_happens_before_the_file_was_read_does_not_empty_it(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    first = ended(path, 201)
    kept = path.read_bytes()
    first.file = ToldFile(tmp_path / "another.json", lambda: ())
    early = ToldFile(path, lambda: ())
    early.take(first.process(RulesRead(OPEN, ())))
    early.close()
    assert path.read_bytes() == kept


@pytest.mark.parametrize("text", [b"", b"[{]", b'[{"rule": 1}]', bytes(range(128, 256))])
def test_a_damaged_file_costs_a_repetition_and_nothing_else(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "told.json"
    path.write_bytes(text)
    stage = ended(path, 201)
    assert stage.told() == [("raised", 1)]
    assert len(ToldFile(path, lambda: ()).read(OPEN)) == 1


@pytest.mark.parametrize("field", ["number", "raised_ns"])
@pytest.mark.parametrize("value", [10**30, -(10**30), 2**63 - 1, -(2**63)])
def test_a_number_that_nobody_wrote_costs_a_repetition_and_nothing_else(
    tmp_path: Path, field: str, value: int
) -> None:
    path = tmp_path / "told.json"
    ended(path, 201)
    (told,) = msgspec.json.decode(path.read_bytes())
    path.write_bytes(json.dumps([told | {field: value}]).encode())
    stage = ended(path, 201)
    assert [alert.number for alert in stage.raised] == [1]
    assert len(ToldFile(path, lambda: ()).read(OPEN)) == 1


async def test_a_disk_that_refuses_disturbs_nobody(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "told.json"
    stage = Kept(path)
    async with asyncio.timeout(60), kept(stage.file):
        stage.prices(201)
        await until(lambda: stage.copies == 1)
        path.parent.mkdir()
        stage.prices(199)
        await until(path.exists)
    assert stage.told() == [("raised", 1), ("cleared", 1)]
    assert numbers(path) == [(1, False)]


async def test_alerts_are_kept_while_the_program_runs(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    stage = Kept(path)
    async with asyncio.timeout(60), kept(stage.file):
        stage.prices(201)
        await until(path.exists)
        assert numbers(path) == [(1, True)]
        stage.prices(199, 203)
        await until(lambda: numbers(path) != [(1, True)])
        assert numbers(path) == [(2, True)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes to be a slow disk")
async def test_nobody_waits_for_a_slow_disk_and_what_changes_meanwhile_is_written_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "told.json"
    ended(path, 201)
    before = path.read_bytes()
    stage = Kept(path)
    async with asyncio.timeout(60), kept(stage.file):
        os.mkfifo(path.with_suffix(".new"))  # whoever writes there waits for a reader
        stage.prices(199)
        await until(lambda: stage.copies == 1)
        for price in (*[203, 199] * 20, 203):
            stage.prices(price)
            await asyncio.sleep(0)
        assert path.read_bytes() == before  # whole, whatever is under way
        await asyncio.to_thread(path.with_suffix(".new").read_bytes)
        await until(lambda: path.is_file() and numbers(path) == [(22, True)])
    assert stage.copies == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes to be a slow disk")
async def test_an_end_during_a_slow_write_keeps_what_came_last(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    stage = Kept(path)
    async with asyncio.timeout(60), kept(stage.file):
        os.mkfifo(path.with_suffix(".new"))
        stage.prices(201)
        await until(lambda: stage.copies == 1)
        stage.prices(199)
    reading = asyncio.create_task(asyncio.to_thread(path.with_suffix(".new").read_bytes))
    await asyncio.to_thread(stage.file.close, 60)
    async with asyncio.timeout(60):
        through_the_pipe = await reading
    written = path.read_bytes() if path.is_file() else through_the_pipe
    assert [(told["number"], told["holds"]) for told in json.loads(written)] == [(1, False)]


@asynccontextmanager
async def kept(file: ToldFile) -> AsyncIterator[None]:
    """The file is kept by a task that is cancelled in the end."""
    keeping = asyncio.create_task(file.keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
    assert keeping.cancelled()


async def until(claim: Callable[[], object]) -> None:
    """Let others do until the claim holds; the caller's patience has an end."""
    while not claim():  # noqa: ASYNC110 - a file has no event to wait for
        await asyncio.sleep(0.001)


def numbers(path: Path) -> list[tuple[int, bool]]:
    """Of each alert in the file its number, and whether it held."""
    return [(told["number"], told["holds"]) for told in json.loads(path.read_bytes())]
