"""`ticktick replay`: the events of a recording through the same engine."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from ticktick.app import Plan, new_engine
from ticktick.commands import options
from ticktick.commands.live import until_stopped, watch_and_show
from ticktick.commands.show import show_symbols
from ticktick.config import load_settings
from ticktick.domain.clock import NS_PER_MS
from ticktick.origin.ports import event_ns
from ticktick.origin.recording import RecordingOrigin
from ticktick.store.outputs import OutputLog
from ticktick.store.recording import Recording, read_recording
from ticktick.web.status import symbol_statuses, watched_rows
from ticktick.workspace import current_workspace

_FASTEST = "max"


@click.command(epilog="Example: ticktick replay data/demo/recordings/DAY_demo.ttrec --speed 10")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--speed",
    default=_FASTEST,
    show_default=True,
    metavar="X|max",
    help="Show it at so many market seconds per second, or only compute, as fast as it goes.",
)
@options.port
@options.duration
@options.no_browser
@options.outputs
def command(
    file: Path,
    speed: str,
    port: int | None,
    duration: float | None,
    no_browser: bool,
    outputs: Path | None,
) -> None:
    """Play a recording through the engine: the outputs are those of the recorded run."""
    recording = read_recording(file)
    if recording.note:
        click.echo(recording.note, err=True)
    if speed == _FASTEST:
        _compute(recording, outputs)
        return
    workspace = current_workspace()
    settings = load_settings(workspace.toml)
    plan = Plan(
        mode="REPLAY",
        settings=recording.header.settings,
        data=workspace.data,
        server_file=workspace.server,
        records=False,
        keeps_store=False,
        port=settings.web.port if port is None else port,
        duration_s=duration,
        outputs=outputs,
    )
    origin = RecordingOrigin(recording, _rate(speed))

    async def run(stop: asyncio.Event) -> None:
        await watch_and_show(plan, settings, origin, stop, opens_browser=not no_browser)

    until_stopped(workspace, run)


def _compute(recording: Recording, outputs: Path | None) -> None:
    """The engine alone, with a progress bar on the terminal, and the last state of each symbol."""
    engine = new_engine(recording.header.settings)
    at_ns = recording.header.started_ns
    with ExitStack() as stack:
        log = None
        if outputs is not None:
            log = OutputLog(outputs, engine.market)
            stack.callback(log.close)
        events = track(
            recording,
            total=recording.events,
            description=recording.path.name,
            console=Console(stderr=True),
        )
        for event in events:
            out = engine.process(event)
            at_ns = event_ns(event)
            if log is not None:
                log.take(out)
    click.echo(f"REPLAY ended after {recording.events} events")
    market = engine.market
    told = symbol_statuses(market, watched_rows(market), at_ns // NS_PER_MS)
    show_symbols([symbol.model_dump() for symbol in told])


def _rate(speed: str) -> float:
    try:
        rate = float(speed)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise click.BadParameter(
            f"{speed!r} is neither a number above 0 nor max", param_hint="--speed"
        )
    return rate
