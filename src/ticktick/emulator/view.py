"""What an answer about the market is read from."""

from typing import NamedTuple

from ticktick.domain.sessions import Calendar
from ticktick.emulator.source import Source
from ticktick.emulator.switches import Switches


class View(NamedTuple):
    """The market, the calendar it follows, and the switches of the exchange."""

    source: Source
    calendar: Calendar
    switches: Switches
