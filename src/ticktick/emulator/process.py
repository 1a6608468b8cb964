"""The built-in exchange as a child process: started, waited for, and ended with its parent."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

READY = "ready "
START_LIMIT_S = 30.0
STOP_LIMIT_S = 3.0


class ExchangeFailedError(RuntimeError):
    """The child ended before it was ready; the message holds what it said."""


@asynccontextmanager
async def exchange_process(arguments: Sequence[str], log_path: Path) -> AsyncIterator[str]:
    """Run `ticktick emulator` with these arguments; yield its address.

    What the child says on its error output goes to `log_path`, written anew. The child ends
    when its standard input closes, so a killed parent leaves no orphan.
    Raises ExchangeFailedError if it does not come up within 30 s.
    """
    command = [sys.executable, "-m", "ticktick", "emulator", "--exit-with-parent", *arguments]
    log_path.open("wb").close()
    with log_path.open("ab") as log:  # appending, so that it may be emptied while the child runs
        child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    try:
        yield await _address(child, log_path)
    finally:
        await _stop(child)


async def _address(child: asyncio.subprocess.Process, log_path: Path) -> str:
    if child.stdout is None:
        raise ExchangeFailedError("the built-in exchange has no output to read")
    try:
        async with asyncio.timeout(START_LIMIT_S):
            async for line in child.stdout:
                text = line.decode().strip()
                if text.startswith(READY):
                    return text.removeprefix(READY)
    except TimeoutError as error:
        raise ExchangeFailedError("the built-in exchange did not start within 30 s") from error
    log = await asyncio.to_thread(log_path.read_text, errors="replace")
    said = log.strip().splitlines()
    why = said[-1] if said else "it said nothing"
    raise ExchangeFailedError(f"the built-in exchange did not start: {why}")


async def _stop(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        async with asyncio.timeout(STOP_LIMIT_S):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()
