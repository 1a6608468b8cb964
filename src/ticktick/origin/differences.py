"""What the instruments of a new day change: sentences for the user, and whose past is void."""

from collections.abc import Iterable, Iterator

from ticktick.domain.instrument import Instrument


def differences(before: Iterable[Instrument], after: Iterable[Instrument]) -> Iterator[str]:
    """A sentence for each change of an instrument that is watched before and after.

    A changed key is not among them: whoever resolves the list names it.
    """
    for old, new in _pairs(before, after):
        if new.lot_size != old.lot_size:
            yield f"{new.symbol}: a lot is {new.lot_size} now, it was {old.lot_size}"
        old_tick, new_tick = old.rupees(old.tick_size), new.rupees(new.tick_size)
        if new_tick != old_tick:
            yield f"{new.symbol}: the tick is ₹{new_tick:f} now, it was ₹{old_tick:f}"
        if new.has_closing_auction != old.has_closing_auction:
            does = "closes by auction now" if new.has_closing_auction else "has no auction any more"
            yield f"{new.symbol}: it {does}, so its session ends at another time"
        if new.instrument_key != old.instrument_key:
            yield f"{new.symbol}: its past prices are read again, as they are after the change"


def restated(before: Iterable[Instrument], after: Iterable[Instrument]) -> tuple[str, ...]:
    """Symbols whose prices before and after may not be compared: another key or price unit."""
    return tuple(
        new.symbol
        for old, new in _pairs(before, after)
        if (old.instrument_key, old.price_scale) != (new.instrument_key, new.price_scale)
    )


def _pairs(
    before: Iterable[Instrument], after: Iterable[Instrument]
) -> Iterator[tuple[Instrument, Instrument]]:
    earlier = {instrument.symbol: instrument for instrument in before}
    for new in after:
        old = earlier.get(new.symbol)
        if old is not None:
            yield old, new
