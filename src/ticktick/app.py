"""The composition root: the only place that builds the parts of a run and wires them."""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from socket import socket
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from ticktick import __version__
from ticktick.alerting.book import AlertBook
from ticktick.alerting.notifier import Notifier
from ticktick.alerting.services import open_services
from ticktick.alerting.told_file import ToldFile
from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.config import Settings
from ticktick.domain.clock import Clock, MarketClock
from ticktick.domain.event import BaselinesRead, HistoryRead, NoteTaken, RulesRead
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.loop_lag import LoopLag
from ticktick.engine.meters import FeedLag, LinkTally
from ticktick.engine.ports import EngineSettings, Sink
from ticktick.engine.runner import Runner
from ticktick.engine.supervisor import Guard, Supervisor, Work
from ticktick.errors import StoreError
from ticktick.login import Login
from ticktick.logs import PERFORMANCE_LOGGER
from ticktick.measured import Measured
from ticktick.memory import calm_collector, give_back, keep_large_apart
from ticktick.origin.clock import boot_ns
from ticktick.origin.ports import Origin
from ticktick.page import serve_when_fed
from ticktick.redact import hide
from ticktick.running import Running, announce, withdraw
from ticktick.store.baselines import BaselineFile
from ticktick.store.claim import DEMO_MARKET, REAL_MARKET, claim
from ticktick.store.embedded import Store, StoreWish, open_store
from ticktick.store.fact_log import FactLog
from ticktick.store.link import LOST
from ticktick.store.outputs import OutputLog
from ticktick.store.recording import Recorder, RecordingHeader, recording_path
from ticktick.store.recordings import Recordings
from ticktick.store.redis_store import RedisWriter
from ticktick.store.spool import Spool
from ticktick.surroundings import Surroundings
from ticktick.web.bodies import StatusAnswer
from ticktick.web.hub import Hub
from ticktick.web.listening import listen
from ticktick.web.overview import Overview
from ticktick.web.parts import Mode
from ticktick.web.sessions import Sessions

if TYPE_CHECKING:
    from fastapi import FastAPI

Tell: TypeAlias = Callable[[str], None]

_PERFORMANCE_EVERY_S = 60.0
_GIVE_BACK_EVERY_S = 10.0
_LOOK_EVERY_S = 0.1
_FRESH_LIMIT_S = 60.0
_NEWS_EVERY_S = 1.0
_PATIENCE_S = 10.0

_log = logging.getLogger(__name__)
_performance = logging.getLogger(PERFORMANCE_LOGGER)


class Plan(Struct, frozen=True):
    """What differs between runs.

    `data` is the folder of the run's recordings and store; `server_file` tells the other
    commands about the page. Without `port` no page is served, without `keeps_store` Redis is
    left alone, without `alerts`, the file of the rules, none can be changed. `note` goes into the
    recording's header.
    """

    mode: Mode
    settings: EngineSettings
    data: Path
    server_file: Path
    records: bool
    keeps_store: bool
    port: int | None
    login: Login | None = None
    alerts: Path | None = None
    duration_s: float | None = None
    outputs: Path | None = None
    note: str = ""


def new_engine(settings: EngineSettings) -> Engine:
    """The engine of every mode."""
    return Engine(new_decoder(), Calendar(), settings)


