"""Time: the zone data, the clock of this computer, and the years the calendar knows."""

import ctypes
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ticktick.checkup.finding import NotChecked
from ticktick.domain.clock import NS_PER_S, ist, ist_day
from ticktick.domain.holidays import covers
from ticktick.errors import ConfigError

_INDIA = timedelta(hours=5, minutes=30)
_TOLERANCE_NS = 60 * NS_PER_S
_FIRST_RELEASE = date(2026, 1, 1)
_ENOUGH_FOR_TIMEX = 512
_NOT_IN_STEP = 5


def time_zone() -> str:
    """India's time in the zone data of this computer."""
    try:
        india = ZoneInfo("Asia/Kolkata")
    except ZoneInfoNotFoundError as error:
        raise ConfigError("Asia/Kolkata is not known here: run `python3 start.py setup`") from error
    for month in (1, 7):
        offset = datetime(2026, month, 1, tzinfo=india).utcoffset()
        if offset != _INDIA:
            raise ConfigError(
                f"the zone data says that India is {offset} ahead of UTC, it is {_INDIA}: "
                "install tzdata anew"
            )
    local = datetime.now(UTC).astimezone().tzname()
    return f"{india.key} is known; this computer shows {local}, Tick-Tick shows IST"


def clock(now_ns: int, written: Iterable[Path]) -> str:
    """The clock of this computer against the files it wrote, and whether anything keeps it right.

    `written` are files of ours: none can be newer than now.
    """
    now = f"{ist(now_ns):%d %b %Y %H:%M:%S} IST"
    if ist_day(now_ns) < _FIRST_RELEASE:
        raise ConfigError(f"the clock says {now}, before this program was made: set it")
    newest = max(((path.stat().st_mtime_ns, path) for path in written), default=None)
    if newest is not None and newest[0] > now_ns + _TOLERANCE_NS:
        raise ConfigError(
            f"the clock says {now}, but {newest[1]} was written at "
            f"{ist(newest[0]):%d %b %Y %H:%M:%S} IST: it went back, set it"
        )
    in_step = _is_kept_in_step()
    if not in_step:
        known = (
            "this system does not tell what"
            if in_step is None
            else "nothing that this system knows of"
        )
        raise NotChecked(
            f"{now}; {known} keeps it right: `ticktick doctor --live` compares it with the "
            "broker's clock"
        )
    return f"{now}, kept right by a time server"


def calendar(now_ns: int) -> str:
    """Whether the exchange's holidays of this year are known."""
    day = ist_day(now_ns)
    if not covers(day):
        raise ConfigError(
            f"the exchange's holidays of {day.year} are not in this version: update Tick-Tick"
        )
    following = date(day.year + 1, 1, 1)
    until = "and of the next" if covers(following) else f"but not yet of {following.year}"
    return f"the exchange's holidays of {day.year} are known, {until}"


def _is_kept_in_step() -> bool | None:
    """What the system knows of its own clock; None where it cannot be asked."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_ENOUGH_FOR_TIMEX))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _NOT_IN_STEP
