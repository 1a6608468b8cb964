"""The routes for alerts: which rules hold, what was raised, and changes of both."""

from collections.abc import Sequence
from typing import Any, NoReturn, Protocol

from fastapi import APIRouter

from ticktick.domain.alert import EVERY_SYMBOL, Rule
from ticktick.domain.clock import NS_PER_MS
from ticktick.engine.alerts.sources import SOURCES
from ticktick.engine.alerts.words import condition
from ticktick.errors import ConfigError
from ticktick.web.alert_bodies import (
    AlertHistoryAnswer,
    AlertsAnswer,
    RuleAnswer,
    RuleChangeAnswer,
    RuleRequest,
    SeenRequest,
    SnoozeRequest,
    SourceAnswer,
    SourcesAnswer,
)
from ticktick.web.alert_parts import ServicesState
from ticktick.web.bodies import ChangeAnswer, Empty
from ticktick.web.hub import Hub
from ticktick.web.security import ALERTS_PATH


class LiveAlerts(Protocol):
    """What the web reads of the engine's alerts."""

    @property
    def rules(self) -> Sequence[Rule]:
        """Every rule that holds, by id."""
        ...

    def holding(self, rule_id: int) -> Sequence[str]:
        """The symbols for which a rule is true at this moment."""
        ...


class AlertSteering(Protocol):
    """Changes of the rules; each is done when the call returns.

    Raises ConfigError, in a sentence for the user, where it cannot be done.
    """

    @property
    def troubles(self) -> Sequence[str]:
        """Sentences about rules that cannot be used."""
        ...

    @property
    def services(self) -> ServicesState:
        """How the services do that alerts are sent to."""
        ...

    async def add(self, wish: Rule) -> Rule:
        """Keep one rule more; its id is new."""
        ...

    async def change(self, rule: Rule) -> Rule:
        """Keep another rule under its id."""
        ...

    async def remove(self, rule_id: int) -> Rule:
        """Keep a rule no more."""
        ...

    async def mute(self, rule_id: int, *, muted: bool) -> Rule:
        """Look at a rule no more, or again."""
        ...

    async def snooze(self, rule_id: int, minutes: int) -> Rule:
        """Raise a rule not before so many minutes; 0 wakes it."""
        ...


class FixedAlerts:
    """Where no rule can be changed; `why` is the sentence that says so."""

    troubles: Sequence[str] = ()
    services = ServicesState("off", "nothing is sent from here")

    def __init__(self, why: str) -> None:
        self._why = why

    async def add(self, wish: Rule) -> Rule:
        """Refuse."""
        self._refuse()

    async def change(self, rule: Rule) -> Rule:
        """Refuse."""
        self._refuse()

    async def remove(self, rule_id: int) -> Rule:
        """Refuse."""
        self._refuse()

    async def mute(self, rule_id: int, *, muted: bool) -> Rule:
        """Refuse."""
        self._refuse()

    async def snooze(self, rule_id: int, minutes: int) -> Rule:
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ConfigError(self._why)


