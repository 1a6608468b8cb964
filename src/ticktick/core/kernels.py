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
from ticktick.core import gate as _gate
from ticktick.core import measure as _measure
from ticktick.core import roll as _roll

Step = TypeVar("Step", bound=Callable[..., object])


def _serving(plain: Step) -> Step:
    """The compiled form of a step, if there is one."""
    package, _, name = plain.__module__.rpartition(".")
    compiled = part(f"{package}._{name}")
    step: Step = plain if compiled is None else getattr(compiled, plain.__name__)
    return step


copy_rows = _serving(_copy.copy_rows)
Gate = _serving(_gate.Gate)
Roll = _serving(_roll.Roll)
Gauge = _serving(_measure.Gauge)
Folding = _serving(_fold.Folding)
Ageing = _serving(_age.Ageing)
CrossingSearch = _serving(_crossing.CrossingSearch)
