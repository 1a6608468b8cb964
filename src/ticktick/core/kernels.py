"""The steps of the hot path as they serve: compiled where they were built, else plain.

Everybody takes the steps from here. Both forms come from one source and do the same.
"""

from collections.abc import Callable
from typing import TypeVar

from ticktick.compiled import part
from ticktick.core import age as _age
from ticktick.core import copy as _copy
from ticktick.core import crossing as _crossing
from ticktick.core import fold as _fold
from ticktick.core import measure as _measure
from ticktick.core import screen as _screen

Step = TypeVar("Step", bound=Callable[..., object])


def _serving(plain: Step) -> Step:
    """The compiled form of a step, if there is one."""
    package, _, name = plain.__module__.rpartition(".")
    compiled = part(f"{package}._{name}")
    step: Step = plain if compiled is None else getattr(compiled, plain.__name__)
    return step


copy_rows = _serving(_copy.copy_rows)
screen = _serving(_screen.screen)
Gauge = _serving(_measure.Gauge)
fold = _serving(_fold.fold)
changed_minutes = _serving(_fold.changed_minutes)
age = _serving(_age.age)
find_crossings = _serving(_crossing.find_crossings)
