"""The routes of the REST API and the one WebSocket."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from fastapi import APIRouter, HTTPException, Request, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from ticktick.domain.instrument import Instrument
from ticktick.domain.market import TIMEFRAMES
from ticktick.web.bodies import (
    CandlesAnswer,
    Empty,
    ErrorAnswer,
    HealthAnswer,
    SessionAnswer,
    SessionRequest,
    SocketCodeAnswer,
    StartCodeAnswer,
    StatusAnswer,
    SymbolsAnswer,
    WindowAnswer,
)
from ticktick.web.alerts import Alerts
from ticktick.web.analysis import Analysis
from ticktick.web.changes import Changes
from ticktick.web.hub import SESSION_ENDED, TRY_AGAIN_LATER, Hub
from ticktick.web.messages import SocketHello
from ticktick.web.security import (
    COOKIE,
    FEED_PATH,
    SESSION_PATH,
    SOCKET_PATH,
    START_CODE_PATH,
    SYMBOLS_PATH,
    Caller,
)
from ticktick.web.sessions import Session, Sessions, TooManyTries
from ticktick.web.status import all_candles, candle_answer, symbol_answer, watched_rows
from ticktick.web.window import window_rows

MAX_SOCKETS: Final = 32
_HELLO_LIMIT_S: Final = 10.0
_HELLO: Final = msgspec.json.Decoder(SocketHello)


class Routes:
    """The handlers; what they may assume was checked by the guard before."""

    def __init__(self, hub: Hub, sessions: Sessions) -> None:
        self._hub = hub
        self._overview = hub.overview
        self._market = hub.overview.market
        self._sessions = sessions
        self._sockets = 0

    async def health(self) -> HealthAnswer:
        """Whether the server answers."""
        return HealthAnswer(ok=True)

    async def open_session(
        self, body: SessionRequest, request: Request, response: Response
    ) -> SessionAnswer:
        """Exchange the one-time code of the start link for a session cookie."""
        try:
            session = self._sessions.open(body.code)
        except TooManyTries as error:
            sentence = "Too many wrong codes: wait one minute, then open a new start link."
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, sentence) from error
        if session is None:
            sentence = "This start link was used or is older than ten minutes: open a new one."
            raise HTTPException(HTTPStatus.UNAUTHORIZED, sentence)
        request.state.caller = Caller(session)
        response.set_cookie(
            COOKIE,
            session.id,
            max_age=self._sessions.seconds_left(session),
            httponly=True,
            samesite="strict",
        )
        return SessionAnswer(csrf=session.csrf)

    async def session(self, request: Request) -> SessionAnswer:
        """The CSRF token of the running session, after a reload of the page."""
        return SessionAnswer(csrf=_session(request).csrf)

    async def socket_code(self, _: Empty, request: Request) -> SocketCodeAnswer:
        """A code that opens one socket within 30 seconds."""
        return SocketCodeAnswer(code=self._sessions.new_socket_code(_session(request)))

    async def start_code(self, _: Empty) -> StartCodeAnswer:
        """A new one-time code for a start link, for this user's own commands."""
        return StartCodeAnswer(code=self._sessions.new_start_code())

    async def status(self) -> StatusAnswer:
        """The state of the system and of every symbol, prices in rupees."""
        return self._overview.answer()

    async def symbols(self) -> SymbolsAnswer:
        """The watched instruments."""
        stamp = self._overview.stamp()
        return SymbolsAnswer(
            mode=stamp.mode,
            server_time_ms=stamp.now_ms,
            symbols=[
                symbol_answer(self._market.table.instruments[row])
                for row in watched_rows(self._market)
            ],
        )

    async def candles(self, symbol: str, minutes: int) -> CandlesAnswer:
        """Closed candles oldest first, then the forming one; prices in rupees."""
        instrument = self._instrument(symbol)
        if minutes not in TIMEFRAMES:
            known = ", ".join(map(str, TIMEFRAMES))
            sentence = f"No {minutes}-minute candles: there are {known} minutes."
            raise HTTPException(HTTPStatus.NOT_FOUND, sentence)
        stamp = self._overview.stamp()
        candles = all_candles(self._market, symbol, minutes)
        return CandlesAnswer(
            mode=stamp.mode,
            server_time_ms=stamp.now_ms,
            symbol=symbol,
            minutes=minutes,
            candles=[candle_answer(candle, instrument) for candle in candles],
        )

    async def window(self, symbol: str) -> WindowAnswer:
        """The last updates of one symbol, from which its metrics can be computed again."""
        instrument = self._instrument(symbol)
        stamp = self._overview.stamp()
        return WindowAnswer(
            mode=stamp.mode,
            server_time_ms=stamp.now_ms,
            symbol=symbol,
            tick_size=float(instrument.rupees(instrument.tick_size)),
            rows=window_rows(self._market.window(symbol), instrument),
        )

    async def stream(self, socket: WebSocket) -> None:
        """The live stream, after the browser proved itself with a socket code."""
        session = _session(socket)
        await socket.accept()
        if self._sockets >= MAX_SOCKETS:
            await socket.close(TRY_AGAIN_LATER)
            return
        self._sockets += 1
        try:
            if await self._is_proved(socket, session):
                await self._hub.serve(socket, lambda: self._sessions.is_open(session))
        except WebSocketDisconnect:
            return
        finally:
            self._sockets -= 1

    async def _is_proved(self, socket: WebSocket, session: Session) -> bool:
        try:
            async with asyncio.timeout(_HELLO_LIMIT_S):
                hello = _HELLO.decode(await socket.receive_text())
        except (TimeoutError, KeyError, msgspec.DecodeError):
            hello = SocketHello("")
        if self._sessions.take_socket_code(hello.code, session):
            return True
        await socket.close(SESSION_ENDED)
        return False

    def _instrument(self, symbol: str) -> Instrument:
        table = self._market.table
        row = table.row_of_symbol.get(symbol)
        if row is None:
            sentence = "This symbol is not watched: /api/v1/symbols lists those that are."
            raise HTTPException(HTTPStatus.NOT_FOUND, sentence)
        return table.instruments[row]


