"""The levers beside the exchange, under `/_emu/`: clock, token, trades, faults, switches."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from aiohttp import web
from msgspec import Struct

from ticktick.emulator import notify
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.faults import BadFaultError, Faults
from ticktick.emulator.levers import Levers
from ticktick.emulator.pace import Pace
from ticktick.emulator.switches import BadSwitchError


class _NewClock(Struct):
    now_ns: int | None = None
    rate: float | None = None


class _TokenWish(Struct):
    kind: Literal["daily", "analytics"] = "daily"


class Bench:
    """Answers `/_emu/clock`, `/_emu/token`, `/_emu/trades`, `/_emu/fault` and `/_emu/switch`.

    `attend` lets what the faults ask for at the moment happen.
    """

    def __init__(
        self,
        exchange: Exchange,
        pace: Pace,
        faults: Faults,
        levers: Levers,
        attend: Callable[[], None],
    ) -> None:
        self._exchange = exchange
        self._pace = pace
        self._faults = faults
        self._levers = levers
        self._attend = attend

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request; a browser page of another site is refused."""
        if "Origin" in request.headers:
            return _refused(403, "pages have no business here")
        match request.method, request.match_info["name"]:
            case "GET", "clock":
                return self._clock()
            case "POST", "clock":
                return self._set_clock(await request.read())
            case "POST", "token":
                return self._token(await request.read())
            case "GET", "trades":
                return self._trades(request)
            case "POST", "notifier" | "approve" as name:
                return await self._token_request(name, await request.read())
            case "GET", "fault":
                return _json(self._faults.told(self._exchange.now_ns))
            case "POST", "fault":
                return self._order_fault(await request.read())
            case "GET", "switch":
                return _json(self._exchange.switches.told())
            case "POST", "switch":
                return self._set_switches(await request.read())
            case "DELETE", "fault":
                self._faults.clear()
                self._attend()
                return _json([])
        return _refused(404, f"there is no {request.method} {request.path}")

    def _clock(self) -> web.Response:
        now_ns = self._pace.now_ns(self._exchange) + self._levers.skew_ns
        return _json({"now_ns": now_ns, "rate": self._pace.rate})

    def _token(self, body: bytes) -> web.Response:
        try:
            wish = msgspec.json.decode(body or b"{}", type=_TokenWish)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _refused(400, f"a token is asked for by its kind, daily or analytics: {error}")
        login, now_ns = self._exchange.login, self._exchange.now_ns
        is_long = wish.kind == "analytics"
        return _json({"access_token": (login.long_token if is_long else login.live_token)(now_ns)})

    def _set_clock(self, body: bytes) -> web.Response:
        try:
            new = msgspec.json.decode(body or b"{}", type=_NewClock)
        except msgspec.DecodeError as error:
            return _refused(400, f"the clock takes now_ns and rate: {error}")
        if new.rate is not None and new.rate < 0:
            return _refused(400, f"rate must be 0 or more, was {new.rate}")
        if new.now_ns is not None:
            self._jump(new.now_ns)
        now_ns = self._pace.now_ns(self._exchange) if new.now_ns is None else new.now_ns
        self._pace.set(now_ns, self._pace.rate if new.rate is None else new.rate)
        return self._clock()

    def _jump(self, to_ns: int) -> None:
        """Set the market to a moment; faults on the way begin and end at theirs."""
        while True:
            change_ns = self._faults.next_change_ns(self._exchange.now_ns)
            stop_ns = to_ns if change_ns is None else min(change_ns, to_ns)
            self._exchange.jump(stop_ns)
            self._attend()
            if stop_ns >= to_ns:
                return

    def _order_fault(self, body: bytes) -> web.Response:
        try:
            fault = self._faults.order(body, self._exchange.now_ns)
        except BadFaultError as error:
            return _refused(400, str(error))
        try:
            self._levers.check(fault)
        except BadFaultError as error:
            self._faults.forget(fault)
            return _refused(400, str(error))
        self._attend()
        return _json(fault)

    async def _token_request(self, name: str, body: bytes) -> web.Response:
        requests = self._exchange.token_requests
        try:
            if name == "notifier":
                return _json(notify.register(requests, body))
            return _json(await notify.decide(requests, body, self._exchange.now_ns))
        except (ValueError, LookupError) as error:
            return _refused(400, str(error))
        except notify.NotDeliveredError as error:
            return _refused(502, str(error))

    def _set_switches(self, body: bytes) -> web.Response:
        try:
            self._exchange.switches.order(body)
        except BadSwitchError as error:
            return _refused(400, str(error))
        return _json(self._exchange.switches.told())

    def _trades(self, request: web.Request) -> web.Response:
        key = request.query.get("instrument_key", "")
        try:
            from_ns = int(request.query.get("from_ns", 0))
            to_ns = int(request.query.get("to_ns", self._exchange.now_ns))
        except ValueError:
            return _refused(400, "from_ns and to_ns must be whole nanoseconds")
        try:
            return _json(self._exchange.source.trades(key, from_ns, to_ns))
        except LookupError as error:
            return _refused(404, str(error))


def _json(content: Any, status: int = 200) -> web.Response:
    body = msgspec.json.encode(content)
    return web.Response(status=status, body=body, content_type="application/json")


def _refused(status: int, sentence: str) -> web.Response:
    return _json({"error": sentence}, status)
