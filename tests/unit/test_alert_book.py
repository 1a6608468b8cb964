"""The rules of a run: file and engine stay equal, whoever changes them."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.alert_stage import rule
from tests.market_stage import OPEN
from ticktick.alerting.book import AlertBook
from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.event import Event, NoteTaken, RulesRead
from ticktick.errors import ConfigError
from ticktick.web.alert_parts import ServicesState

GOOD = {"id": 1, "symbol": "ACME", "source": "last_price", "comparison": "above", "threshold": 2}


class Inbox:
    """Keeps every event, as if it had happened at once."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def put(self, event: Event) -> None:
        self.events.append(event)

    async def let_happen(self, event: Event) -> None:
        self.events.append(event)

    @property
    def rules(self) -> list[list[float | str]]:
        """The thresholds of each set of rules that came."""
        sets = [event.rules for event in self.events if isinstance(event, RulesRead)]
        return [[one.threshold for one in rules] for rules in sets]

    @property
    def notes(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, NoteTaken)]


class StandingClock:
    def now_ns(self) -> int:
        return OPEN


class Silent:
    state = ServicesState("off", "none")


class Desk:
    """A book on a file, with a watch that looks when the test says so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inbox = Inbox()
        self.book = AlertBook(path, StandingClock(), self.inbox, Silent())
        self.inbox.events += self.book.opening()

    async def look(self) -> None:
        """Let the watch look at the file once."""
        looked = asyncio.Event()

        async def sleep(_: float) -> None:
            if looked.is_set():
                await asyncio.Event().wait()
            looked.set()

        task = asyncio.create_task(self.book.watch(sleep))
        done, _ = await asyncio.wait([task], timeout=0.15)
        task.cancel()
        assert not done

    def write(self, *entries: object) -> None:
        fresh = self.path.with_suffix(".edited")
        fresh.write_text(json.dumps({"alerts": entries}))
        fresh.replace(self.path)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "alerts.json")


async def test_a_change_reaches_the_file_and_the_engine_before_it_returns(desk: Desk) -> None:
    new = await desk.book.add(rule(threshold=3.0))
    assert desk.inbox.rules == [[], [3.0]]
    assert json.loads(desk.path.read_text())["alerts"][0]["threshold"] == 3.0
    await desk.book.change(rule(threshold=4.0, id=new.id))
    await desk.book.mute(new.id, muted=True)
    assert json.loads(desk.path.read_text())["alerts"][0]["muted"] is True
    await desk.book.remove(new.id)
    assert desk.inbox.rules == [[], [3.0], [4.0], [4.0], []]
    with pytest.raises(ConfigError, match="there is no alert 1"):
        await desk.book.remove(new.id)


async def test_what_is_edited_by_hand_is_taken_up_once(desk: Desk) -> None:
    desk.write(GOOD)
    await desk.look()
    await desk.look()
    assert desk.inbox.rules == [[], [2.0]]


async def test_a_change_of_our_own_is_not_taken_for_an_edit(desk: Desk) -> None:
    await desk.book.add(rule())
    await desk.look()
    assert len(desk.inbox.rules) == 2


async def test_a_file_broken_by_an_edit_leaves_the_rules_as_they_were(desk: Desk) -> None:
    desk.write(GOOD)
    await desk.look()
    desk.path.write_text("{ half")
    await desk.look()
    assert desk.inbox.rules == [[], [2.0], [2.0]]
    (note,) = desk.inbox.notes
    assert "this is not JSON" in note
    assert note.endswith("mend or delete it, until then the alerts stay as they were")
    assert list(desk.book.troubles) == [note]
    with pytest.raises(ConfigError, match="this is not JSON"):
        await desk.book.add(rule())
    assert desk.path.read_text() == "{ half"
    desk.write(GOOD, {**GOOD, "id": 2, "source": "rsi"})
    await desk.look()
    assert "entry 2 is not used" in desk.book.troubles[0]


async def test_a_snooze_ends_with_the_run_and_is_in_no_file(desk: Desk) -> None:
    new = await desk.book.add(rule())
    await desk.book.snooze(new.id, 15)
    event = desk.inbox.events[-1]
    assert isinstance(event, RulesRead)
    assert event.rules[0].snoozed_until_ns == OPEN + 15 * NS_PER_MINUTE
    assert "snoozed" not in desk.path.read_text()
    await desk.book.snooze(new.id, 0)
    event = desk.inbox.events[-1]
    assert isinstance(event, RulesRead)
    assert event.rules[0].snoozed_until_ns == 0


async def test_a_new_rule_does_not_sleep_because_one_of_its_number_did(desk: Desk) -> None:
    old = await desk.book.add(rule())
    await desk.book.snooze(old.id, 60)
    await desk.book.remove(old.id)
    new = await desk.book.add(rule())
    assert new.id == old.id
    event = desk.inbox.events[-1]
    assert isinstance(event, RulesRead)
    assert event.rules[0].snoozed_until_ns == 0
