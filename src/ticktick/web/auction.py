"""What a running auction would come to, as the page and the API show it."""

from typing import Final

from ticktick.domain.sessions import Phase
from ticktick.market.table import SlotTable
from ticktick.web.messages import Auction

AUCTIONS: Final = frozenset({Phase.PRE_OPEN, Phase.AUCTION})


def auction(table: SlotTable, row: int, phase: Phase) -> Auction | None:
    """The auction of a row in price units; None outside one, and before anything was told.

    A price of 0 says that no orders meet yet: then nobody knows a quantity or what is left over.
    """
    if phase not in AUCTIONS or not table.instruments[row].has_volume:
        return None
    record = table.records[row]
    price, reference = int(record["auction_price"]), int(record["reference_price"])
    if not price and not reference:
        return None
    return Auction(
        price=price or None,
        quantity=int(record["auction_quantity"]) if price else None,
        left_over=int(record["auction_imbalance"]) if price else None,
        left_over_at_market=int(record["auction_imbalance_at_market"]) if price else None,
        reference_price=reference or None,
    )
