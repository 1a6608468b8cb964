"""Arithmetic that C does another way or much faster; `_numbers.pxd` has it for compiled steps.

A division by what the compiler knows is a multiplication, and it knows no name of Python.
"""

from ticktick.domain.clock import IST_OFFSET_NS, NS_PER_DAY, NS_PER_MS


def nearest(value: float) -> int:
    """The whole number next to a value that is one, of two the even one."""
    return round(value)


def ist_day(at_ns: int) -> int:
    """The number of the day in India."""
    return (at_ns + IST_OFFSET_NS) // NS_PER_DAY


def milliseconds(at_ns: int) -> int:
    """A moment in whole milliseconds."""
    return at_ns // NS_PER_MS
