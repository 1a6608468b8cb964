"""The steps of the hot path as they serve: compiled where they were built, else plain.

Everybody takes the steps from here. Both forms come from one source and do the same.
"""

from collections.abc import Callable
from typing import TypeVar

from ticktick.compiled import part
from ticktick.core import age as _age
from ticktick.core import copy as _copy
from ticktick.core import crossing as _crossing
from ticktick.core import flow as _flow
from ticktick.core import fold as _fold
from ticktick.core import moments as _moments
from ticktick.core import prints as _prints
from ticktick.core import quotes as _quotes
from ticktick.core import screen as _screen
from ticktick.core import signed as _signed
from ticktick.core import ticks as _ticks
from ticktick.core import trade as _trade
from ticktick.core import vwap as _vwap

Step = TypeVar("Step", bound=Callable[..., object])


def _serving(plain: Step) -> Step:
    """The compiled form of a step, if there is one."""
    package, _, name = plain.__module__.rpartition(".")
    compiled = part(f"{package}._{name}")
    step: Step = plain if compiled is None else getattr(compiled, plain.__name__)
    return step


copy_rows = _serving(_copy.copy_rows)
screen = _serving(_screen.screen)
detect_trades = _serving(_trade.detect_trades)
fold = _serving(_fold.fold)
changed_minutes = _serving(_fold.changed_minutes)
age = _serving(_age.age)
measure_quotes = _serving(_quotes.measure_quotes)
measure_prints = _serving(_prints.measure_prints)
take_trades = _serving(_vwap.take_trades)
expire_trades = _serving(_vwap.expire_trades)
take_flow = _serving(_flow.take_flow)
expire_flow = _serving(_flow.expire_flow)
settle_before = _serving(_moments.settle_before)
settle_until = _serving(_moments.settle_until)
note_mids = _serving(_moments.note_mids)
push_ticks = _serving(_ticks.push_ticks)
find_crossings = _serving(_crossing.find_crossings)
add_signed_values = _serving(_signed.add_signed_values)
