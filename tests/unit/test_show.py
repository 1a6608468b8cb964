"""Tables on the terminal."""

from typing import Any

import pytest

from ticktick.commands.show import show_symbols
from ticktick.domain.market import Liquidity, Volatility


def symbol(**known: Any) -> dict[str, Any]:
    """A symbol of which nothing else is known."""
    names = ("last_price", "change_fraction", "spread", "age_ms")
    flags = ("liquidity", "liquidity_baseline", "volatility", "volatility_baseline")
    return {"symbol": "ACME", "freshness": "fresh", **dict.fromkeys((*names, *flags)), **known}


def test_a_flag_that_knows_what_is_usual_carries_a_star(capsys: pytest.CaptureFixture[str]) -> None:
    known = symbol(
        liquidity=Liquidity.THIN,
        liquidity_baseline=True,
        volatility=Volatility.UNKNOWN,
        volatility_baseline=False,
    )
    show_symbols([known, symbol()])
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[-2:] == ["LIQUIDITY", "VOLATILITY"]
    assert [line.split()[-2:] for line in lines] == [["THIN*", "UNKNOWN"], ["-", "-"]]
