"""What was raised today, kept for the next start."""

import json
from pathlib import Path

import msgspec
import pytest

from tests.alert_stage import AlertStage, rule
from tests.market_stage import OPEN
from ticktick.alerting.told_file import ToldFile
from ticktick.domain.clock import NS_PER_DAY
from ticktick.domain.event import Event, RulesRead
from ticktick.engine.ports import Outputs


class Kept(AlertStage):
    """A stage whose outputs go to a file, and that begins with what the file holds."""

    def __init__(self, path: Path, now_ns: int = OPEN, price: int = 200) -> None:
        self.file = ToldFile(path, lambda: self.engine.alerts.told)
        super().__init__(rule(), told=self.file.read(now_ns), price=price)

    def process(self, event: Event) -> Outputs:
        outputs = super().process(event)
        self.file.take(outputs)
        return outputs


def test_a_program_that_is_started_again_goes_on_with_its_alerts(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    Kept(path).prices(201)
    again = Kept(path, price=202)
    again.prices(203, 199)
    assert again.told() == [("cleared", 1)]
    third = Kept(path)
    third.prices(202)
    assert [alert.number for alert in third.raised] == [2]


def test_another_day_begins_without_alerts(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    Kept(path).prices(201)
    tomorrow = Kept(path, OPEN + NS_PER_DAY)
    tomorrow.prices(202)
    assert tomorrow.told() == [("raised", 1)]


def test_what_happens_before_the_file_was_read_does_not_empty_it(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    first = Kept(path)
    first.prices(201)
    kept = path.read_bytes()
    first.file = ToldFile(tmp_path / "another.json", lambda: ())
    ToldFile(path, lambda: ()).take(first.process(RulesRead(OPEN, ())))
    assert path.read_bytes() == kept


@pytest.mark.parametrize("text", [b"", b"[{]", b'[{"rule": 1}]', bytes(range(128, 256))])
def test_a_damaged_file_costs_a_repetition_and_nothing_else(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "told.json"
    path.write_bytes(text)
    stage = Kept(path)
    stage.prices(201)
    assert stage.told() == [("raised", 1)]
    assert len(ToldFile(path, lambda: ()).read(OPEN)) == 1


@pytest.mark.parametrize("field", ["number", "raised_ns"])
@pytest.mark.parametrize("value", [10**30, -(10**30), 2**63 - 1, -(2**63)])
def test_a_number_that_nobody_wrote_costs_a_repetition_and_nothing_else(
    tmp_path: Path, field: str, value: int
) -> None:
    path = tmp_path / "told.json"
    Kept(path).prices(201)
    (told,) = msgspec.json.decode(path.read_bytes())
    path.write_bytes(json.dumps([told | {field: value}]).encode())
    stage = Kept(path)
    stage.prices(201)
    assert [alert.number for alert in stage.raised] == [1]
    assert len(ToldFile(path, lambda: ()).read(OPEN)) == 1


def test_a_disk_that_refuses_disturbs_nobody(tmp_path: Path) -> None:
    stage = Kept(tmp_path / "no folder" / "told.json")
    stage.prices(201)
    assert stage.told() == [("raised", 1)]
