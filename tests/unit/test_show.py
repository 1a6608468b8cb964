"""Tables on the terminal."""

from typing import Any

import pytest

from ticktick.commands.show import show_symbols
from ticktick.domain.market import Liquidity, Volatility


def symbol(**known: Any) -> dict[str, Any]:
    """A symbol of which nothing else is known."""
    names = ("last_price", "change_fraction", "spread", "age_ms")
    flags = ("liquidity", "liquidity_baseline", "volatility", "volatility_baseline")
    return {
        "symbol": "ACME",
        "freshness": "fresh",
        "phase": "continuous",
        "auction": None,
        **dict.fromkeys((*names, *flags)),
        **known,
    }


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


def test_a_market_that_the_exchange_halted_is_not_called_closed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    phases = ("halted_by_exchange", "closed")
    show_symbols([symbol(freshness="closed", phase=phase) for phase in phases])
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["halted", "closed"]


def test_what_auctions_would_come_to_stands_below(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"price": 1412.5, "quantity": 12_000, "left_over": -3_400, "reference_price": None}
    show_symbols([symbol(auction=told), symbol(symbol="NIFTY")])
    head, line = capsys.readouterr().out.splitlines()[-2:]
    assert head.split() == ["AUCTION", "WOULD", "BE", "QUANTITY", "LEFT", "OVER", "REFERENCE"]
    assert line.split() == ["ACME", "1,412.50", "12,000", "3,400", "to", "sell", "-"]
