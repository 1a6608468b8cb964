"""The report of a survey of the broker: a file that may be shown to anybody."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from ticktick import __version__
from ticktick.brokers.upstox.auth import token_claims
from ticktick.brokers.upstox.survey.private import masked, of_claims
from ticktick.brokers.upstox.survey.subject import Subject
from ticktick.brokers.upstox.survey.verdict import Result
from ticktick.checkup import machine
from ticktick.domain.clock import iso_ist, ist
from ticktick.errors import StoreError
from ticktick.redact import safe

_SCHEMA: Final = 1


def report(subject: Subject, results: Sequence[Result], listen_s: float) -> dict[str, Any]:
    """Everything a reader needs who was not there, and nothing about the account's owner."""
    hosts = subject.asker.hosts
    content = {
        "schema": _SCHEMA,
        "version": __version__,
        "made_at": iso_ist(subject.clock.now_ns()),
        "broker": "an exchange on this machine" if hosts.is_loopback else "Upstox",
        "system": machine.system(),
        "plan": "plus" if subject.is_plus else "standard",
        "listened_s": listen_s,
        "counts": Counter(result.verdict for result in results),
        "results": results,
        "asked": subject.asker.asked,
    }
    told: dict[str, Any] = _clean(msgspec.to_builtins(content), _private(subject))
    return told


def write_report(folder: Path, subject: Subject, content: dict[str, Any]) -> Path:
    """Keep the report for its owner alone, named by its time.

    Raises StoreError if it cannot be written, or would tell anything private after all.
    """
    text = json.dumps(content, indent=1, ensure_ascii=False)
    if any(value in text for value in _private(subject) if len(value) >= _TELLING):
        raise StoreError("the report was not kept: it would have told something private; tell us")
    path = folder / f"doctor-live_{ist(subject.clock.now_ns()):%Y-%m-%d_%H%M%S}.json"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise StoreError(f"cannot write the report {path}: {error.strerror}") from error
    return path


def shown(result: Result, subject: Subject) -> str:
    """One line of the survey for people, as clean as the report."""
    text = f"{result.verdict:<8} {result.name:<24} {result.expected}: {result.found}"
    return safe(masked(text, _private(subject)))


def _private(subject: Subject) -> set[str]:
    owner = subject.asker.owner
    claims = [subject.claims, *([token_claims(owner)] if owner else [])]
    return {*subject.asker.private, *(value for one in claims for value in of_claims(one))}


def _clean(content: Any, private: Iterable[str]) -> Any:
    match content:
        case dict():
            return {safe(str(name)): _clean(value, private) for name, value in content.items()}
        case list() | tuple():
            return [_clean(value, private) for value in content]
        case str():
            return safe(masked(content, private))
    return content


_TELLING: Final = 6
