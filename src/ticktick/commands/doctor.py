"""`ticktick doctor`: check what the program needs, and say what to do about what it lacks."""

import json
import time
from collections.abc import Sequence

import click
import msgspec

from ticktick import __version__
from ticktick.checkup.finding import Finding, Verdict
from ticktick.checkup.offline import examine
from ticktick.domain.clock import iso_ist
from ticktick.redact import redact


@click.command(epilog="Example: ticktick doctor --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def command(as_json: bool) -> None:
    """Check what Tick-Tick needs on this computer, without the network.

    Prints PASS, FAIL or SKIPPED for each check; the exit code is 1 if any failed.
    """
    now_ns = time.time_ns()
    findings = []
    for finding in examine(now_ns):
        if not as_json:
            click.echo(_line(finding))
        findings.append(finding)
    passed = not any(finding.verdict is Verdict.FAIL for finding in findings)
    if as_json:
        click.echo(_answer(findings, now_ns, passed))
    if not passed:
        raise click.exceptions.Exit(1)


def _line(finding: Finding) -> str:
    return f"{finding.verdict:<8} {finding.subject:<12} {redact(finding.text)}"


def _answer(findings: Sequence[Finding], now_ns: int, passed: bool) -> str:
    answer = {
        "version": __version__,
        "checked_at": iso_ist(now_ns),
        "passed": passed,
        "findings": [
            msgspec.to_builtins(finding) | {"text": redact(finding.text)} for finding in findings
        ],
    }
    return json.dumps(answer, indent=2)
