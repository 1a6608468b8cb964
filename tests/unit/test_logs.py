"""Four files in Indian time, one line per record, no secret, no waiting."""

import io
import logging
import re
import stat
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest

from tests.disk_stage import fill, small_disk
from ticktick.logs import PERFORMANCE_LOGGER, TRADE_LOGGER, ConsoleLog, FileLogs, log_files

CANARY = "Qx7secretQx7secret"
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} IST [A-Z]+ \S+ .*")


def lines(folder: Path, name: str = "system") -> list[str]:
    return (folder / f"{name}.log").read_text(encoding="utf-8").splitlines()


def record_at(created: float) -> logging.LogRecord:
    record = logging.LogRecord("ticktick.feed", logging.INFO, __file__, 1, "up", (), None)
    record.created = created
    return record


def test_each_record_goes_to_the_files_it_belongs_to(tmp_path: Path) -> None:
    with FileLogs(tmp_path):
        logging.getLogger("ticktick.feed").info("the feed is up")
        logging.getLogger("ticktick.feed").error("the feed is down")
        logging.getLogger(TRADE_LOGGER).info("bought 10 ITC")
        logging.getLogger(PERFORMANCE_LOGGER).info("loop lag 3 ms")
        logging.getLogger("ticktick.feed").debug("not worth a line")
    texts = [line.split(" IST ")[1] for line in lines(tmp_path)]
    assert texts == [
        "INFO ticktick.feed the feed is up",
        "ERROR ticktick.feed the feed is down",
        "INFO ticktick.trade bought 10 ITC",
        "INFO ticktick.performance loop lag 3 ms",
    ]
    assert [line.split(" IST ")[1] for line in lines(tmp_path, "error")] == [texts[1]]
    assert [line.split(" IST ")[1] for line in lines(tmp_path, "trade")] == [texts[2]]
    (performance,) = lines(tmp_path, "performance")
    assert performance.endswith("INFO PERFORMANCE loop lag 3 ms")


def test_a_line_starts_with_the_moment_in_india(tmp_path: Path) -> None:
    with FileLogs(tmp_path):
        logging.getLogger().handle(record_at(1_795_149_902.123))
    assert lines(tmp_path) == ["2026-11-20 10:15:02.123 IST INFO ticktick.feed up"]


def test_a_record_is_one_line_whatever_it_holds(tmp_path: Path) -> None:
    with FileLogs(tmp_path):
        logging.getLogger("ticktick").warning("a\r\n2026-11-20 forged\x1b[31m %s", "b\u2028c\ud800")
    (line,) = (tmp_path / "system.log").read_text().split("\n")[:-1]
    assert LINE.fullmatch(line)
    assert r"a\r\n2026-11-20 forged\x1b[31m b\u2028c\ud800" in line


def test_no_secret_reaches_a_file_by_message_argument_exception_or_stack(tmp_path: Path) -> None:
    log = logging.getLogger("some.library")
    with FileLogs(tmp_path):
        log.error("Authorization: Bearer %s", CANARY)
        log.error("headers %s", {"Authorization": f"Bearer {CANARY}"})
        log.error("%(access_token)s and %(name)s", {"access_token": f"code={CANARY}", "name": "x"})
        error = ValueError(f"cannot exchange code={CANARY}")
        error.__cause__ = KeyError(f"requestId={CANARY}")
        log.error("failed", exc_info=error, stack_info=True)
    for name in ("system", "error"):
        text = "\n".join(lines(tmp_path, name))
        assert "Qx7" not in text
        assert "cannot exchange code=***" in text
        assert len(lines(tmp_path, name)) == 4


