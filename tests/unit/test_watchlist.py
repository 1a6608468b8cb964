"""Changing the user's list: what is added once, removed by any of its names, and how much fits."""

import pytest

from ticktick.domain.watchlist import MOST_ENTRIES, WatchlistEntry, added, removed
from ticktick.errors import ConfigError

ITC = WatchlistEntry("ITC", "NSE_EQ|INE154A01025")
INFOSYS = WatchlistEntry("Infosys", "NSE_EQ|INE009A01021", "INFY")


def test_a_new_entry_comes_last() -> None:
    assert added([ITC], INFOSYS) == [ITC, INFOSYS]


def test_an_entry_comes_before_the_one_that_is_named_or_last_where_that_is_gone() -> None:
    assert added([ITC], INFOSYS, before=ITC.name) == [INFOSYS, ITC]
    assert added([ITC], INFOSYS, before="gone") == [ITC, INFOSYS]


@pytest.mark.parametrize(
    "entry",
    [
        INFOSYS,
        WatchlistEntry("infosys", "NSE_EQ|OTHER"),
        WatchlistEntry("Other", "NSE_EQ|INE009A01021"),
        WatchlistEntry("Other", "NSE_EQ|OTHER", "INFY"),
    ],
)
def test_what_is_in_the_list_is_not_added_again(entry: WatchlistEntry) -> None:
    with pytest.raises(ConfigError, match=r"is already in the list, as Infosys \(NSE_EQ\|INE009"):
        added([ITC, INFOSYS], entry)


def test_a_full_list_takes_no_more() -> None:
    full = [WatchlistEntry(f"S{n}", f"NSE_EQ|S{n}") for n in range(MOST_ENTRIES)]
    assert len(added(full[1:], full[0])) == MOST_ENTRIES
    with pytest.raises(ConfigError, match="the list holds 50 instruments and 50 are the most"):
        added(full, ITC)


@pytest.mark.parametrize("what", ["Infosys", "INFY", "infy ", "nse_eq|ine009a01021"])
def test_an_entry_is_removed_by_any_of_its_names(what: str) -> None:
    assert removed([ITC, INFOSYS], what) == ([ITC], INFOSYS)


def test_what_is_not_in_the_list_cannot_be_removed() -> None:
    with pytest.raises(ConfigError, match="'TCS' is not in the watchlist"):
        removed([ITC, INFOSYS], "TCS")
