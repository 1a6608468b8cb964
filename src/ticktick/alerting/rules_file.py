"""The user's alert rules: `alerts.json` of the workspace.

What is wrong with one entry costs that entry alone: it stays in the file as it was written, and a
sentence says what to do about it.
"""

import json
import os
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ticktick.domain.alert import MOST_ID, MOST_RULES, Comparison, Level, Rule
from ticktick.engine.alerts.sources import source_of
from ticktick.errors import ConfigError

_NAME: Final = "alerts.json"
_FIELDS: Final = tuple(name for name in Rule.__struct_fields__ if name != "snoozed_until_ns")
_EXPECTED: Final = {
    "id": f"a whole number from 1 to {MOST_ID}",
    "symbol": "a trading symbol such as 'RELIANCE', or '*'",
    "source": "a name that `ticktick alerts sources` lists",
    "comparison": f"one of {', '.join(Comparison)}",
    "threshold": "a number or a word",
    "hysteresis": "a number from 0",
    "cooldown_s": "whole seconds",
    "level": f"one of {', '.join(Level)}",
}


class RulesFile(Struct, frozen=True):
    """What the file holds: `entries` as written, with an id each, and the `rules` they are.

    `troubles` are sentences about entries that are no rule.
    """

    entries: tuple[Any, ...] = ()
    rules: tuple[Rule, ...] = ()
    troubles: tuple[str, ...] = ()

    def rule(self, rule_id: int) -> Rule:
        """The rule of that id. Raises ConfigError if there is none."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise ConfigError(f"there is no alert {rule_id}; `ticktick alerts list` shows them")


def load_rules(path: Path) -> RulesFile:
    """Read the file, which may be absent.

    Raises ConfigError in a sentence if it is no such file at all.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return RulesFile()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: found bytes that are no text, expected UTF-8") from error
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}, line {error.lineno}, column {error.colno}: this is not JSON ({error.msg})"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: these are no alerts ({error})") from error
    entries = content.get("alerts") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ConfigError(f'{path}: expected {{"alerts": [...]}} with a list of alerts')
    return _read(entries)


def save_rules(path: Path, file: RulesFile) -> None:
    """Replace the file as a whole, readable by its owner only.

    Raises ConfigError if it cannot be written.
    """
    lines = ",\n".join(f"    {json.dumps(entry, ensure_ascii=False)}" for entry in file.entries)
    fresh = path.with_suffix(".json.new")
    try:
        fresh.unlink(missing_ok=True)
        opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(opened, "w", encoding="utf-8", errors="backslashreplace") as text:
            text.write(f'{{\n  "alerts": [\n{lines}\n  ]\n}}\n')
        fresh.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error


def with_new(file: RulesFile, wish: Rule) -> tuple[RulesFile, Rule]:
    """The file with one rule more, under a new id, and that rule.

    Raises ConfigError if it cannot be, or the file is full.
    """
    if len(file.entries) >= MOST_RULES:
        raise ConfigError(f"there are {MOST_RULES} alerts, the most there may be: remove one first")
    ids = {entry["id"] for entry in file.entries if _has_id(entry)}
    newest = max((each for each in ids if 0 < each <= MOST_ID), default=0)
    free = newest + 1 if newest < MOST_ID else next(n for n in count(1) if n not in ids)
    rule = checked(replace(wish, id=free))
    return _read([*file.entries, plain(rule)]), rule


def with_changed(file: RulesFile, rule: Rule) -> RulesFile:
    """The file with another rule under an id it has. Raises ConfigError if it cannot be."""
    file.rule(rule.id)
    entry = plain(checked(rule))
    return _read([entry if _is(one, rule.id) else one for one in file.entries])


def without(file: RulesFile, rule_id: int) -> tuple[RulesFile, Rule]:
    """The file without a rule, and that rule. Raises ConfigError if there is none."""
    gone = file.rule(rule_id)
    return _read([one for one in file.entries if not _is(one, rule_id)]), gone


def checked(rule: Rule) -> Rule:
    """The rule itself. Raises ConfigError in a sentence if its parts do not fit."""
    try:
        source_of(rule)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return rule


def rule_from(fields: Mapping[str, Any]) -> Rule:
    """A rule from plain fields.

    Raises ValueError: which field, what was found, what is expected.
    """
    for field in fields:
        if field not in _FIELDS:
            raise ValueError(f"found the field {field!r:.60}, expected {', '.join(_FIELDS)}")
    try:
        rule = msgspec.convert(dict(fields), Rule)
    except msgspec.ValidationError as error:
        raise ValueError(_sentence(str(error), fields)) from error
    source_of(rule)
    return rule


def plain(rule: Rule) -> dict[str, Any]:
    """The rule as it is written: what differs from the defaults."""
    fields: dict[str, Any] = msgspec.to_builtins(rule)
    fields.pop("snoozed_until_ns", None)
    return fields


def _read(written: Sequence[Any]) -> RulesFile:
    entries, rules, troubles = list[Any](), list[Rule](), list[str]()
    taken = {entry["id"] for entry in written if _has_id(entry)}
    seen = set[int]()
    for place, entry in enumerate(written, 1):
        if isinstance(entry, dict) and "id" not in entry:
            free = next(number for number in range(1, len(written) + 2) if number not in taken)
            taken.add(free)
            entry = {"id": free, **entry}
        entries.append(entry)
        try:
            rule = _rule(entry, seen)
        except ValueError as error:
            troubles.append(
                f"{_NAME}, entry {place} is not used: {error}; mend or remove it, the others work"
            )
            continue
        seen.add(rule.id)
        rules.append(rule)
    return RulesFile(tuple(entries), tuple(rules), tuple(troubles))


def _rule(entry: Any, seen: set[int]) -> Rule:
    if not isinstance(entry, dict):
        raise ValueError('expected {"symbol": ..., "source": ..., ...}')  # noqa: TRY004
    rule = rule_from(entry)
    if rule.id in seen:
        raise ValueError(f"id is {rule.id}, which an earlier entry has")
    if len(seen) >= MOST_RULES:
        raise ValueError(f"{MOST_RULES} alerts are the most there may be")
    return rule


def _sentence(message: str, fields: Mapping[str, Any]) -> str:
    """What msgspec says, in our words where it is about a field we know."""
    field = message.partition("`$.")[2].rstrip("`")
    if "missing required field" in message:
        field = message.partition("field `")[2].rstrip("`")
        return f"{field} is missing, expected {_EXPECTED.get(field, 'a value')}"
    if not field:
        return message
    found = fields.get(field)
    return f"{field} is {found!r:.60}, expected {_EXPECTED.get(field, 'true or false')}"


def _has_id(entry: Any) -> bool:
    return isinstance(entry, dict) and type(entry.get("id")) is int


def _is(entry: Any, rule_id: int) -> bool:
    return _has_id(entry) and entry["id"] == rule_id
