"""Which address is answered by what, and who may ask."""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from ticktick.emulator.answers import Refused, Request, Response

Answer = Callable[..., Response]
"""Answers a request; the parts of the path come after it."""


class Access(StrEnum):
    """Who may ask: anybody, any token, or the daily token of the account's owner alone."""

    ANYBODY = "anybody"
    READER = "reader"
    OWNER = "owner"


class Route(NamedTuple):
    """A method and a path (a regular expression whose groups are its parts)."""

    method: str
    path: re.Pattern[str]
    access: Access
    answer: Answer


def route(method: str, path: str, access: Access, answer: Answer) -> Route:
    """A route of a path given as a text."""
    return Route(method, re.compile(path), access, answer)


def found(routes: Sequence[Route], request: Request) -> tuple[Route, tuple[str, ...]]:
    """The first route that fits, and the parts of its path.

    Raises Refused if there is none.
    """
    known_path = False
    for one in routes:
        parts = one.path.fullmatch(request.path)
        if parts is not None and one.method == request.method:
            return one, parts.groups()
        known_path = known_path or parts is not None
    if known_path:
        raise Refused("UDAPI100012", "Invalid request", 405)
    raise Refused("UDAPI100060", "Resource not Found.", 404)
