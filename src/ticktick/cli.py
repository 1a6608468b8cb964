"""The command line: `ticktick COMMAND`, each command a module loaded only when it is asked for."""

import gc
import os
import sys
import threading
from collections.abc import Sequence
from importlib import import_module

import click

from ticktick import __version__
from ticktick.errors import TickTickError
from ticktick.logs import ConsoleLog, print_crash
from ticktick.redact import redact

SUMMARIES = {
    "demo": "Watch a live market of the built-in exchange, no account needed.",
    "run": "Watch your list on Upstox, read only.",
    "login": "Get today's access token from Upstox.",
    "status": "Show what the running program knows of each symbol.",
    "symbols": "Show and change the watchlist.",
    "alerts": "Show and change what you want to be told of.",
    "window": "Show or export the last 300 updates of a symbol.",
    "indicators": "Show the indicators of a symbol, or of a file of candles.",
    "patterns": "Show the candlestick patterns of the day, or of a file.",
    "history": "Read and show the latest candles of the broker.",
    "record": "Record the feed without showing it.",
    "replay": "Play a recording through the same engine.",
    "emulator": "Serve the built-in exchange to any Upstox client.",
    "redis-cli": "Ask the running program's Redis.",
    "logs": "Manage the log files.",
    "doctor": "Check what the program needs, and say what to do.",
}

DONE, FAILED, INTERRUPTED = 0, 1, 130


class CommandTable(click.Group):
    """Knows every command by name and summary, and imports the one that is invoked."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUMMARIES:
            return None
        module = import_module(f"ticktick.commands.{cmd_name.replace('-', '_')}")
        if not gc.isenabled():  # as `main` wants it: what was imported stays for ever
            gc.freeze()
            gc.enable()
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.command(
    cls=CommandTable,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: ticktick demo",
)
@click.version_option(__version__, prog_name="ticktick", message="%(prog)s %(version)s")
def commands() -> None:
    """Real-time stock monitor for Indian day traders."""


def main() -> None:
    """Run the command line and leave with 0 done, 1 failed, 2 wrong use, 130 interrupted."""
    gc.disable()  # until the command is imported: looking for garbage meanwhile finds none
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.excepthook = print_crash
    threading.excepthook = lambda crash: print_crash(
        crash.exc_type, crash.exc_value, crash.exc_traceback
    )
    with ConsoleLog(sys.stderr):
        sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; why it failed goes to stderr, in a sentence."""
    try:
        return _invoke(arguments)
    except TickTickError as error:
        return _fail(str(error))
    except ExceptionGroup as group:
        expected, unexpected = group.split(TickTickError)
        if expected is None or unexpected is not None:
            raise
        return _fail(*_sentences(expected))
    except OSError as error:
        if error.filename is None:
            raise
        return _fail(f"{error.filename} cannot be used: {error.strerror}")


def _invoke(arguments: Sequence[str]) -> int:
    try:
        result = commands.main(arguments, prog_name="ticktick", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    return result if isinstance(result, int) else DONE


def _fail(*sentences: str) -> int:
    for sentence in sentences:
        click.echo(f"Error: {redact(sentence)}", err=True)
    return FAILED


def _sentences(group: ExceptionGroup[TickTickError]) -> list[str]:
    sentences: list[str] = []
    for error in group.exceptions:
        sentences += _sentences(error) if isinstance(error, ExceptionGroup) else [str(error)]
    return list(dict.fromkeys(sentences))
