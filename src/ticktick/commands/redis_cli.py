"""`ticktick redis-cli`: ask the Redis of the running program, in the words of redis-cli."""

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import closing
from typing import Any, Final

import click
from redis.exceptions import RedisError, ResponseError

from ticktick.config import load_settings
from ticktick.errors import ConfigError, StoreError
from ticktick.running import find_running
from ticktick.store.link import LOST, Link, check, masked, sentence
from ticktick.workspace import Workspace, current_workspace

if sys.platform != "win32":
    import readline

_TIMEOUT_S: Final = 30.0
_ENDLESS: Final = ("MONITOR", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "SYNC", "PSYNC")
_AS_IT_IS: Final = ("INFO", "CLIENT", "CLUSTER", "LATENCY", "MEMORY", "LOLWUT")
_STATUS: Final = ("OK", "PONG", "QUEUED")


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: ticktick redis-cli -n 1 TS.RANGE symbol:RELIANCE - + COUNT 5",
)
@click.option("-n", "database", default=0, show_default=True, help="Number of the database.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND...]")
def command(database: int, words: Sequence[str]) -> int:
    """Send COMMAND to the Redis of the running program; without COMMAND, ask for them."""
    url = _address(current_workspace())
    if not words:
        _converse(url, database)
        return 0
    with closing(Link(url, database, _TIMEOUT_S)) as link:
        return _answer(link, words)


def reply_lines(reply: Any, indent: str = "") -> Iterator[str]:
    """A reply as redis-cli prints it: numbered arrays, quoted strings, `(integer)`, `(nil)`."""
    items = _items(reply)
    if items is None:
        yield _single(reply)
        return
    if not items:
        yield "(empty array)"
    width = len(str(len(items)))
    for number, item in enumerate(items, start=1):
        prefix = f"{number:>{width}}) "
        deeper = indent + " " * len(prefix)
        first, *rest = reply_lines(item, deeper)
        yield ("" if number == 1 else indent) + prefix + first
        yield from rest


def _items(reply: Any) -> list[Any] | None:
    if isinstance(reply, Mapping):
        return [word for pair in reply.items() for word in pair]
    if isinstance(reply, Set):
        return sorted(reply)
    return list(reply) if isinstance(reply, (list, tuple)) else None


def _single(reply: Any) -> str:
    match reply:
        case None:
            return "(nil)"
        case bool():
            return "(true)" if reply else "(false)"
        case int():
            return f"(integer) {reply}"
        case float():
            return f"{reply:.17g}" if reply.is_integer() else repr(reply)
        case RedisError():
            return f"(error) {_error_text(reply)}"
        case str() if reply in _STATUS:
            return reply
        case _:
            return '"' + "".join(map(_escaped, str(reply))) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def _error_text(error: RedisError) -> str:
    text = str(error)
    return text if text.split(" ", 1)[0].isupper() else f"ERR {text}"


def _address(workspace: Workspace) -> str:
    """The Redis of the running program, else the one the settings name; it answers."""
    try:
        url = find_running(workspace.server).redis
    except ConfigError:
        configured = load_settings(workspace.toml).redis.url
        if configured is None:
            raise
        check(configured.get_secret_value())
        return configured.get_secret_value()
    if url is None:
        raise StoreError("the running program works from memory; it has no Redis to ask")
    try:
        check(url)
    except StoreError as error:
        raise StoreError(
            f"the Redis of the running program, {masked(url)}, cannot be reached; if the program "
            "was killed, start it again with `ticktick demo` or `ticktick run`"
        ) from error
    return url


def _answer(link: Link, words: Sequence[str]) -> int:
    name = words[0].upper()
    if name in _ENDLESS:
        raise StoreError(f"{name} has no end; use a redis-cli of your own for it")
    try:
        reply = link.ask(*words)
    except ResponseError as error:
        click.echo(_single(error))
        return 1
    except LOST as error:
        raise StoreError(f"Redis at {masked(link.url)} {sentence(error)}") from error
    if name in _AS_IT_IS and isinstance(reply, str):
        click.echo(reply)
    else:
        click.echo("\n".join(reply_lines(reply)))
    return 0


def _converse(url: str, database: int) -> None:
    if sys.platform != "win32":
        readline.set_auto_history(True)
    while True:
        with closing(Link(url, database, _TIMEOUT_S)) as link:
            chosen = _until_select(link, f"redis[{database}]> ")
        if chosen is None:
            return
        database = chosen


def _until_select(link: Link, prompt: str) -> int | None:
    """Answer lines until another database is selected; None when there are no more."""
    while True:
        match _next_words(prompt):
            case None | ["quit" | "exit" | "QUIT" | "EXIT"]:
                return None
            case ["select" | "SELECT", number] if number.isdecimal():
                click.echo("OK")
                return int(number)
            case []:
                continue
            case words:
                _answer_or_explain(link, words)


def _next_words(prompt: str) -> list[str] | None:
    while True:
        try:
            return shlex.split(input(prompt if sys.stdin.isatty() else ""))
        except EOFError:
            return None
        except ValueError as error:
            click.echo(f"(error) {error}")


def _answer_or_explain(link: Link, words: Sequence[str]) -> None:
    try:
        _answer(link, words)
    except StoreError as error:
        click.echo(f"(error) {error}")
