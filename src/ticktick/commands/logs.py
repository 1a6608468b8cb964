"""`ticktick logs`: where the log files are, how large, and how to empty them."""

from pathlib import Path

import click

from ticktick.logs import log_files
from ticktick.workspace import current_workspace


@click.group(
    invoke_without_command=True,
    short_help="Manage the log files.",
    epilog="Example: ticktick logs clear",
)
@click.pass_context
def command(context: click.Context) -> None:
    """List the log files of the workspace and their sizes.

    Follow them with `tail -F`, search them with `grep`: one line holds one record.
    """
    if context.invoked_subcommand is None:
        folder = current_workspace().logs
        for path in log_files(folder):
            click.echo(f"{path}  {_size(path.stat().st_size)}")
        click.echo(f"Follow: tail -F '{folder / 'system.log'}'")


@command.command(epilog="Example: ticktick logs clear")
def clear() -> None:
    """Empty the current log files and delete the older ones.

    It is safe while the program runs: it goes on writing into the emptied files.
    """
    paths = log_files(current_workspace().logs)
    freed = sum(_empty(path) for path in paths)
    click.echo(f"Cleared {len(paths)} log files, {_size(freed)}.")


def _empty(path: Path) -> int:
    """Bytes freed; a file whose name holds a number is an older one."""
    size = path.stat().st_size
    if path.suffixes == [".log"]:
        with path.open("r+b") as file:
            file.truncate()
    else:
        path.unlink()
    return size


def _size(count: int) -> str:
    for unit, width in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= width:
            return f"{count / width:.1f} {unit}"
    return f"{count} bytes"