class Alerts:
    """The handlers; what they may assume was checked by the guard before."""

    def __init__(self, hub: Hub, live: LiveAlerts, steering: AlertSteering) -> None:
        self._hub = hub
        self._live = live
        self._steering = steering

    async def rules(self) -> AlertsAnswer:
        """The rules, and what is wrong with those that are not used."""
        return AlertsAnswer(
            **self._stamp(),
            rules=[self._answer(rule) for rule in self._live.rules],
            troubles=list(self._steering.troubles),
            services=self._steering.services,
        )

    async def sources(self) -> SourcesAnswer:
        """Everything an alert may look at, with its unit or its words."""
        found = [
            SourceAnswer(
                name=name, kind=one.kind, unit=one.shown_unit, words=list(one.words)
            )
            for name, one in SOURCES.items()
        ]
        return SourcesAnswer(sources=found)

    async def history(self) -> AlertHistoryAnswer:
        """What was raised since the program started, newest first."""
        return AlertHistoryAnswer(**self._stamp(), alerts=list(self._hub.alerts.newest_first))

    async def add(self, body: RuleRequest) -> RuleChangeAnswer:
        """Keep one rule more, from now on and for the next start."""
        rule = await self._steering.add(_rule(1, body))
        text = f"Alert {rule.id} is set: {condition(rule)}.{self._if_unwatched(rule)}"
        return RuleChangeAnswer(id=rule.id, text=text)

    async def change(self, rule_id: int, body: RuleRequest) -> RuleChangeAnswer:
        """Keep another rule under an id."""
        rule = await self._steering.change(_rule(rule_id, body))
        text = f"Alert {rule.id} is now: {condition(rule)}.{self._if_unwatched(rule)}"
        return RuleChangeAnswer(id=rule.id, text=text)

    async def remove(self, rule_id: int) -> ChangeAnswer:
        """Keep a rule no more."""
        rule = await self._steering.remove(rule_id)
        return ChangeAnswer(text=f"Alert {rule.id} is removed: {condition(rule)}.")

    async def mute(self, rule_id: int, _: Empty) -> ChangeAnswer:
        """Look at a rule no more until it is unmuted."""
        rule = await self._steering.mute(rule_id, muted=True)
        return ChangeAnswer(text=f"Alert {rule.id} is muted: {condition(rule)}.")

    async def unmute(self, rule_id: int, _: Empty) -> ChangeAnswer:
        """Look at a rule again."""
        rule = await self._steering.mute(rule_id, muted=False)
        return ChangeAnswer(text=f"Alert {rule.id} is on again: {condition(rule)}.")

    async def snooze(self, rule_id: int, body: SnoozeRequest) -> ChangeAnswer:
        """Let a rule be quiet for some minutes of market time."""
        rule = await self._steering.snooze(rule_id, body.minutes)
        until = f"is quiet for {body.minutes} minutes" if body.minutes else "is awake again"
        return ChangeAnswer(text=f"Alert {rule.id} {until}: {condition(rule)}.")

    async def acknowledge(self, body: SeenRequest) -> ChangeAnswer:
        """Mark alerts as seen, on every page."""
        seen = self._hub.alerts.acknowledge(body.numbers)
        self._hub.tell("alerts_seen", seen)
        count = len(seen.numbers)
        return ChangeAnswer(text=f"{count} {'alert' if count == 1 else 'alerts'} acknowledged.")

    def add_to(self, router: APIRouter) -> None:
        """Every route with its path."""
        one = f"{ALERTS_PATH}/{{rule_id}}"
        router.add_api_route(ALERTS_PATH, self.rules, methods=["GET"])
        router.add_api_route(ALERTS_PATH, self.add, methods=["POST"])
        router.add_api_route(f"{ALERTS_PATH}/sources", self.sources, methods=["GET"])
        router.add_api_route(f"{ALERTS_PATH}/history", self.history, methods=["GET"])
        router.add_api_route(f"{ALERTS_PATH}/acknowledge", self.acknowledge, methods=["POST"])
        router.add_api_route(one, self.change, methods=["POST"])
        router.add_api_route(one, self.remove, methods=["DELETE"])
        router.add_api_route(f"{one}/mute", self.mute, methods=["POST"])
        router.add_api_route(f"{one}/unmute", self.unmute, methods=["POST"])
        router.add_api_route(f"{one}/snooze", self.snooze, methods=["POST"])

    def _stamp(self) -> dict[str, Any]:
        stamp = self._hub.overview.stamp()
        return {"mode": stamp.mode, "server_time_ms": stamp.now_ms}

    def _answer(self, rule: Rule) -> RuleAnswer:
        source, until_ms = SOURCES.get(rule.source), rule.snoozed_until_ns // NS_PER_MS
        is_snoozed = until_ms > self._hub.overview.stamp().now_ms
        return RuleAnswer(
            id=rule.id,
            text=condition(rule),
            symbol=rule.symbol,
            source=rule.source,
            comparison=rule.comparison,
            threshold=rule.threshold,
            unit="" if source is None else source.shown_unit,
            hysteresis=rule.hysteresis,
            cooldown_s=rule.cooldown_s,
            level=rule.level,
            sound=rule.sound,
            browser=rule.browser,
            services=rule.services,
            muted=rule.muted,
            snoozed_until_ms=until_ms if is_snoozed else None,
            is_watched=self._is_watched(rule),
            holds=list(self._live.holding(rule.id)),
        )

    def _is_watched(self, rule: Rule) -> bool:
        known = self._hub.overview.market.table.row_of_symbol
        return rule.symbol == EVERY_SYMBOL or rule.symbol in known

    def _if_unwatched(self, rule: Rule) -> str:
        if self._is_watched(rule):
            return ""
        return f" It waits until {rule.symbol} is on the watchlist."


def _rule(rule_id: int, body: RuleRequest) -> Rule:
    """The rule of a request. Raises ConfigError if its parts do not fit."""
    fields = body.model_dump() | {"symbol": body.symbol.strip().upper()}
    try:
        return Rule(id=rule_id, **fields)
    except ValueError as error:
        raise ConfigError(str(error)) from error
