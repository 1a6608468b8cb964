"""One feed connection: what it asked for, and the frames it gets."""

from collections.abc import Collection

import msgspec
from msgspec import Struct

from ticktick.domain.clock import NS_PER_MS
from ticktick.emulator.limits import admitted
from ticktick.emulator.modes import DEEP_MODE, DEFAULT_MODE, MODES, told
from ticktick.emulator.source import Source, Update
from ticktick.emulator.switches import Switches
from ticktick.proto.MarketDataFeed_pb2 import Feed, FeedResponse, Type


class _Wish(Struct):
    instrument_keys: list[str] = msgspec.field(name="instrumentKeys", default_factory=list)
    mode: str | None = None


class _Message(Struct):
    method: str
    data: _Wish
    guid: str = ""


class FeedConnection:
    """A market feed socket as the exchange sees it: binary messages in, binary frames out."""

    def __init__(self, source: Source, switches: Switches) -> None:
        self.source = source
        self._switches = switches
        self._refusal: str | None = None
        self._modes: dict[str, str] = {}
        self.ignored = 0

    @property
    def keys(self) -> Collection[str]:
        """The instruments it gets updates of."""
        return self._modes

    @property
    def deep_keys(self) -> list[str]:
        """Those of which it gets every level of the book."""
        return [key for key, mode in self._modes.items() if mode == DEEP_MODE]

    def on_message(self, data: bytes) -> bytes | None:
        """Take a subscription message; the answer is a snapshot of its keys, or nothing.

        Messages that cannot be read, unknown modes and unknown keys are ignored.
        """
        try:
            message = msgspec.json.decode(data, type=_Message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.ignored += 1
            return None
        keys = [key for key in message.data.instrument_keys if self._lists(key)]
        unlisted = len(message.data.instrument_keys) - len(keys)
        if unlisted and self._switches.is_on("feed.unknown_keys_told"):
            self._refusal = _failed(f"{unlisted} instrument keys are not listed")
        if message.method == "unsub":
            for key in keys:
                self._modes.pop(key, None)
            return None
        return self._subscribe(message, keys)

    def take_refusal(self) -> str | None:
        """The text frame that the latest message earned, if any; told once."""
        refusal, self._refusal = self._refusal, None
        return refusal

    def frame(self, update: Update) -> bytes | None:
        """The live frame of an update; None if nothing in it was asked for."""
        sent_ns = update.at_ns if update.sent_ns is None else update.sent_ns
        response = FeedResponse(type=update.type, currentTs=sent_ns // NS_PER_MS)
        is_partial = self._switches.is_on("feed.partial_packets")
        for key, feed in update.feeds.items():
            mode = self._modes.get(key)
            if mode is not None:
                whole = None if is_partial else self.source.snapshot(key, mode == DEEP_MODE)
                _add(response, key, whole or feed, mode)
        return response.SerializeToString(deterministic=True) if response.feeds else None

    def _subscribe(self, message: _Message, keys: list[str]) -> bytes | None:
        mode = message.data.mode
        if message.method == "sub" and mode is None:
            mode = DEFAULT_MODE
        if mode not in MODES or message.method not in ("sub", "change_mode"):
            self.ignored += 1
            return None
        if message.method == "change_mode":
            keys = [key for key in keys if key in self._modes]
        keys = self._admitted(keys, mode)
        self._modes |= dict.fromkeys(keys, mode)
        return self._snapshot(keys)

    def _admitted(self, keys: list[str], mode: str) -> list[str]:
        """The keys within the limits; those above are ignored, or refused in a text frame."""
        plus = self._switches.is_on("account.plus") or self._switches.is_on("feed.d30_for_all")
        found = admitted(self._modes, keys, mode, plus)
        if len(found) < len(keys) and self._switches.is_on("feed.text_errors"):
            problem = f"{len(keys) - len(found)} instrument keys are above the limit of {mode}"
            self._refusal = _failed(problem)
        return found

    def _snapshot(self, keys: list[str]) -> bytes | None:
        now_ms = self.source.now_ns // NS_PER_MS
        response = FeedResponse(type=Type.initial_feed, currentTs=now_ms)
        for key in keys:
            feed = self.source.snapshot(key, deep=self._modes[key] == DEEP_MODE)
            if feed is not None:
                _add(response, key, feed, self._modes[key])
        return response.SerializeToString(deterministic=True) if response.feeds else None

    def _lists(self, key: str) -> bool:
        return any(listing.key == key for listing in self.source.listings)


def _failed(problem: str) -> str:
    content = {"status": "failed", "method": "sub", "error": problem}
    return msgspec.json.encode(content).decode()


def _add(response: FeedResponse, key: str, feed: Feed, mode: str) -> None:
    part = told(feed, mode)
    if part is not None:
        response.feeds[key].CopyFrom(part)
