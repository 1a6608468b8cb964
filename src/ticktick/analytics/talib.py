"""TA-Lib without pandas: its streaming handles and its batch functions.

TA-Lib looks for pandas and polars when it is imported and takes a second for them; the serving
process needs neither.
"""

import sys

_LOADED = {name: sys.modules.get(name) for name in ("pandas", "polars")}
for _name, _module in _LOADED.items():
    if _module is None:
        sys.modules[_name] = None  # type: ignore[assignment]  # what an import then finds missing

import talib  # noqa: E402
from talib import _ta_lib, stream  # noqa: E402

for _name, _module in _LOADED.items():
    if _module is None:
        del sys.modules[_name]

__all__ = ["program", "stream", "talib"]


def program() -> str:
    """The file through which TA-Lib's C functions are found."""
    return str(_ta_lib.__file__)
