"""Named switches: what the broker does not document, or grants by plan, chosen while it runs."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec


class Switch(NamedTuple):
    """A choice with its default and what being on means."""

    is_on: bool
    meaning: str


SWITCHES: Final[Mapping[str, Switch]] = {
    "account.plus": Switch(False, "the account has the Plus plan: 5 sockets of the feed, not 2"),
    "candles.last_session": Switch(False, "before the day's first candle the last day's are told"),
    "candles.need_token": Switch(False, "candles are refused without a token"),
    "candles.oldest_first": Switch(False, "candles come oldest first, as one page shows"),
    "feed.addresses_last": Switch(False, "an address opens the feed more than once"),
    "feed.one_socket": Switch(False, "one socket of the feed a user, as an older page says"),
    "feed.partial_packets": Switch(True, "an update leaves out the parts that did not change"),
    "feed.text_errors": Switch(False, "keys above a limit are answered by a text frame"),
    "feed.unknown_keys_told": Switch(False, "a key nobody lists is answered by a text frame"),
    "feed.d30_for_all": Switch(False, "full_d30 works without the Plus plan, which no page says"),
}


class BadSwitchError(ValueError):
    """An order that no switch understands; the message says why."""


class Switches:
    """The position of every switch."""

    def __init__(self) -> None:
        self._on = {name: switch.is_on for name, switch in SWITCHES.items()}

    def is_on(self, name: str) -> bool:
        """Whether the switch is on."""
        return self._on[name]

    def order(self, body: bytes) -> None:
        """Set switches by a JSON object of names and truth values, all or none.

        Raises BadSwitchError if a name is unknown or a value is none.
        """
        try:
            wish = msgspec.json.decode(body, type=dict[str, bool])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadSwitchError(f"switches are set by a JSON object of truths: {error}") from error
        for name in wish:
            if name not in SWITCHES:
                raise BadSwitchError(
                    f"there is no switch {name!r}; there are {', '.join(SWITCHES)}"
                )
        self._on |= wish

    def told(self) -> dict[str, dict[str, Any]]:
        """Every switch as `GET /_emu/switch` lists it."""
        return {
            name: {"on": self._on[name], "default": switch.is_on, "meaning": switch.meaning}
            for name, switch in SWITCHES.items()
        }
