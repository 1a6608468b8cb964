"""What C and Python call by different names; `_numbers.pxd` holds the same for compiled steps."""


def nearest(value: float) -> int:
    """The whole number next to a value that is one, of two the even one."""
    return round(value)