async def operate(
    plan: Plan, settings: Settings, origin: Origin, stop: asyncio.Event, tell: Tell
) -> StatusAnswer:
    """Run until `stop`, or for the plan's duration; return the last state.

    `tell` gets sentences for the user.
    Raises the errors of errors.py for what the user must mend.
    """
    started_s = time.monotonic()
    keep_large_apart()
    async with AsyncExitStack() as stack:
        listener = _listener(plan, settings, stack)
        parts = await _build(plan, settings, origin, stack)
        for event in await asyncio.to_thread(list, origin.opening(parts.store.url)):
            parts.runner.process(event)
        if parts.book is not None:
            for event in await asyncio.to_thread(list, parts.book.opening()):
                parts.runner.process(event)
        for notice in parts.overview.hello().notices:
            tell(notice.text)
        calm_collector()
        note = partial(_note, plan, origin, parts.runner)
        supervisor, loop_lag = parts.measured.supervisor, parts.measured.loop_lag
        async with asyncio.TaskGroup() as group:
            works = (
                Work("the engine", parts.runner.run, is_vital=True),
                *origin.works(parts.runner),
                Work("the watch on the program", lambda: loop_lag.run(note)),
                Work("the news of tasks", lambda: _tell_news(supervisor, note)),
                *_recording_works(parts.measured.recordings),
                *_alert_works(parts, note),
                Work("the performance log", lambda: _log_performance(parts.runner)),
                Work("the memory", _give_back_often),
                Work("the start", lambda: _tell_when_fresh(parts.overview, started_s, tell)),
                *_page(plan, origin, parts, listener, stack, tell),
            )
            tasks = [group.create_task(_run(work, parts)) for work in works]
            await _stopped(stop, plan.duration_s)
            last = parts.overview.answer()
            for task in tasks:
                task.cancel()
    return last


async def _run(work: Work, parts: "_Parts") -> None:
    if work.can_wait:
        with suppress(TimeoutError):  # a page that cannot be made must not keep it back
            async with asyncio.timeout(_PATIENCE_S):
                await parts.is_ready.wait()
    await parts.measured.supervisor.run(work)


class _Parts(Struct, frozen=True):
    """What the tasks of a run share; `is_ready` is set when the page answers, or none is served."""

    runner: Runner
    overview: Overview
    hub: Hub
    store: Store
    measured: Measured
    engine: Engine
    book: AlertBook | None
    notifier: Notifier | None
    told: ToldFile
    is_ready: asyncio.Event


async def _build(plan: Plan, settings: Settings, origin: Origin, stack: AsyncExitStack) -> _Parts:
    """The engine and everything that listens to it; the stack ends it all in order."""
    engine, supervisor = new_engine(plan.settings), Supervisor(time.monotonic)
    store = await _open_store(plan, settings, stack)
    writer = None
    if store.url is not None:
        guard = supervisor.guard("the Redis writer")
        spool = Spool(most_bytes=settings.redis.spool_mb << 20)
        writer = RedisWriter(
            store.url,
            engine.market,
            revive=store.revive,
            spool=spool,
            guard=guard,
            now_ns=origin.clock.now_ns,
        )
        stack.callback(writer.close)
    recordings = None
    if plan.records:
        guard = supervisor.guard("the recorder")
        recordings = _recordings(plan, settings, origin.clock, engine, guard)
        stack.callback(recordings.close)
    notifier = await _notifier(plan, settings, supervisor, origin.clock.now_ns, stack)
    loop_lag = LoopLag(boot_ns, asyncio.sleep, origin.resumed)
    around = Surroundings(
        mode=plan.mode,
        login=plan.login,
        origin=origin,
        loop_lag=loop_lag,
        store=store,
        writer=writer,
        recordings=recordings,
        notifier=notifier,
    )
    overview = Overview(engine.market, around.status, around.stamp, __version__)
    hub = Hub(overview, engine.analytics, time.monotonic)
    lag, losses = FeedLag(engine.market.table, origin.framed), LinkTally()
    sinks: list[Sink] = [FactLog(_market_ns(plan, origin)), hub, lag, losses]
    if notifier is not None:
        sinks.append(notifier)
    if plan.outputs is not None:
        output_log = OutputLog(plan.outputs, engine.market)
        stack.callback(output_log.close)
        sinks.append(output_log)
    if writer is not None:
        sinks.append(writer)
    baselines = await asyncio.to_thread(_baselines, plan, origin.clock, sinks)
    told = _told_file(plan, engine)
    stack.callback(told.close)
    sinks.append(told)
    runner = Runner(engine, recordings, sinks, time.perf_counter_ns)
    for event in baselines:
        runner.process(event)
    measured = Measured(overview, runner, supervisor, loop_lag, lag, losses, writer, recordings)
    book = None
    if plan.alerts is not None and notifier is not None:
        book = AlertBook(plan.alerts, origin.clock, runner, notifier, told.read)
    return _Parts(
        runner, overview, hub, store, measured, engine, book, notifier, told, asyncio.Event()
    )


