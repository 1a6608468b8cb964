"""What the checks look at."""

from msgspec import Struct

from ticktick.config import Settings
from ticktick.workspace import Workspace


class Patient(Struct, frozen=True):
    """The user's folder and settings. `now_ns` is the time of this computer."""

    workspace: Workspace
    settings: Settings
    now_ns: int
