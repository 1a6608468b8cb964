"""Tables on the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click


def show_symbols(symbols: Sequence[Mapping[str, Any]]) -> None:
    """One line per symbol: freshness, last price, change, spread, age, flags; `-` is not known.

    A star marks a flag that knows what is usual at this time of day.

    `symbols` are those of `/api/v1/status`, prices in rupees.
    """
    head = f"{'SYMBOL':<14}{'DATA':<9}{'LAST':>12}{'CHANGE':>9}{'SPREAD':>8}{'AGE':>11}"
    click.echo(f"{head}  {'LIQUIDITY':<11}VOLATILITY")
    for known in symbols:
        last = _text(known["last_price"], ",.2f")
        change = _text(known["change_fraction"], "+.2%")
        spread = _text(known["spread"], ".2f")
        age = "-" if known["age_ms"] is None else f"{known['age_ms'] / 1000:.1f} s"
        line = f"{known['symbol']:<14}{_data(known):<9}{last:>12}{change:>9}{spread:>8}{age:>11}"
        click.echo(f"{line}  {_flag(known, 'liquidity'):<11}{_flag(known, 'volatility')}")
    _show_auctions([known for known in symbols if known["auction"] is not None])


def _show_auctions(symbols: Sequence[Mapping[str, Any]]) -> None:
    """Where auctions run: what each would come to if it ended now."""
    if not symbols:
        return
    click.echo(f"{'AUCTION':<14}{'WOULD BE':>12}{'QUANTITY':>12}{'LEFT OVER':>14}{'REFERENCE':>12}")
    for known in symbols:
        told = known["auction"]
        price, reference = (_text(told[name], ",.2f") for name in ("price", "reference_price"))
        quantity, left = _text(told["quantity"], ","), _left_over(told["left_over"])
        click.echo(f"{known['symbol']:<14}{price:>12}{quantity:>12}{left:>14}{reference:>12}")


def _left_over(quantity: int | None) -> str:
    if not quantity:
        return _text(quantity, ",")
    return f"{abs(quantity):,} to {'buy' if quantity > 0 else 'sell'}"


def _data(known: Mapping[str, Any]) -> str:
    """The freshness; of a market that the exchange halted not the word for one at its end."""
    is_halted = known["freshness"] == "closed" and known["phase"] == "halted_by_exchange"
    return "halted" if is_halted else str(known["freshness"])


def _flag(known: Mapping[str, Any], name: str) -> str:
    mark = "*" if known[f"{name}_baseline"] else ""
    return "-" if known[name] is None else f"{known[name]}{mark}"


def _text(value: float | None, layout: str) -> str:
    return "-" if value is None else format(value, layout)


def show_readings(readings: Sequence[Mapping[str, Any]]) -> None:
    """One line per indicator, one column per timeframe; prices in rupees, `-` is not ready.

    A tilde marks values of too short a history, an asterisk those of a flat window.
    """
    names = [name for name in readings[0] if name not in _NOT_VALUES]
    click.echo(f"{'INDICATOR':<18}" + "".join(f"{r['timeframe']:>14}" for r in readings))
    for name in names:
        cells = "".join(f"{_reading(reading, name):>14}" for reading in readings)
        click.echo(f"{name:<18}{cells}")
    for reading in readings:
        if reading["withheld"]:
            click.echo(f"{reading['timeframe']}: {reading['withheld']}")


def show_patterns(patterns: Iterable[Mapping[str, Any]]) -> None:
    """One line per pattern, oldest first: where, what, its trend before and its own record.

    One whose ground a corrected candle took away says so; a file's patterns name no symbol.
    """
    click.echo(
        f"{'CANDLE':<27}{'SYMBOL':<14}{'TIME':<6}{'PATTERN':<22}{'VALUE':>6}  {'BEFORE':<7}RECORD"
    )
    for pattern in patterns:
        rate = "not enough history"
        if pattern["hit_rate"] is not None:
            bounds = f"{pattern['hit_rate_low']:.0%} to {pattern['hit_rate_high']:.0%}"
            rate = f"{pattern['hit_rate']:.0%} ({bounds}), any candle {pattern['base_rate']:.0%}"
        gone = ", superseded" if pattern.get("superseded") else ""
        click.echo(
            f"{pattern['start']:<27}{pattern.get('symbol', '-'):<14}{pattern['timeframe']:<6}"
            f"{pattern['pattern']:<22}{pattern['value']:>6}  {pattern['trend'] or '-':<7}"
            f"{rate}, n={pattern['cases']}{gone}"
        )


_NOT_VALUES = ("timeframe", "start", "bars", "warming", "degenerate", "withheld", "missing")


def _reading(reading: Mapping[str, Any], name: str) -> str:
    value = reading[name]
    mark = "*" if name in reading["degenerate"] else "~" if reading["warming"] else " "
    return "- " if value is None else f"{value:,.4f}{mark}"


def show_window(rows: Iterable[Mapping[str, Any]]) -> None:
    """One line per update, oldest first, as of `/api/v1/window`; `-` is not known."""
    click.echo(f"{'TIME':<14}{'LAST':>12}{'ADDED':>9}{'BID':>12}{'SIZE':>9}{'ASK':>12}{'SIZE':>9}")
    for row in rows:
        sizes = [_text(row[name], ",") for name in ("volume_delta", "bid_quantity", "ask_quantity")]
        last, bid, ask = (_text(row[name], ",.2f") for name in ("last_price", "bid", "ask"))
        moment = row["exchange_time"][11:23]
        click.echo(
            f"{moment:<14}{last:>12}{sizes[0]:>9}{bid:>12}{sizes[1]:>9}{ask:>12}{sizes[2]:>9}"
        )
