"""`ticktick alerts`: what the trader wants to be told of; a running program takes it up at once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
import msgspec

from ticktick.alerting.notifier import send_test
from ticktick.alerting.rules_file import RulesFile, load_rules, save_rules, with_new, without
from ticktick.alerting.services import open_services
from ticktick.commands.asking import NoAnswer, ask
from ticktick.commands.steering import NEXT_START, steered, told_by_program
from ticktick.config import load_settings
from ticktick.domain.alert import DEFAULT_COOLDOWN_S, Comparison, Level, Rule
from ticktick.domain.clock import NS_PER_MS, ist
from ticktick.engine.alerts.sources import SOURCES
from ticktick.engine.alerts.words import condition
from ticktick.errors import ConfigError
from ticktick.running import find_running
from ticktick.workspace import current_workspace

_API = "/api/v1/alerts"
_SHOWN = 20


@click.group(
    invoke_without_command=True,
    short_help="Show and change what you want to be told of.",
    epilog="Example: ticktick alerts add RELIANCE last_price crosses 2500",
)
@click.pass_context
def command(context: click.Context) -> None:
    """Show and change the alerts, alerts.json of the workspace.

    A program that runs in the workspace takes a change at once. Without a subcommand it lists
    the alerts.
    """
    if context.invoked_subcommand is None:
        _list(as_json=False)


_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@command.command("list", epilog="Example: ticktick alerts list --json")
@_as_json
def list_rules(as_json: bool) -> None:
    """List the alerts and what is wrong with those that are not used."""
    _list(as_json=as_json)


@command.command(
    epilog="Example: ticktick alerts add RELIANCE 5m:rsi_14 above 70",
    context_settings={"ignore_unknown_options": True},  # -0.5 is a threshold
)
@click.argument("symbol", metavar="SYMBOL|*")
@click.argument("source")
@click.argument("comparison", type=click.Choice([word.value for word in Comparison]))
@click.argument("threshold")
@click.option(
    "--hysteresis", type=float, help="How far the value must come back before the next alert."
)
@click.option(
    "--cooldown",
    type=int,
    default=DEFAULT_COOLDOWN_S,
    show_default=True,
    metavar="SECONDS",
    help="How long at least until the next alert.",
)
@click.option(
    "--level",
    type=click.Choice([word.value for word in Level]),
    default=Level.WARNING.value,
    show_default=True,
)
@click.option("--sound/--no-sound", default=True, help="Whether the page plays a tone.")
@click.option("--browser/--no-browser", default=True, help="Whether the browser notifies.")
@click.option("--services", is_flag=True, help="Send it to the services of ticktick.toml too.")
def add(
    symbol: str,
    source: str,
    comparison: str,
    threshold: str,
    hysteresis: float | None,
    cooldown: int,
    level: str,
    sound: bool,
    browser: bool,
    services: bool,
) -> None:
    """Be told when SOURCE of a symbol is above or below, crosses, or becomes THRESHOLD.

    SOURCE is a metric, last_price, change, change_percent, an indicator such as 5m:rsi_14, a
    pattern such as 5m:hammer, freshness, phase or feed; `ticktick alerts sources` lists them.
    THRESHOLD is in rupees, percent or the source's own unit, or the word that it becomes.
    """
    workspace = current_workspace()
    wish = {
        "symbol": symbol.strip().upper(),
        "source": source,
        "comparison": comparison,
        "threshold": _number_or_word(threshold),
        "hysteresis": hysteresis,
        "cooldown_s": cooldown,
        "level": level,
        "sound": sound,
        "browser": browser,
        "services": services,
    }
    if not told_by_program(workspace, _API, wish, "POST"):
        file, rule = with_new(load_rules(workspace.alerts), _rule(wish))
        save_rules(workspace.alerts, file)
        click.echo(f"Alert {rule.id} is set: {condition(rule)}. {NEXT_START}")


@command.command(epilog="Example: ticktick alerts remove 3")
@click.argument("number", type=int)
def remove(number: int) -> None:
    """Remove the alert of that number."""
    workspace = current_workspace()
    if not told_by_program(workspace, f"{_API}/{number}", {}, "DELETE"):
        file, rule = without(load_rules(workspace.alerts), number)
        save_rules(workspace.alerts, file)
        click.echo(f"Alert {rule.id} is removed: {condition(rule)}. {NEXT_START}")


@command.command(epilog="Example: ticktick alerts test")
def test() -> None:
    """Send a test message to the services of ticktick.toml and say whether each took it."""
    addresses = load_settings(current_workspace().toml).notify.services
    services, troubles = open_services([one.get_secret_value() for one in addresses])
    if not addresses:
        raise ConfigError(
            "there is no service to send to: set notify.services in ticktick.toml, "
            "or TICKTICK_NOTIFY_SERVICES"
        )
    for trouble in troubles:
        click.echo(trouble, err=True)
    if not send_test(services, click.echo) or troubles:
        raise ConfigError("not every service took the test message")


@command.command(epilog="Example: ticktick alerts history --json")
@_as_json
def history(as_json: bool) -> None:
    """Show what the running program raised since its start, newest last."""
    running = find_running(current_workspace().server)
    told = json.loads(ask(running, f"{_API}/history"))["alerts"][::-1]
    if as_json:
        _print_json(told)
        return
    for alert in told[-_SHOWN:]:
        at = ist(alert["at_ms"] * NS_PER_MS)
        seen = "" if alert["acknowledged"] else " *"
        click.echo(f"{at:%H:%M:%S}  {alert['level']:<7}  {alert['text']}{seen}")
    if not told:
        click.echo("No alert was raised since the program started.")
    elif not all(alert["acknowledged"] for alert in told[-_SHOWN:]):
        click.echo("* not acknowledged yet")


@command.command(epilog="Example: ticktick alerts sources 5m:rsi")
@click.argument("text", default="")
@_as_json
def sources(text: str, as_json: bool) -> None:
    """List what an alert may look at, with its unit or its words."""
    found = [
        {"name": name, "unit": one.shown_unit, "words": list(one.words)}
        for name, one in SOURCES.items()
        if text in name
    ]
    if as_json:
        _print_json(found)
        return
    for one in found:
        click.echo(f"{one['name']:<28}{one['unit'] or ', '.join(one['words'])}")
    if not found:
        raise ConfigError(f"no source has {text!r} in its name")


def _list(*, as_json: bool) -> None:
    workspace = current_workspace()
    running = steered(workspace)
    try:
        answer = None if running is None else json.loads(ask(running, _API))
    except NoAnswer:  # it was killed: only the file counts
        answer = None
    answer = answer or _of_file(load_rules(workspace.alerts))
    if as_json:
        _print_json(answer["rules"])
    else:
        _show(answer)
    for trouble in answer["troubles"]:
        click.echo(trouble, err=True)


def _of_file(file: RulesFile) -> dict[str, Any]:
    """What the running program would say, as far as the file tells."""
    rules = [{"text": condition(rule), **_every_field(rule)} for rule in file.rules]
    return {"rules": rules, "troubles": file.troubles, "services": None}


def _every_field(rule: Rule) -> dict[str, Any]:
    names = (name for name in rule.__struct_fields__ if name != "snoozed_until_ns")
    return {name: getattr(rule, name) for name in names}


def _show(answer: Mapping[str, Any]) -> None:
    rules: Sequence[Mapping[str, Any]] = answer["rules"]
    if not rules:
        click.echo("No alerts yet. Try: ticktick alerts add RELIANCE last_price crosses 2500")
    for rule in rules:
        click.echo(f"{rule['id']:>4}  {rule['text']}  ({', '.join(_notes(rule))})")
    services = answer["services"]
    if services is not None and services["state"] != "off":
        click.echo(f"Services: {services['text']}")


def _notes(rule: Mapping[str, Any]) -> Iterable[str]:
    """What else there is to say of a rule."""
    yield rule["level"]
    yield from (name for name in ("sound", "browser", "services") if rule[name])
    if rule["muted"]:
        yield "muted"
    if rule.get("snoozed_until_ms"):
        yield f"snoozed until {ist(rule['snoozed_until_ms'] * NS_PER_MS):%H:%M}"
    if rule.get("holds"):
        yield f"now true for {', '.join(rule['holds'])}"
    if not rule.get("is_watched", True):
        yield "not on the watchlist"


def _rule(wish: Mapping[str, Any]) -> Rule:
    try:
        words = {"comparison": Comparison(wish["comparison"]), "level": Level(wish["level"])}
        return Rule(id=1, **{**wish, **words})
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _number_or_word(text: str) -> float | str:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return text


def _print_json(objects: Iterable[object]) -> None:
    for one in objects:
        click.echo(msgspec.json.encode(one))