async def _notifier(
    plan: Plan,
    settings: Settings,
    supervisor: Supervisor,
    now_ns: Callable[[], int],
    stack: AsyncExitStack,
) -> Notifier | None:
    """Who sends alerts on; a replay sends nothing, what it shows is past."""
    if plan.alerts is None:
        return None
    addresses = [one.get_secret_value() for one in settings.notify.services]
    services, troubles = await asyncio.to_thread(open_services, addresses)
    notifier = Notifier(
        services,
        plan.mode,
        troubles,
        guard=supervisor.guard("the notifier"),
        now_ns=now_ns,
    )
    stack.callback(notifier.close)
    return notifier


async def _open_store(plan: Plan, settings: Settings, stack: AsyncExitStack) -> Store:
    if not plan.keeps_store:
        return Store(None, "history off in this mode")
    url = settings.redis.url
    wish = StoreWish(
        folder=plan.data / "redis",
        url=url.get_secret_value() if url is not None else None,
        use_local=settings.redis.use_local,
        time_series=settings.redis.timeseries,
        is_new=plan.mode == "DEMO",
    )
    store = await asyncio.to_thread(open_store, wish)
    stack.callback(store.close)
    if store.url is not None:
        try:
            market = DEMO_MARKET if plan.mode == "DEMO" else REAL_MARKET
            await asyncio.to_thread(claim, store.url, market)
        except LOST as error:
            raise StoreError(f"the store cannot be used: {error}") from error
    return store


def _recordings(
    plan: Plan, settings: Settings, clock: Clock, engine: Engine, guard: Guard
) -> Recordings:
    most_bytes = int(settings.recording.max_gb * 2**30)

    def begin(note: str) -> Recorder:
        now_ns = clock.now_ns()
        header = RecordingHeader(
            decoder=ProtobufDecoder.name,
            broker="upstox",
            account="",
            ticktick=__version__,
            mode=plan.mode,
            started_ns=now_ns,
            settings=plan.settings,
            note="; ".join(filter(None, (plan.note, note))),
        )
        path = recording_path(plan.data / "recordings", now_ns, plan.mode)
        return Recorder(path, header, folder_bytes=most_bytes, guard=guard)

    def history() -> Iterator[HistoryRead | BaselinesRead | RulesRead]:
        yield from engine.microstructure.learned(clock.now_ns())
        for instrument in engine.market.table.instruments:
            minutes = engine.market.candles(instrument.symbol, 1)
            confirmed = tuple(minute for minute in minutes if minute.confirmed)
            yield HistoryRead(clock.now_ns(), instrument.symbol, confirmed)
        alerts = engine.alerts
        yield RulesRead(clock.now_ns(), tuple(alerts.rules), alerts.told)

    return Recordings(begin, history)


def _baselines(plan: Plan, clock: Clock, sinks: list[Sink]) -> list[BaselinesRead]:
    """What was usual on days before, and a sink that keeps what will be.

    A replay has its own in the recording; each demo is a market of its own.
    """
    if plan.mode == "REPLAY":
        return []
    path = plan.data / "baselines.jsonl"
    if plan.mode == "DEMO":
        path.unlink(missing_ok=True)
    kept = BaselineFile(path)
    sinks.append(kept)
    return list(kept.read(clock.now_ns()))


def _market_ns(plan: Plan, origin: Origin) -> Callable[[], int]:
    """Market time by which something is late; nothing of a replay is."""
    return (lambda: 0) if plan.mode == "REPLAY" else origin.clock.now_ns


def _told_file(plan: Plan, engine: Engine) -> ToldFile:
    """What was raised today; each demo is a market of its own."""
    path = plan.data / "alerts_told.json"
    if plan.mode == "DEMO":
        path.unlink(missing_ok=True)
    return ToldFile(path, lambda: engine.alerts.told)