def test_a_line_with_wrong_arguments_is_told_without_them(tmp_path: Path) -> None:
    program = (
        "import logging, pathlib, sys\n"
        "from ticktick.logs import FileLogs\n"
        "with FileLogs(pathlib.Path(sys.argv[1])):\n"
        f"    logging.getLogger('x').error('%d', '{CANARY}')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=30
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert "a log line could not be rendered, see <string>:4" in lines(tmp_path)[0]
    assert CANARY not in lines(tmp_path)[0]


def test_the_error_that_ends_the_program_is_logged(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="gone"), FileLogs(tmp_path):
        raise ValueError("gone wrong")
    assert "ValueError: gone wrong" in lines(tmp_path, "error")[0]


def test_a_warning_of_a_library_is_logged(tmp_path: Path) -> None:
    with FileLogs(tmp_path), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("this will go away", stacklevel=1)
    assert "this will go away" in lines(tmp_path)[0]


def test_full_files_rotate_and_the_oldest_goes(tmp_path: Path) -> None:
    with FileLogs(tmp_path, file_bytes=300, files_kept=3):
        for number in range(40):
            logging.getLogger("ticktick").info("line %d of a long day", number)
    names = [path.name for path in log_files(tmp_path) if path.name.startswith("system")]
    assert names == ["system.1.log", "system.2.log", "system.log"]
    assert all((tmp_path / name).stat().st_size <= 300 for name in names)
    assert lines(tmp_path)[-1].endswith("line 39 of a long day")


def test_only_the_owner_can_read_the_files_even_if_they_were_open_before(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "system.log").write_text("old\n")
    (folder / "system.log").chmod(0o644)
    with FileLogs(folder, file_bytes=100):
        for _ in range(5):
            logging.getLogger("ticktick").error("something that fills a file")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in log_files(folder)}
    assert modes == {0o600}


def test_whoever_logs_does_not_wait_and_lost_lines_are_told(tmp_path: Path) -> None:
    disk_is_slow = threading.Event()

    class Slow(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            return disk_is_slow.wait(30)

    logs = FileLogs(tmp_path, lines_per_s=1_000_000)
    logs._files[0].addFilter(Slow())
    with logs:
        for number in range(10_100):
            logging.getLogger("ticktick").info("line %d", number)
        disk_is_slow.set()
        logs._writer.queue.join()
        logging.getLogger("ticktick").info("the last line")
    written = lines(tmp_path)
    assert re.search(r"\d+ log lines before this one were lost", written[-2])
    assert written[-1].endswith("the last line")


def test_P20_a_part_that_logs_without_end_is_sampled_and_what_is_left_out_is_told(
    tmp_path: Path,
) -> None:
    log = logging.getLogger("ticktick")
    with FileLogs(tmp_path, lines_per_s=100):
        began = time.monotonic()
        for number in range(5_000):
            log.info("line %d", number)
        log.info("another place is still heard")
        seconds = int(time.monotonic() - began) + 2
        while not re.search("suppressed", "".join(lines(tmp_path))):
            assert time.monotonic() - began < 20
            log.info("a later line")
            threading.Event().wait(0.1)
    written = lines(tmp_path)
    assert sum("line" in line for line in written) <= 100 * (seconds + 2)
    assert any(line.endswith("another place is still heard") for line in written)
    assert re.search(r"\d+ log lines before this one were suppressed", "".join(written))


def test_F37_a_nearly_full_disk_takes_errors_only_and_the_rest_is_counted(tmp_path: Path) -> None:
    log = logging.getLogger("ticktick")
    with FileLogs(tmp_path, reserve_bytes=1 << 60):
        for number in range(3):
            log.info("line %d", number)
        log.error("the feed is down")
    texts = [line.split(" IST ")[1] for line in lines(tmp_path)]
    assert texts == [
        "ERROR ticktick 3 log lines before this one were dropped: the disk was full",
        "ERROR ticktick the feed is down",
    ]


def test_F37_a_full_disk_loses_lines_and_nothing_else_and_is_used_again_when_there_is_room(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logging.getLogger("ticktick")
    with small_disk(tmp_path) as disk:
        logs = FileLogs(disk / "logs", reserve_bytes=0)
        with logs:
            log.info("before")
            fill(disk / "filler")
            for number in range(50):
                log.error("line %d of a full disk: %s", number, "x" * 1000)
            logs._writer.queue.join()
            (disk / "filler").unlink()
            log.info("after")
        written = (disk / "logs" / "system.log").read_text().splitlines()
    assert written[-1].endswith("after")
    assert re.search(r"\d+ log lines before this one were dropped: the disk was full", written[-2])
    assert capsys.readouterr().err.count("cannot be written") == 2


def test_the_logging_of_the_process_is_as_before_afterwards(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with FileLogs(tmp_path):
        assert root.level == logging.INFO
    assert (root.level, list(root.handlers)) == before


def test_the_console_shows_warnings_shortly_and_without_secrets() -> None:
    stream = io.StringIO()
    with ConsoleLog(stream):
        logging.getLogger("ticktick").warning("refused access_token=%s", CANARY)
        logging.getLogger("ticktick").info("not shown")
    assert stream.getvalue() == "WARNING: refused access_token=***\n"
