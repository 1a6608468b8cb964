"""The steps of the indicators as they serve: compiled where they were built, else plain.

Everybody takes them from here. Both forms come from one source and do the same.
"""

from typing import TypeVar

from ticktick.analytics import flat, leaps, own, record, story
from ticktick.analytics.microstructure import doubt, ranges
from ticktick.compiled import part

Step = TypeVar("Step")


def _serving(name: str, step: str, plain: Step) -> Step:
    """The compiled form of a step, if there is one."""
    package, _, module = f"ticktick.analytics.{name}".rpartition(".")
    compiled = part(f"{package}._{module}")
    served: Step = plain if compiled is None else getattr(compiled, step)
    return served


NOTHING_FLAT = _serving("flat", "NOTHING_FLAT", flat.NOTHING_FLAT)
Flatness = _serving("flat", "Flatness", flat.Flatness)
SessionVwap = _serving("own", "SessionVwap", own.SessionVwap)
RelativeVolume = _serving("own", "RelativeVolume", own.RelativeVolume)
bands = _serving("own", "bands", own.bands)
keltner = _serving("own", "keltner", own.keltner)
bollinger = _serving("own", "bollinger", own.bollinger)
momentum = _serving("own", "momentum", own.momentum)
Leaps = _serving("leaps", "Leaps", leaps.Leaps)
Records = _serving("record", "Records", record.Records)
Story = _serving("story", "Story", story.Story)
Doubt = _serving("microstructure.doubt", "Doubt", doubt.Doubt)
parkinson = _serving("microstructure.ranges", "parkinson", ranges.parkinson)
garman_klass = _serving("microstructure.ranges", "garman_klass", ranges.garman_klass)
amihud = _serving("microstructure.ranges", "amihud", ranges.amihud)