def router(
    routes: Routes, changes: Changes, analysis: Analysis, alerts: Alerts
) -> APIRouter:
    """Every route with its path."""
    errors: dict[int | str, Mapping[str, object]] = {
        "4XX": {"model": ErrorAnswer, "description": "One plain sentence"}
    }
    found = APIRouter(responses={k: dict(v) for k, v in errors.items()})
    found.add_api_route("/healthz", routes.health, methods=["GET"])
    found.add_api_route(SESSION_PATH, routes.open_session, methods=["POST"])
    found.add_api_route(SESSION_PATH, routes.session, methods=["GET"])
    found.add_api_route("/api/v1/socket-code", routes.socket_code, methods=["POST"])
    found.add_api_route(START_CODE_PATH, routes.start_code, methods=["POST"])
    found.add_api_route("/api/v1/status", routes.status, methods=["GET"])
    found.add_api_route(SYMBOLS_PATH, routes.symbols, methods=["GET"])
    found.add_api_route(SYMBOLS_PATH, changes.add_symbol, methods=["POST"])
    found.add_api_route(f"{SYMBOLS_PATH}/search", changes.search, methods=["GET"])
    found.add_api_route(f"{SYMBOLS_PATH}/{{symbol}}", changes.remove_symbol, methods=["DELETE"])
    found.add_api_route(f"{FEED_PATH}/reconnect", changes.reconnect, methods=["POST"])
    found.add_api_route(f"{FEED_PATH}/take-over", changes.take_over, methods=["POST"])
    found.add_api_route("/api/v1/candles/{symbol}/{minutes}", routes.candles, methods=["GET"])
    found.add_api_route("/api/v1/window/{symbol}", routes.window, methods=["GET"])
    found.add_api_route("/api/v1/indicators/{symbol}", analysis.indicators, methods=["GET"])
    found.add_api_route("/api/v1/patterns", analysis.patterns, methods=["GET"])
    alerts.add_to(found)
    found.add_api_websocket_route(SOCKET_PATH, routes.stream)
    return found


def _session(connection: Request | WebSocket) -> Session:
    caller: Caller = connection.state.caller
    if caller.session is None:
        sentence = "No session: open the start link printed in the terminal."
        raise HTTPException(HTTPStatus.UNAUTHORIZED, sentence)
    return caller.session
