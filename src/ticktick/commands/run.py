"""`ticktick run`: watch the list on Upstox, read only."""

from pathlib import Path

import click

from ticktick.commands import options
from ticktick.commands.broker import view


@click.command(epilog="Example: ticktick run --no-browser")
@click.option("--mode", type=click.Choice(["view"]), default="view", show_default=True)
@options.port
@options.duration
@options.no_browser
@options.outputs
def command(
    mode: str, port: int | None, duration: float | None, no_browser: bool, outputs: Path | None
) -> None:
    """Watch your list live on Upstox in the browser: read only, it cannot order.

    Needs a login of today: see `ticktick login`.
    """
    view(
        has_page=True,
        port=port,
        opens_browser=not no_browser,
        duration_s=duration,
        outputs=outputs,
    )
