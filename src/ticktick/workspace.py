"""The user's folder: which one it is, what lies where in it, and the watchlist it holds."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from msgspec import Struct

from ticktick.domain.watchlist import WatchlistEntry
from ticktick.errors import ConfigError

_ENTRY_FIELDS = ("name", "instrument_key", "symbol")
_PRIVATE_FOLDER = 0o700


class Workspace(Struct, frozen=True):
    """The places of one workspace; a path may not exist yet."""

    root: Path

    @property
    def symbols(self) -> Path:
        """The watchlist."""
        return self.root / "symbols.json"

    @property
    def toml(self) -> Path:
        """The settings; optional."""
        return self.root / "ticktick.toml"

    @property
    def alerts(self) -> Path:
        """The alert rules; optional."""
        return self.root / "alerts.json"

    @property
    def credentials(self) -> Path:
        """Key, secret and token of the broker: only the owner may read it."""
        return self.root / "authentication" / "credentials.json"

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.root / "logs"

    @property
    def data(self) -> Path:
        """Folder of whatever the program keeps."""
        return self.root / "data"

    @property
    def server(self) -> Path:
        """What the running program tells the other commands; there while it runs."""
        return self.data / "server.json"

    @property
    def recordings(self) -> Path:
        """Folder of the recordings."""
        return self.data / "recordings"

    @property
    def redis(self) -> Path:
        """Folder of our own Redis."""
        return self.data / "redis"

    @property
    def master(self) -> Path:
        """The newest instrument master of NSE, as the broker served it."""
        return self.data / "instruments" / "NSE.json.gz"

    def load_watchlist(self) -> list[WatchlistEntry]:
        """The entries of symbols.json in its order.

        Raises ConfigError naming the file, the place, what was found and what is expected.
        """
        return _unique(self.symbols, _entries(self.symbols, _read_json(self.symbols)))

    def save_watchlist(self, entries: Sequence[WatchlistEntry]) -> None:
        """Replace symbols.json as a whole, never leaving half a file behind.

        Raises ConfigError when a name, key or symbol occurs twice, or the file cannot be written.
        """
        _unique(self.symbols, entries)
        lines = ",\n".join(f"    {json.dumps(_plain(e), ensure_ascii=False)}" for e in entries)
        fresh = self.symbols.with_suffix(".json.new")
        try:
            fresh.write_text(f'{{\n  "symbols": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
            fresh.replace(self.symbols)
        except OSError as error:
            raise ConfigError(f"{self.symbols} cannot be written: {error.strerror}") from error


def current_workspace() -> Workspace:
    """The workspace of this process; see `open_workspace`."""
    return open_workspace(os.environ, Path.cwd(), Path("~"))


def open_workspace(environ: Mapping[str, str], here: Path, home: Path) -> Workspace:
    """Find the workspace and create what it lacks.

    It is $TICKTICK_HOME, else `here` if that holds symbols.json, else `.ticktick` in `home`.
    Raises ConfigError if the folder cannot be written.
    """
    workspace = Workspace(_root(environ, here, home))
    try:
        for folder in (workspace.root, workspace.logs, workspace.data):
            folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        if not workspace.symbols.exists():
            workspace.symbols.write_bytes(_shipped_watchlist())
    except OSError as error:
        raise ConfigError(
            f"the workspace {workspace.root} cannot be written ({error.strerror}): "
            "set TICKTICK_HOME to a folder of yours"
        ) from error
    return workspace


def _root(environ: Mapping[str, str], here: Path, home: Path) -> Path:
    if chosen := environ.get("TICKTICK_HOME"):
        return Path(chosen).expanduser().absolute()
    return here if (here / "symbols.json").exists() else home.expanduser() / ".ticktick"


def _shipped_watchlist() -> bytes:
    return resources.files("ticktick").joinpath("symbols.json").read_bytes()


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}, byte {error.start}: found bytes that are no text, expected UTF-8"
        ) from error
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}, line {error.lineno}, column {error.colno}: this is not JSON ({error.msg})"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: this is no watchlist ({error})") from error


def _entries(path: Path, content: Any) -> Iterable[WatchlistEntry]:
    entries = content.get("symbols") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ConfigError(
            f'{path}: found {_kind(content)}, expected {{"symbols": [...]}} with a list of entries'
        )
    for number, entry in enumerate(entries, 1):
        try:
            yield _entry(entry)
        except ValueError as error:
            raise ConfigError(f"{path}, entry {number}: {error}") from error


def _entry(entry: Any) -> WatchlistEntry:
    fields = entry if isinstance(entry, dict) else None
    if fields is None:
        raise ValueError(f'found {_kind(entry)}, expected {{"name": ..., "instrument_key": ...}}')
    for field in fields:
        if field not in _ENTRY_FIELDS:
            raise ValueError(f"found the field {field!r:.80}, expected {', '.join(_ENTRY_FIELDS)}")
    for field in _ENTRY_FIELDS:
        value = fields.get(field)
        if not isinstance(value, str) and (field != "symbol" or value is not None):
            raise ValueError(f"{field} is {_kind(value)}, expected a text")
    return WatchlistEntry(fields["name"], fields["instrument_key"], fields.get("symbol"))


def _unique(path: Path, entries: Iterable[WatchlistEntry]) -> list[WatchlistEntry]:
    seen: dict[tuple[str, str], int] = {}
    result: list[WatchlistEntry] = []
    for number, entry in enumerate(entries, 1):
        for field in _ENTRY_FIELDS:
            value = getattr(entry, field)
            first = seen.setdefault((field, str(value).casefold()), number)
            if value is not None and first != number:
                raise ConfigError(
                    f"{path}, entry {number}: {field} {value!r} is already in entry {first}, "
                    "expected each once"
                )
        result.append(entry)
    return result


def _plain(entry: WatchlistEntry) -> dict[str, str]:
    fields = {field: getattr(entry, field) for field in _ENTRY_FIELDS}
    return {field: value for field, value in fields.items() if value is not None}


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool() | int() | float():
            return f"{value!r:.40}"
        case str():
            return f"the text {value!r:.80}"
        case dict():
            fields = ", ".join(value) or "none"
            return f"an object with the fields {fields!r:.80}"
        case _:
            return "a list"
