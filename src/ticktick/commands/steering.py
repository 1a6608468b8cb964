"""Changes that the program running in the workspace makes itself, asked for by a command."""

import json

import click

from ticktick.commands.asking import NoAnswer, ask
from ticktick.running import Running, running_now
from ticktick.workspace import Workspace

NEXT_START = "It counts from the next start."


def told_by_program(workspace: Workspace, path: str, wish: object, method: str) -> bool:
    """Let the running program do it and show what it says; False if none takes changes."""
    running = steered(workspace)
    if running is None:
        return False
    try:
        answer = json.loads(ask(running, path, wish, method))
    except NoAnswer:  # it was killed: only the file counts
        return False
    click.echo(answer["text"])
    return True


def steered(workspace: Workspace) -> Running | None:
    """The running program that uses the workspace's own lists; a replay has others."""
    running = running_now(workspace.server)
    return None if running is None or running.mode == "REPLAY" else running
