"""The rules of a run: kept in alerts.json, held by the engine, changed by page and commands."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, TypeVar

from msgspec.structs import replace

from ticktick.alerting.rules_file import (
    RulesFile,
    load_rules,
    save_rules,
    with_changed,
    with_new,
    without,
)
from ticktick.domain.alert import Rule, Told
from ticktick.domain.clock import NS_PER_MINUTE, Clock
from ticktick.domain.event import Event, NoteTaken, RulesRead
from ticktick.errors import ConfigError
from ticktick.web.alert_parts import ServicesState

LOOK_S: Final = 1.0
_PATIENCE_S: Final = 3.0
_Result = TypeVar("_Result")


class Inbox(Protocol):
    """Where events go."""

    async def put(self, event: Event) -> None:
        """Append an event."""
        ...

    async def let_happen(self, event: Event) -> None:
        """Append an event and wait until it has happened."""
        ...


class Sender(Protocol):
    """Who sends alerts on."""

    @property
    def state(self) -> ServicesState:
        """How the services do."""
        ...


class AlertBook:
    """Keeps the file and the engine equal, one change after the other.

    Whoever edits the file by hand is heard within a second or two. What is snoozed is snoozed for
    this run alone. Where the file becomes unreadable, the rules before it go on. `told` gives the
    alerts of a moment's day from before the start.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        inbox: Inbox,
        sender: Sender,
        told: Callable[[int], tuple[Told, ...]] = lambda _: (),
    ) -> None:
        self._path = path
        self._clock = clock
        self._inbox = inbox
        self._sender = sender
        self._told = told
        self._file = RulesFile()
        self._trouble = ""
        self._snoozed: dict[int, int] = {}
        self._stamp: object = None
        self._turn = asyncio.Lock()

    @property
    def troubles(self) -> Sequence[str]:
        """Sentences about what cannot be used of the file."""
        return (self._trouble,) if self._trouble else self._file.troubles

    @property
    def services(self) -> ServicesState:
        """How the services do that alerts are sent to."""
        return self._sender.state

    def opening(self) -> Iterator[Event]:
        """The rules of the start, and what is wrong with them."""
        self._stamp = _stamp(self._path)
        self._load()
        rules = self._rules_read()
        yield replace(rules, told=self._told(rules.at_ns))
        yield from self._notes()

    async def watch(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Take up what is edited in the file, for ever."""
        while True:
            await sleep(LOOK_S)
            async with self._turn:
                stamp = await asyncio.to_thread(_stamp, self._path)
                if stamp == self._stamp:
                    continue
                self._stamp = stamp
                await asyncio.to_thread(self._load)
                await self._inbox.put(self._rules_read())
                for note in self._notes():
                    await self._inbox.put(note)

    async def add(self, wish: Rule) -> Rule:
        """Keep one rule more; its id is new. Raises ConfigError if it cannot be."""
        return await self._change(lambda file: with_new(file, wish))

    async def change(self, rule: Rule) -> Rule:
        """Keep another rule under its id. Raises ConfigError if it cannot be."""
        return await self._change(lambda file: (with_changed(file, rule), rule))

    async def remove(self, rule_id: int) -> Rule:
        """Keep a rule no more. Raises ConfigError if there is none."""
        return await self._change(lambda file: without(file, rule_id))

    async def mute(self, rule_id: int, *, muted: bool) -> Rule:
        """Look at a rule no more, or again. Raises ConfigError if there is none."""

        def change(file: RulesFile) -> tuple[RulesFile, Rule]:
            rule = replace(file.rule(rule_id), muted=muted)
            return with_changed(file, rule), rule

        return await self._change(change)

    async def snooze(self, rule_id: int, minutes: int) -> Rule:
        """Raise a rule not before so many minutes of market time; 0 wakes it."""
        async with self._turn:
            rule = self._file.rule(rule_id)
            self._snoozed[rule_id] = self._clock.now_ns() + minutes * NS_PER_MINUTE
            if not minutes:
                del self._snoozed[rule_id]
            await self._happen(self._rules_read())
            return rule

    async def _change(self, change: Callable[[RulesFile], tuple[RulesFile, _Result]]) -> _Result:
        async with self._turn:
            result = await asyncio.to_thread(self._rewrite, change)
            await self._happen(self._rules_read())
            return result

    async def _happen(self, event: Event) -> None:
        with suppress(TimeoutError):  # an engine that is behind takes it in its turn
            async with asyncio.timeout(_PATIENCE_S):
                await self._inbox.let_happen(event)

    def _rewrite(self, change: Callable[[RulesFile], tuple[RulesFile, _Result]]) -> _Result:
        """Change what the file holds at this moment, whoever wrote it."""
        changed, result = change(load_rules(self._path))
        save_rules(self._path, changed)
        self._file, self._trouble = changed, ""
        self._stamp = _stamp(self._path)
        return result

    def _load(self) -> None:
        try:
            self._file, self._trouble = load_rules(self._path), ""
        except ConfigError as error:
            self._trouble = f"{error}; mend or delete it, until then the alerts stay as they were"

    def _rules_read(self) -> RulesRead:
        known = {rule.id for rule in self._file.rules}  # a number may be given to another rule
        self._snoozed = {each: until for each, until in self._snoozed.items() if each in known}
        rules = [
            replace(rule, snoozed_until_ns=self._snoozed.get(rule.id, 0))
            for rule in self._file.rules
        ]
        return RulesRead(self._clock.now_ns(), tuple(rules))

    def _notes(self) -> Iterator[Event]:
        for trouble in self.troubles:
            yield NoteTaken(self._clock.now_ns(), "warning", trouble)


def _stamp(path: Path) -> object:
    """What differs whenever the file was written."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
