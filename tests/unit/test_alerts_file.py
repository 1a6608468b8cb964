"""alerts.json: what is written is read again, and what is wrong costs itself alone."""

import json
from pathlib import Path

import pytest

from tests.alert_stage import rule
from ticktick.alerting.rules_file import (
    load_rules,
    save_rules,
    with_changed,
    with_new,
    without,
)
from ticktick.domain.alert import MOST_ID, MOST_RULES, Level
from ticktick.errors import ConfigError

GOOD = {"symbol": "ACME", "source": "last_price", "comparison": "above", "threshold": 2}


def written(path: Path, *entries: object) -> Path:
    path.write_text(json.dumps({"alerts": entries}))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.json"


def test_rules_are_read_as_they_were_saved_by_their_owner_alone(path: Path) -> None:
    file, first = with_new(load_rules(path), rule("5m:rsi_14", "crosses", 70, level=Level.URGENT))
    file, second = with_new(file, rule("freshness", "becomes", "stale", symbol="*", sound=False))
    save_rules(path, file)
    assert load_rules(path) == file
    assert (first.id, second.id) == (1, 2)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*path.parent.iterdir()] == [path], "nothing else is left behind"


def test_entries_written_by_hand_need_no_id_and_whole_numbers_will_do(path: Path) -> None:
    file = load_rules(written(path, GOOD, {"id": 1, **GOOD, "threshold": 3}, GOOD))
    assert file.troubles == ()
    assert [one.id for one in file.rules] == [2, 1, 3]
    assert file.rules[0].threshold == 2.0


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({**GOOD, "source": "rsi"}, "source is 'rsi', expected a name"),
        ({**GOOD, "comparison": "over"}, "comparison is 'over', expected one of above, below"),
        ({**GOOD, "thresold": 2}, "found the field 'thresold', expected id, symbol"),
        ({"symbol": "ACME", "source": "last_price", "comparison": "above"}, "threshold is missing"),
        ({**GOOD, "threshold": None}, "threshold is None, expected a number or a word"),
        ({**GOOD, "sound": "yes"}, "sound is 'yes', expected true or false"),
        ({**GOOD, "cooldown_s": -1}, "cooldown_s is -1, expected seconds from 0"),
        ({**GOOD, "id": 7}, "id is 7, which an earlier entry has"),
        ("ACME above 2", 'expected {"symbol"'),
    ],
)
def test_a_broken_entry_is_told_and_the_others_work(path: Path, entry: object, words: str) -> None:
    file = load_rules(written(path, {"id": 7, **GOOD}, entry))
    assert [one.id for one in file.rules] == [7]
    (trouble,) = file.troubles
    assert trouble.startswith("alerts.json, entry 2 is not used: ")
    assert words in trouble
    assert trouble.endswith("mend or remove it, the others work")


def test_a_broken_entry_outlives_a_change_of_the_others(path: Path) -> None:
    broken = {**GOOD, "source": "rsi", "id": 3}
    file, new = with_new(load_rules(written(path, broken)), rule())
    save_rules(path, file)
    assert json.loads(path.read_text())["alerts"][0] == broken
    assert new.id == 4, "its id is not given away"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "line 1, column 2: this is not JSON"),
        (b"\xff", "expected UTF-8"),
        (b"[]", 'expected {"alerts": [...]}'),
        (b"[" * 100_000, "these are no alerts"),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(
    path: Path, content: bytes, words: str
) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigError) as refusal:
        load_rules(path)
    assert words in str(refusal.value)


def test_a_rule_is_changed_and_removed_by_its_id(path: Path) -> None:
    file = load_rules(written(path, {"id": 7, **GOOD}, {"id": 9, **GOOD}))
    changed = with_changed(file, rule(threshold=5.0, id=7))
    assert [one.threshold for one in changed.rules] == [5.0, 2.0]
    left, gone = without(changed, 7)
    assert (gone.threshold, [one.id for one in left.rules]) == (5.0, [9])
    with pytest.raises(ConfigError, match="there is no alert 8; `ticktick alerts list` shows them"):
        without(file, 8)


def test_a_thousand_rules_are_held_and_no_more(path: Path) -> None:
    file = load_rules(written(path, *[GOOD] * (MOST_RULES + 1)))
    assert len(file.rules) == MOST_RULES
    assert "1000 alerts are the most there may be" in file.troubles[0]
    with pytest.raises(ConfigError, match="remove one first"):
        with_new(file, rule())


def test_an_id_that_no_recording_can_hold_is_refused(path: Path) -> None:
    file = load_rules(written(path, {"id": 2**70, **GOOD}, {"id": MOST_ID, **GOOD}))
    (trouble,) = file.troubles
    assert f"id is {2**70}, expected a whole number from 1 to {MOST_ID}" in trouble
    _, new = with_new(file, file.rules[0])
    assert new.id == 1, "after the last number comes the first that is free"


def test_letters_that_are_none_stay_in_the_file_and_stop_nobody(path: Path) -> None:
    file = load_rules(written(path, GOOD, {"note": "\ud800"}))
    save_rules(path, with_new(file, file.rules[0])[0])
    assert load_rules(path).entries[1]["note"] == "\ud800"
