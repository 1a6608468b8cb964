"""Options that several commands share."""

from pathlib import Path

import click

port = click.option(
    "--port", type=click.IntRange(0, 65535), help="Port of the page; 0 takes a free one."
)
duration = click.option(
    "--duration",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop after so many seconds.",
)
no_browser = click.option("--no-browser", is_flag=True, help="Only print the address of the page.")
outputs = click.option(
    "--outputs",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every output of the engine to this file, one JSON object a line.",
)
