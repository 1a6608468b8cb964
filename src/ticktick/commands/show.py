"""Tables on the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import click


def show_symbols(symbols: Sequence[Mapping[str, Any]]) -> None:
    """One line per symbol: freshness, last price, change, spread and age; `-` is not known.

    `symbols` are those of `/api/v1/status`, prices in rupees.
    """
    click.echo(f"{'SYMBOL':<14}{'DATA':<9}{'LAST':>12}{'CHANGE':>9}{'SPREAD':>8}{'AGE':>11}")
    for known in symbols:
        last = _text(known["last_price"], ",.2f")
        change = _text(known["change_fraction"], "+.2%")
        spread = _text(known["spread"], ".2f")
        age = "-" if known["age_ms"] is None else f"{known['age_ms'] / 1000:.1f} s"
        click.echo(
            f"{known['symbol']:<14}{known['freshness']:<9}{last:>12}{change:>9}{spread:>8}{age:>11}"
        )


def _text(value: float | None, layout: str) -> str:
    return "-" if value is None else format(value, layout)
