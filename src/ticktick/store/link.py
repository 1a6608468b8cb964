"""One blocking connection to one database of Redis or Valkey, and its troubles in plain words."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from redis.backoff import NoBackoff
from redis.connection import Connection, parse_url
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from ticktick.errors import ConfigError, StoreError

Word = str | int | float | bytes
Command = Sequence[Word]
Entry = Command | Callable[[int], Command]
"""A command, or what makes it of the moment in ns of market time at which it is written."""

LOST: Final = (RedisError, OSError)
_OPTIONS: Callable[[str], dict[str, Any]] = parse_url


class Link:
    """A connection that opens when it is first used; no two threads may share it.

    Replies come as RESP3 gives them, untouched. After an error on the way the connection is
    closed, so that no answer is ever taken for another's; the next call opens it again.
    Raises ConfigError if the address cannot be one.
    """

    def __init__(self, url: str, database: int = 0, timeout_s: float = 2.0) -> None:
        try:
            options = _OPTIONS(url)
        except ValueError as error:
            raise ConfigError(
                f"{masked(url)} is not an address of Redis; write it like redis://127.0.0.1:6379"
            ) from error
        kind: Any = options.pop("connection_class", Connection)
        options |= {
            "db": database,
            "protocol": 3,
            "decode_responses": True,
            "encoding_errors": "replace",
            "socket_timeout": timeout_s,
            "socket_connect_timeout": timeout_s,
            "retry": Retry(NoBackoff(), 0),
        }
        self.url = url
        self._connection = kind(**options)

    def ask(self, *words: Word) -> Any:
        """Send one command and return its reply. Raises RedisError or OSError."""
        reply = self.ask_all([words])[0]
        if isinstance(reply, RedisError):
            raise reply
        return reply

    def ask_all(self, commands: Iterable[Command]) -> list[Any]:
        """Send commands together; a refused one has its ResponseError as its reply.

        Raises RedisError or OSError when the connection fails on the way.
        """
        listed, connection = list(commands), self._connection
        return self.ask_packed(connection.pack_commands(listed), len(listed))

    def ask_packed(self, commands: Sequence[bytes], count: int) -> list[Any]:
        """As `ask_all`, of so many commands in the protocol's own form, in pieces."""
        whole = False
        try:
            connection: Any = self._connection
            connection.connect()
            connection.send_packed_command(commands)
            replies = [self._reply() for _ in range(count)]
            whole = True
        finally:
            if not whole:
                self.close()
        return replies

    def close(self) -> None:
        """Close the connection."""
        self._connection.disconnect()

    def _reply(self) -> Any:
        try:
            return self._connection.read_response()
        except ResponseError as error:
            return error


def require(replies: Iterable[object], *accepted: str) -> None:
    """Raise the first error among the replies that does not contain one of these texts."""
    for reply in replies:
        if isinstance(reply, RedisError) and not any(text in str(reply) for text in accepted):
            raise reply


def check(url: str) -> None:
    """Ask the server for a sign of life.

    Raises ConfigError if it refuses the password, StoreError if it cannot be used.
    """
    link = Link(url)
    try:
        link.ask("PING")
    except (AuthenticationError, NoPermissionError) as error:
        raise ConfigError(f"Redis at {masked(url)} {sentence(error)}") from error
    except LOST as error:
        raise StoreError(f"Redis at {masked(url)} {sentence(error)}") from error
    finally:
        link.close()


def sentence(error: Exception) -> str:
    """What is wrong and what to do, to follow the words "Redis at ..."."""
    text = str(error)
    match error:
        case AuthenticationError() if "HELLO" in text or "required" in text:
            return "wants a password; write it into REDIS_URL"
        case AuthenticationError():
            return "refuses the password; correct REDIS_URL"
        case NoPermissionError():
            return "does not permit this user what Tick-Tick needs; give it more rights"
        case OutOfMemoryError():
            return "is out of memory; raise its maxmemory"
        case ReadOnlyError():
            return "is a read-only copy; name the main server in REDIS_URL"
        case ResponseError() if text.startswith("MISCONF"):
            return "cannot write to its disk; free some space"
        case ResponseError():
            return f"refuses to work: {text}"
        case RedisTimeoutError() | TimeoutError():
            return "does not answer in time"
        case _:
            return f"cannot be reached ({_reason(error)}); start it or correct REDIS_URL"


def masked(url: str) -> str:
    """The address without its password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    if "@" not in parts.netloc:
        return urlunsplit(parts._replace(query=""))
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2], query=""))


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error.__context__ or error
    return (cause.strerror if isinstance(cause, OSError) else None) or str(error)
