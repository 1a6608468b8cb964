"""Where a run keeps the user's list: in the workspace's file, or for itself alone."""

from collections.abc import Sequence
from typing import Protocol

from ticktick.domain.watchlist import WatchlistEntry
from ticktick.workspace import Workspace


class Watchlist(Protocol):
    """The user's list; `place` is what a sentence calls it."""

    place: str

    def load(self) -> Sequence[WatchlistEntry]:
        """The entries in their order. Raises ConfigError if they cannot be read."""
        ...

    def save(self, entries: Sequence[WatchlistEntry]) -> None:
        """Replace the entries. Raises ConfigError if they cannot be kept."""
        ...


class FileWatchlist:
    """The list of symbols.json, which the user may also edit while a program runs."""

    place = "symbols.json"

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def load(self) -> Sequence[WatchlistEntry]:
        """Read the file."""
        return self._workspace.load_watchlist()

    def save(self, entries: Sequence[WatchlistEntry]) -> None:
        """Write the file."""
        self._workspace.save_watchlist(entries)


class RunWatchlist:
    """A list that ends with the run; symbols.json stays as it is."""

    place = "the list of this run, not symbols.json,"

    def __init__(self, entries: Sequence[WatchlistEntry]) -> None:
        self._entries = tuple(entries)

    def load(self) -> Sequence[WatchlistEntry]:
        """The entries as they are now."""
        return self._entries

    def save(self, entries: Sequence[WatchlistEntry]) -> None:
        """Keep the entries."""
        self._entries = tuple(entries)
