"""The candlestick patterns that TA-Lib judges, by the names people know."""

from typing import Final, Literal

from msgspec import Struct

Shadow = Literal["lower", "upper"]


class Shape(Struct, frozen=True):
    """A pattern: its name, TA-Lib's function, how many candles it spans, and its parameters.

    `direction` is what it foretells: 1 up, -1 down, 0 nothing; None takes the sign of TA-Lib's
    value. A reversal asks for a trend against it. A shape with a `shadow` is strict in the
    textbook's sense when that shadow is at least twice the body. `first` is the place of the first
    candle that TA-Lib judges, counted from 0.
    """

    name: str
    function: str
    bars: int
    first: int
    direction: int | None = None
    is_reversal: bool = True
    shadow: Shadow | None = None
    parameters: tuple[float, ...] = ()


SHAPES: Final[tuple[Shape, ...]] = (
    Shape("doji", "CDLDOJI", 1, 10, direction=0, is_reversal=False),
    Shape("dragonfly_doji", "CDLDRAGONFLYDOJI", 1, 10),
    Shape("gravestone_doji", "CDLGRAVESTONEDOJI", 1, 10, direction=-1),
    Shape("long_legged_doji", "CDLLONGLEGGEDDOJI", 1, 10, direction=0, is_reversal=False),
    Shape("hammer", "CDLHAMMER", 1, 11, shadow="lower"),
    Shape("hanging_man", "CDLHANGINGMAN", 1, 11, shadow="lower"),
    Shape("inverted_hammer", "CDLINVERTEDHAMMER", 1, 11, shadow="upper"),
    Shape("shooting_star", "CDLSHOOTINGSTAR", 1, 11, shadow="upper"),
    Shape("spinning_top", "CDLSPINNINGTOP", 1, 10, direction=0, is_reversal=False),
    Shape("marubozu", "CDLMARUBOZU", 1, 10, is_reversal=False),
    Shape("belt_hold", "CDLBELTHOLD", 1, 10),
    Shape("engulfing", "CDLENGULFING", 2, 2),
    Shape("harami", "CDLHARAMI", 2, 11),
    Shape("harami_cross", "CDLHARAMICROSS", 2, 11),
    Shape("piercing", "CDLPIERCING", 2, 11),
    Shape("dark_cloud_cover", "CDLDARKCLOUDCOVER", 2, 11, parameters=(0.5,)),
    Shape("kicking", "CDLKICKING", 2, 11, is_reversal=False),
    Shape("morning_star", "CDLMORNINGSTAR", 3, 12, parameters=(0.3,)),
    Shape("evening_star", "CDLEVENINGSTAR", 3, 12, parameters=(0.3,)),
    Shape("morning_doji_star", "CDLMORNINGDOJISTAR", 3, 12, parameters=(0.3,)),
    Shape("evening_doji_star", "CDLEVENINGDOJISTAR", 3, 12, parameters=(0.3,)),
    Shape("three_white_soldiers", "CDL3WHITESOLDIERS", 3, 12, is_reversal=False),
    Shape("three_black_crows", "CDL3BLACKCROWS", 4, 13, is_reversal=False),
    Shape("three_inside", "CDL3INSIDE", 3, 12),
    Shape("three_outside", "CDL3OUTSIDE", 3, 3),
    Shape("tasuki_gap", "CDLTASUKIGAP", 3, 7, is_reversal=False),
    Shape("rising_falling_three", "CDLRISEFALL3METHODS", 5, 14, is_reversal=False),
)