def _recording_works(recordings: Recordings | None) -> Iterator[Work]:
    if recordings is not None:
        yield Work("the recordings", recordings.mend)


def _alert_works(parts: _Parts, note: Callable[[str, str], Awaitable[None]]) -> Iterator[Work]:
    book, notifier = parts.book, parts.notifier
    if book is not None and notifier is not None:
        yield Work("the alert rules", book.watch)
        yield Work("the alerts of the day", parts.told.keep)
        yield Work("the news of services", lambda: _tell_service_news(notifier, note))


async def _tell_service_news(
    notifier: Notifier, note: Callable[[str, str], Awaitable[None]]
) -> None:
    while True:
        for text in notifier.take_news():
            await note("warning", text)
        await asyncio.sleep(_NEWS_EVERY_S)


async def _note(plan: Plan, origin: Origin, runner: Runner, level: str, text: str) -> None:
    """Tell the user; into a replay nothing is mixed that the recording does not hold."""
    if plan.mode == "REPLAY":
        _log.warning(text)
    else:
        await runner.put(NoteTaken(origin.clock.now_ns(), level, text))


async def _tell_news(supervisor: Supervisor, note: Callable[[str, str], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(_NEWS_EVERY_S)
        for news in supervisor.take_news():
            await note(news.level, news.text)


async def _log_performance(runner: Runner) -> None:
    while True:
        await asyncio.sleep(_PERFORMANCE_EVERY_S)
        _performance.info("engine %s waiting=%d", runner.take_pace(), runner.waiting)


async def _give_back_often() -> None:
    while True:
        await asyncio.sleep(_GIVE_BACK_EVERY_S)
        give_back()


async def _tell_when_fresh(overview: Overview, started_s: float, tell: Tell) -> None:
    """Say once how long it took until every symbol had live data, if it did within a minute."""
    while time.monotonic() - started_s < _FRESH_LIMIT_S:
        await asyncio.sleep(_LOOK_EVERY_S)
        feed = overview.feed(overview.stamp().now_ms)
        if feed.total and feed.fresh == feed.total:
            spent_s = time.monotonic() - started_s
            _performance.info("start to %d fresh symbols %.2f s", feed.total, spent_s)
            tell(f"{feed.fresh} of {feed.total} symbols are fresh, {spent_s:.1f} s after the start")
            return


def _listener(plan: Plan, settings: Settings, stack: AsyncExitStack) -> socket | None:
    """The page's port, taken before anything else is started; None without a page."""
    if plan.port is None:
        return None
    listener = listen(settings.web.host, plan.port)
    stack.callback(listener.close)
    return listener


def _page(
    plan: Plan,
    origin: Origin,
    parts: _Parts,
    listener: socket | None,
    stack: AsyncExitStack,
    tell: Tell,
) -> Iterator[Work]:
    """The dashboard's server, announced to the other commands."""
    if listener is None:
        parts.is_ready.set()
        return
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    cli_token = secrets.token_urlsafe(24)
    hide(cli_token)
    # sessions last as long as promised even if this computer's clock is set meanwhile
    wall = MarketClock(time.time_ns(), 1.0, boot_ns)
    sessions = Sessions(cli_token, wall.now_ns)
    announce(plan.server_file, Running(os.getpid(), plan.mode, url, cli_token, parts.store.url))
    stack.callback(withdraw, plan.server_file, os.getpid())
    tell(f"Open {url}/#code={sessions.new_start_code()}")
    steering = origin.steering(parts.runner)

    def make(site: ModuleType) -> "FastAPI":
        made: FastAPI = site.application(
            parts.hub, parts.engine, parts.measured, sessions, steering, parts.book, port
        )
        return made

    page = partial(serve_when_fed, parts.engine.market, make, listener, parts.is_ready)
    yield Work("the page's server", page)


async def _stopped(stop: asyncio.Event, duration_s: float | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(duration_s):
            await stop.wait()
