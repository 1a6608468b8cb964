"""The socket on which the page waits for browsers: loopback only, a sentence when it cannot."""

import errno
import os
import socket
from typing import Final

from ticktick.errors import ConfigError

_LOOPBACK: Final = {
    "localhost": socket.AF_INET,
    "127.0.0.1": socket.AF_INET,
    "::1": socket.AF_INET6,
}
_SEND_BUFFER_BYTES: Final = 256 * 1024
_UNREAD_LIMIT_MS: Final = 15_000


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for browsers of this machine; port 0 takes a free one.

    Raises ConfigError if the host is not this machine's loopback, or the port cannot be had.
    """
    family = _LOOPBACK.get(host)
    if family is None:
        raise ConfigError(
            f"cannot serve the page on {host}: other machines could reach it, and that needs TLS "
            "and a password, which Tick-Tick does not have yet; use 127.0.0.1"
        )
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere it would let two programs share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _limit_unread(listener)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise ConfigError(_why_not(host, port, error)) from error
    return listener


def _limit_unread(listener: socket.socket) -> None:
    """Bound what a browser may leave unread; every accepted connection inherits this."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_LIMIT_MS)


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use: stop the program that has it, "
            "or choose another with --port"
        )
    return f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port"
