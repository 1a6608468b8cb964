"""When a value raises an alert and when it may again: a small machine of states for each rule.

It works on one number `x` against one `threshold`; whoever calls it turns `below` round by its
sign and a word into 1 (it is that word) and 0 against one half.

    above (a level)   UNKNOWN, OFF: x above the threshold       raised, ON
                      ON: x back by the hysteresis              cleared, OFF
    crosses           LOW: x reaches the threshold              rose, ROSE or HIGH
                      HIGH: x reaches it from above             fell, FELL or LOW
                      ROSE, FELL become HIGH, LOW once x is the hysteresis away
"""

from enum import IntEnum
from math import inf, nextafter
from typing import TypeAlias


class State(IntEnum):
    """Where the value was last."""

    UNKNOWN = 0
    OFF = 1
    ON = 2
    LOW = 3
    HIGH = 4
    ROSE = 5
    FELL = 6


class Outcome(IntEnum):
    """What a value did; an alert is raised by all but the first and the last."""

    NOTHING = 0
    RAISED = 1
    ROSE = 2
    FELL = 3
    CLEARED = 4


RAISING = frozenset({Outcome.RAISED, Outcome.ROSE, Outcome.FELL})
Step: TypeAlias = tuple[State, Outcome]


def level(state: State, x: float, threshold: float, hysteresis: float) -> Step:
    """One value of a rule that holds as long as x lies above the threshold."""
    if state is State.ON:
        is_back = x <= threshold - hysteresis
        return (State.OFF, Outcome.CLEARED) if is_back else (state, Outcome.NOTHING)
    return (State.ON, Outcome.RAISED) if x > threshold else (State.OFF, Outcome.NOTHING)


def crossing(state: State, x: float, threshold: float, hysteresis: float) -> Step:
    """One value of a rule for the moment at which x reaches the threshold from a side.

    The first value only says on which side it is. A value that falls back through the
    threshold without having gone far enough is no crossing, until it is as far on the other side.
    """
    is_far_up = x > threshold and x >= threshold + hysteresis
    is_far_down = x < threshold and x <= threshold - hysteresis
    match state:
        case State.LOW if x >= threshold:
            return (State.HIGH if is_far_up else State.ROSE), Outcome.ROSE
        case State.HIGH if x <= threshold:
            return (State.LOW if is_far_down else State.FELL), Outcome.FELL
        case State.FELL if is_far_up:
            return State.HIGH, Outcome.ROSE
        case State.ROSE if is_far_down:
            return State.LOW, Outcome.FELL
        case State.ROSE if is_far_up:
            return State.HIGH, Outcome.NOTHING
        case State.FELL if is_far_down:
            return State.LOW, Outcome.NOTHING
        case State.LOW | State.HIGH | State.ROSE | State.FELL:
            return state, Outcome.NOTHING
    if x == threshold:
        return State.UNKNOWN, Outcome.NOTHING
    return (State.HIGH if x > threshold else State.LOW), Outcome.NOTHING


def calm(state: State, threshold: float, hysteresis: float) -> tuple[float, float]:
    """The values (low, high] at which nothing happens in that state; none if high < low."""
    match state:
        case State.OFF:
            return -inf, threshold
        case State.ON:
            return threshold - hysteresis, inf
        case State.LOW:
            return -inf, nextafter(threshold, -inf)
        case State.HIGH:
            return threshold, inf
        case State.ROSE | State.FELL:
            return threshold - hysteresis, nextafter(threshold + hysteresis, -inf)
    return inf, -inf
