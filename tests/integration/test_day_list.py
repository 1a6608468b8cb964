"""What a run watches: the list by the instruments of the day, and every change of either."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.origin_stage import Files, entry, listing, watching
from ticktick.domain.clock import at_ist
from ticktick.domain.event import InstrumentsResolved
from ticktick.domain.watchlist import MOST_ENTRIES, WatchlistEntry
from ticktick.errors import BrokerError, ConfigError
from ticktick.market.table import CAPACITY
from ticktick.origin.watchlist import FileWatchlist, RunWatchlist
from ticktick.web.steering import Wanted
from ticktick.workspace import Workspace, open_workspace

THURSDAY, FRIDAY = date(2026, 11, 19), date(2026, 11, 20)
NOON = at_ist(THURSDAY, 12)
ACME, BOLT, CASK = listing("ACME"), listing("BOLT"), listing("CASK")
OPTION = listing(
    "ACME 800 CE 03 DEC 26",
    "4711",
    segment="NSE_FO",
    instrument_type="CE",
    strike_price=800.0,
    expiry=at_ist(date(2026, 12, 3), 23, 59) // 10**6,
    lot_size=75,
)


def symbols(made: InstrumentsResolved | None) -> list[str]:
    assert made is not None
    return [instrument.symbol for instrument in made.instruments]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = open_workspace({"TICKTICK_HOME": str(tmp_path)}, tmp_path, tmp_path)
    made.save_watchlist([entry("ACME"), entry("BOLT")])
    return made


async def test_the_list_is_followed_in_its_order_and_the_canary_beside_it(tmp_path: Path) -> None:
    async with watching(Files(ACME, BOLT), tmp_path, entry("BOLT"), entry("ACME")) as day_list:
        first = await day_list.open(THURSDAY, NOON)
        assert symbols(first) == ["BOLT", "ACME", "NIFTY"]
        assert (first.canary, first.extras, first.notes) == ("NIFTY", ("NIFTY",), ())
        assert [one.symbol for one in day_list.listed] == ["BOLT", "ACME"]
        assert day_list.master_day == THURSDAY


async def test_a_list_of_which_nothing_is_listed_is_refused_and_an_empty_one_is_not(
    tmp_path: Path,
) -> None:
    async with watching(Files(ACME), tmp_path, entry("BOLT")) as day_list:
        with pytest.raises(ConfigError, match="none of the watchlist's instruments is listed"):
            await day_list.open(THURSDAY, NOON)
    async with watching(Files(ACME), tmp_path) as day_list:
        assert symbols(await day_list.open(THURSDAY, NOON)) == ["NIFTY"]


async def test_what_is_put_back_stands_where_it_was_in_the_run_and_in_the_file(
    workspace: Workspace, tmp_path: Path
) -> None:
    kept = FileWatchlist(workspace)
    async with watching(Files(ACME, BOLT, CASK), tmp_path / "i", kept=kept) as day_list:
        before = symbols(await day_list.open(THURSDAY, NOON))
        entries = workspace.load_watchlist()
        await day_list.remove("ACME", NOON)
        assert symbols(await day_list.add("ACME", entries[0].name, NOON, before="BOLT")) == before
        assert [one.name for one in workspace.load_watchlist()] == [one.name for one in entries]


async def test_what_is_added_is_followed_at_once_and_kept_in_the_file(
    workspace: Workspace, tmp_path: Path
) -> None:
    kept = FileWatchlist(workspace)
    async with watching(Files(ACME, BOLT, CASK, OPTION), tmp_path / "i", kept=kept) as day_list:
        await day_list.open(THURSDAY, NOON)
        made = await day_list.add("cask", None, NOON)
        assert symbols(made) == ["ACME", "BOLT", "CASK", "NIFTY"]
        assert made.notes == made.restated == ()
        await day_list.add("NSE_FO|4711", "My call", NOON)
        assert [one.lot_size for one in day_list.listed] == [1, 1, 1, 75]
        assert workspace.load_watchlist()[2:] == [
            WatchlistEntry("CASK LTD", "NSE_EQ|CASK", "CASK"),
            WatchlistEntry("My call", "NSE_FO|4711", "ACME 800 CE 03 DEC 26"),
        ]


async def test_an_index_that_is_added_is_the_canary_and_no_longer_beside_the_list(
    tmp_path: Path,
) -> None:
    async with watching(Files(ACME), tmp_path, entry("ACME")) as day_list:
        await day_list.open(THURSDAY, NOON)
        added = await day_list.add("NIFTY", None, NOON)
        assert (symbols(added), added.canary, added.extras) == (["ACME", "NIFTY"], "NIFTY", ())
        removed = await day_list.remove("nifty", NOON)
        assert (symbols(removed), removed.extras) == (["ACME", "NIFTY"], ("NIFTY",))


@pytest.mark.parametrize(
    ("what", "name", "sentence"),
    [
        ("ACME", None, "ACME is already in the list, as Acme Ltd"),
        ("NSE_EQ|ACME", "Other", "ACME is already in the list, as Acme Ltd"),
        ("ACM", None, "no instrument has the trading symbol 'ACM'; nearly the same: ACME"),
        ("NSE_EQ|NOBODY", None, "NSE_EQ|NOBODY is not listed today"),
        ("CASK", "\n", "name is"),
    ],
)
async def test_what_cannot_be_added_changes_nothing(
    workspace: Workspace, tmp_path: Path, what: str, name: str | None, sentence: str
) -> None:
    before = workspace.symbols.read_bytes()
    kept = FileWatchlist(workspace)
    async with watching(Files(ACME, BOLT, CASK), tmp_path / "i", kept=kept) as day_list:
        first = await day_list.open(THURSDAY, NOON)
        with pytest.raises(ConfigError) as refused:
            await day_list.add(what, name, NOON)
        assert sentence in str(refused.value)
        assert day_list.latest is first
    assert workspace.symbols.read_bytes() == before


async def test_a_stale_key_of_the_list_and_its_own_symbol_are_one_instrument(
    tmp_path: Path,
) -> None:
    stale = WatchlistEntry("Cask Limited", "NSE_EQ|OLD")
    async with watching(Files(ACME, CASK), tmp_path, entry("ACME"), stale) as day_list:
        await day_list.open(THURSDAY, NOON)
        with pytest.raises(ConfigError, match="CASK is already watched as Cask Limited"):
            await day_list.add("CASK", "Another name", NOON)
        assert symbols(day_list.latest) == ["ACME", "CASK", "NIFTY"]


async def test_a_full_list_takes_no_more(tmp_path: Path) -> None:
    many = [f"S{number}" for number in range(MOST_ENTRIES)]
    files = Files(*map(listing, many), ACME)
    async with watching(files, tmp_path, *map(entry, many)) as day_list:
        await day_list.open(THURSDAY, NOON)
        with pytest.raises(ConfigError, match="50 are the most: remove one first"):
            await day_list.add("ACME", None, NOON)


async def test_a_run_has_room_for_so_many_instruments_in_all(tmp_path: Path) -> None:
    many = [f"S{number}" for number in range(CAPACITY)]
    files = Files(*map(listing, many))
    async with watching(files, tmp_path, *map(entry, many)) as day_list:
        with pytest.raises(ConfigError, match=f"room for {CAPACITY} instruments.* would be 513"):
            await day_list.open(THURSDAY, NOON)
    kept = RunWatchlist([*map(entry, many[:-2])])
    async with watching(files, tmp_path, kept=kept) as day_list:
        await day_list.open(THURSDAY, NOON)
        kept.save([*map(entry, many[1:-1])])
        await day_list.remove(many[2], NOON)
        kept.save([*map(entry, many[3:])])
        with pytest.raises(ConfigError, match="those it ceased to watch counted"):
            await day_list.remove(many[4], NOON)


@pytest.mark.parametrize("what", ["BOLT", "bolt", "Bolt Ltd", "NSE_EQ|OLD", "NSE_EQ|BOLT"])
async def test_a_symbol_is_removed_by_any_of_its_names_even_todays_key(
    tmp_path: Path, what: str
) -> None:
    stale = entry("BOLT", "OLD")
    async with watching(Files(ACME, BOLT), tmp_path, entry("ACME"), stale) as day_list:
        await day_list.open(THURSDAY, NOON)
        assert symbols(await day_list.remove(what, NOON)) == ["ACME", "NIFTY"]
        with pytest.raises(ConfigError, match="is not in the watchlist"):
            await day_list.remove(what, NOON)


async def test_what_the_user_wrote_into_the_file_meanwhile_is_taken_with_the_next_change(
    workspace: Workspace, tmp_path: Path
) -> None:
    kept = FileWatchlist(workspace)
    async with watching(Files(ACME, BOLT, CASK), tmp_path / "i", kept=kept) as day_list:
        await day_list.open(THURSDAY, NOON)
        workspace.save_watchlist([entry("CASK"), entry("BOLT")])
        assert symbols(await day_list.remove("BOLT", NOON)) == ["CASK", "NIFTY"]


async def test_the_same_master_again_changes_nothing(tmp_path: Path) -> None:
    async with watching(Files(ACME), tmp_path, entry("ACME")) as day_list:
        first = await day_list.open(THURSDAY, NOON)
        assert await day_list.renew(FRIDAY, NOON) is None
        assert day_list.latest is first


async def test_F46_a_changed_isin_keeps_the_symbol_and_its_past_is_void(tmp_path: Path) -> None:
    files = Files(listing("ACME", "INE1"), BOLT)
    async with watching(files, tmp_path, entry("ACME", "INE1"), entry("BOLT")) as day_list:
        await day_list.open(THURSDAY, NOON)
        files.lists(listing("ACME", "INE2"), BOLT)
        made = await day_list.renew(FRIDAY, NOON)
        assert made is not None
        assert symbols(made) == ["ACME", "BOLT", "NIFTY"]
        assert made.instruments[0].instrument_key == "NSE_EQ|INE2"
        assert made.restated == ("ACME",)
        assert made.notes == (
            "ACME: its past prices are read again, as they are after the change",
            "Acme Ltd: key NSE_EQ|INE1 is no longer listed; using NSE_EQ|INE2 (ACME)",
        )
        assert (await day_list.add("NIFTY", None, NOON)).notes == ()


@pytest.mark.parametrize(
    ("changed", "note", "restated"),
    [
        ({"lot_size": 25}, "ACME: a lot is 25 now, it was 1", ()),
        ({"tick_size": 10.0}, "ACME: the tick is ₹0.1 now, it was ₹0.05", ()),
        ({"tick_size": 0.5}, "ACME: the tick is ₹0.005 now, it was ₹0.05", ("ACME",)),
        ({"cas_eligible": True}, "ACME: it closes by auction now, so its session ends", ()),
    ],
)
async def test_F46_what_a_new_day_changes_of_an_instrument_is_said(
    tmp_path: Path, changed: dict[str, Any], note: str, restated: tuple[str, ...]
) -> None:
    files = Files(ACME)
    async with watching(files, tmp_path, entry("ACME")) as day_list:
        await day_list.open(THURSDAY, NOON)
        files.lists(listing("ACME", **changed))
        made = await day_list.renew(FRIDAY, NOON)
        assert made is not None
        assert [text[: len(note)] for text in made.notes] == [note]
        assert made.restated == restated


async def test_F46_a_renamed_share_keeps_the_name_of_the_list(tmp_path: Path) -> None:
    files = Files(listing("ACME", "INE1"))
    async with watching(files, tmp_path, entry("ACME", "INE1")) as day_list:
        await day_list.open(THURSDAY, NOON)
        files.lists(listing("NEWNAME", "INE1"))
        made = await day_list.renew(FRIDAY, NOON)
        assert made is not None
        assert symbols(made) == ["ACME", "NIFTY"]
        assert made.notes == ("Acme Ltd: the exchange calls it NEWNAME now, it was ACME",)


async def test_F46_a_delisted_share_is_named_and_the_others_work(tmp_path: Path) -> None:
    files = Files(ACME, BOLT)
    async with watching(files, tmp_path, entry("ACME"), entry("BOLT")) as day_list:
        await day_list.open(THURSDAY, NOON)
        files.lists(BOLT)
        made = await day_list.renew(FRIDAY, NOON)
        assert made is not None
        assert symbols(made) == ["BOLT", "NIFTY"]
        (note,) = made.notes
        assert note.startswith("Acme Ltd: key NSE_EQ|ACME is not listed today")
        files.lists(ACME, BOLT)
        back = await day_list.renew(FRIDAY, NOON)
        assert symbols(back) == ["ACME", "BOLT", "NIFTY"]


async def test_F46_a_suspended_share_is_called_that(tmp_path: Path) -> None:
    files = Files(BOLT)
    files.suspended = [ACME]
    async with watching(files, tmp_path, entry("ACME"), entry("BOLT")) as day_list:
        first = await day_list.open(THURSDAY, NOON)
        assert first.notes == (
            "Acme Ltd: NSE_EQ|ACME is suspended by the exchange; it is followed again as soon as "
            "it is listed",
        )


async def test_F46_nothing_is_delisted_within_a_day_and_the_next_day_believes_it(
    tmp_path: Path,
) -> None:
    files = Files(ACME, BOLT, CASK)
    async with watching(files, tmp_path, entry("ACME"), entry("BOLT")) as day_list:
        await day_list.open(THURSDAY, NOON)
        files.lists(BOLT, CASK)
        made = await day_list.renew(THURSDAY, NOON)
        assert made is not None
        assert symbols(made) == ["ACME", "BOLT", "NIFTY"]
        assert made.notes == (
            "Acme Ltd: the broker's newest instruments leave NSE_EQ|ACME out; it is followed "
            "until the day ends",
        )
        assert symbols(await day_list.renew(FRIDAY, NOON)) == ["BOLT", "NIFTY"]


@pytest.mark.parametrize("trouble", [404, b"damaged"])
async def test_F46_a_missing_or_damaged_master_leaves_the_last_one_in_use(
    tmp_path: Path, trouble: bytes | int
) -> None:
    files = Files(ACME)
    async with watching(files, tmp_path, entry("ACME")) as day_list:
        first = await day_list.open(THURSDAY, NOON)
        files.master = trouble
        with pytest.raises(BrokerError):
            await day_list.renew(FRIDAY, NOON)
        assert (day_list.latest, day_list.master_day) == (first, THURSDAY)
        assert (await day_list.search(Wanted("acme"))).total == 1


async def test_F46_a_master_without_anything_of_the_list_is_not_believed(tmp_path: Path) -> None:
    files = Files(ACME)
    async with watching(files, tmp_path, entry("ACME")) as day_list:
        first = await day_list.open(THURSDAY, NOON)
        files.lists(BOLT)
        with pytest.raises(BrokerError, match="hold nothing of the list"):
            await day_list.renew(FRIDAY, NOON)
        assert day_list.latest is first


async def test_a_file_that_was_broken_meanwhile_does_not_stop_the_day(
    workspace: Workspace, tmp_path: Path
) -> None:
    files = Files(ACME, BOLT)
    async with watching(files, tmp_path / "i", kept=FileWatchlist(workspace)) as day_list:
        await day_list.open(THURSDAY, NOON)
        workspace.symbols.write_text("no list")
        files.lists(ACME, listing("BOLT", lot_size=5))
        made = await day_list.renew(FRIDAY, NOON)
        assert made is not None
        assert symbols(made) == ["ACME", "BOLT", "NIFTY"]
        assert made.notes[0].startswith("the list stays as it was read last: ")
        with pytest.raises(ConfigError, match="this is not JSON"):
            await day_list.add("NIFTY", None, NOON)


async def test_a_search_tells_what_is_watched_and_finds_derivatives_when_asked(
    tmp_path: Path,
) -> None:
    async with watching(Files(ACME, BOLT, OPTION), tmp_path, entry("ACME")) as day_list:
        await day_list.open(THURSDAY, NOON)
        shares = await day_list.search(Wanted("acme"))
        assert [(one.symbol, one.kind, one.is_watched) for one in shares.found] == [
            ("ACME", "equity", True)
        ]
        (option,) = (await day_list.search(Wanted("acme", strike=800.0))).found
        assert (option.kind, option.expiry, option.strike, option.lot_size) == (
            "call",
            date(2026, 12, 3),
            800.0,
            75,
        )
        assert (await day_list.search(Wanted("nifty"))).found[0].is_watched is False


async def test_a_past_at_another_level_is_void_and_that_is_said(tmp_path: Path) -> None:
    async with watching(Files(ACME), tmp_path, entry("ACME")) as day_list:
        await day_list.open(THURSDAY, NOON)
        made = day_list.restate(["ACME"], NOON + 1)
        assert (made.restated, symbols(made), made.at_ns) == (
            ("ACME",),
            ["ACME", "NIFTY"],
            NOON + 1,
        )
        assert made.notes[0].startswith("ACME: the broker tells its past prices at another level")
        assert (await day_list.add("NIFTY", None, NOON)).restated == ()
