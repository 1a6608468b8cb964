"""Copy records of the slot table, the deep levels only where there are any."""

from typing import Final

from ticktick.core.columns import Ints, Rows
from ticktick.domain.slots import DEPTH_LEVELS, WORD_OF

USUAL_LEVELS: Final = DEPTH_LEVELS
TOLD_LEVELS: Final = WORD_OF["told_levels"]


def copy_rows(rows: Rows, source: Ints, target: Ints, deep_source: Ints, deep_target: Ints) -> None:
    """Let the rows of the target be those of the source.

    int64[capacity, words]: the slot table as words, and its levels behind the usual ones, which
    are 0 where no more than the usual ones are told.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        if source[row, TOLD_LEVELS] > USUAL_LEVELS or target[row, TOLD_LEVELS] > USUAL_LEVELS:
            _copy_row(row, deep_source, deep_target)
        _copy_row(row, source, target)


def _copy_row(row: int, source: Ints, target: Ints) -> None:
    for word in range(source.shape[1]):
        target[row, word] = source[row, word]
