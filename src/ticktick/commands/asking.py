"""Asking the program that runs in the workspace, over loopback with its own key."""

import json
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any, Final

import msgspec

from ticktick.errors import ConfigError
from ticktick.running import Running

_TIMEOUT_S: Final = 10.0


class NoAnswer(ConfigError):
    """The program announced itself and nobody is there any more: it was killed."""


def ask(running: Running, path: str, body: Any = None, method: str | None = None) -> bytes:
    """What the running program answers, JSON; a body makes it a POST.

    Raises NoAnswer if nobody is there, ConfigError if it is too slow, or with its own sentence
    if it refuses.
    """
    request = urllib.request.Request(  # noqa: S310
        running.url + path,
        None if body is None else msgspec.json.encode(body),
        {"Authorization": f"Bearer {running.token}", "Content-Type": "application/json"},
        method=method,
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=_TIMEOUT_S) as answer:
            said: bytes = answer.read()
            return said
    except urllib.error.HTTPError as error:
        raise ConfigError(_sentence(error)) from error
    except (OSError, HTTPException) as error:
        if isinstance(getattr(error, "reason", error), TimeoutError):
            raise ConfigError(
                f"the running program did not answer within {_TIMEOUT_S:.0f} s: this computer is "
                "too busy; what was asked for may have been done"
            ) from error
        raise NoAnswer(
            "the program that runs in this workspace does not answer; "
            "if it was killed, start it again with `ticktick demo` or `ticktick run`"
        ) from error


def _sentence(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"the running program refused with HTTP {error.code}"
