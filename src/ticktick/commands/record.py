"""`ticktick record`: keep the feed in a recording, without page and Redis."""

import click

from ticktick.commands import options
from ticktick.commands.broker import view


@click.command(epilog="Example: ticktick record --duration 600")
@options.duration
def command(duration: float | None) -> None:
    """Record your list's feed from Upstox into data/recordings of the workspace.

    `ticktick run` and `ticktick demo` record as well; this command only records.
    """
    view(has_page=False, duration_s=duration)
