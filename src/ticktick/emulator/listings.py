"""What the built-in exchange lists: identities as in the instrument master, and how each trades.

Prices are integers in paise. `tick_size` is in paise too, as the master tells it.
"""

from datetime import date
from enum import StrEnum
from typing import Final

from msgspec import Struct

from ticktick.domain.instrument import Kind


class Sector(StrEnum):
    """Stocks of one sector share a part of their moves."""

    BANK = "bank"
    IT = "it"
    OTHER = "other"


class Contract(Struct, frozen=True):
    """What makes a derivative; `strike` is in paise, 0 for a future."""

    underlying_key: str
    underlying_symbol: str
    expiry: date
    strike: int
    weekly: bool
    freeze_quantity: int


class Listing(Struct, frozen=True):
    """One line of the instrument master."""

    key: str
    symbol: str
    name: str
    short_name: str
    token: str
    kind: Kind
    tick_size: int = 5
    lot_size: int = 1
    cas_eligible: bool = False
    contract: Contract | None = None

    @property
    def segment(self) -> str:
        """The part of the key before the bar: `NSE_EQ`."""
        return self.key.partition("|")[0]

    @property
    def quote_key(self) -> str:
        """How quotes are keyed in REST answers: `NSE_EQ:RELIANCE`."""
        return f"{self.segment}:{self.symbol}"


BAND: Final = 0.10


def price_band(previous_close: int, tick_size: int) -> tuple[int, int]:
    """The day's lowest and highest price in whole ticks; all in paise."""
    return (
        round(previous_close * (1 - BAND) / tick_size) * tick_size,
        round(previous_close * (1 + BAND) / tick_size) * tick_size,
    )


class Temper(Struct, frozen=True):
    """How one stock trades in the market model.

    `base_price` is the close before the first day, in paise; `trades_per_s` and
    `usual_quantity` (shares, median) are day averages; `refresh` is the chance that the book
    changes in a quarter of a second; `swing` scales the usual daily move; `nifty` and `bank`
    are index weights, in any unit.
    """

    base_price: int
    sector: Sector
    trades_per_s: float
    usual_quantity: int
    refresh: float
    swing: float
    nifty: float
    bank: float = 0.0


def _stock(symbol: str, isin: str, token: str, tick_size: int, short: str, name: str) -> Listing:
    return Listing(
        key=f"NSE_EQ|{isin}",
        symbol=symbol,
        name=name,
        short_name=short,
        token=token,
        kind=Kind.EQUITY,
        tick_size=tick_size,
        cas_eligible=True,
    )


def _index(symbol: str, name: str, token: str) -> Listing:
    return Listing(
        key=f"NSE_INDEX|{name}",
        symbol=symbol,
        name=name,
        short_name=name,
        token=token,
        kind=Kind.INDEX,
    )


STOCKS: Final = (
    _stock("RELIANCE", "INE002A01018", "2885", 10, "Reliance", "RELIANCE INDUSTRIES LTD"),
    _stock("TCS", "INE467B01029", "11536", 10, "TCS", "TATA CONSULTANCY SERV LT"),
    _stock("INFY", "INE009A01021", "1594", 10, "Infosys", "INFOSYS LIMITED"),
    _stock("HDFCBANK", "INE040A01034", "1333", 5, "HDFC Bank", "HDFC BANK LTD"),
    _stock("ICICIBANK", "INE090A01021", "4963", 10, "ICICI Bank", "ICICI BANK LTD."),
    _stock("HINDUNILVR", "INE030A01027", "1394", 10, "HUL", "HINDUSTAN UNILEVER LTD."),
    _stock("ITC", "INE154A01025", "1660", 5, "ITC", "ITC LTD"),
    _stock("SBIN", "INE062A01020", "3045", 5, "SBI", "STATE BANK OF INDIA"),
    _stock("BHARTIARTL", "INE397D01024", "10604", 10, "Bharti Airtel", "BHARTI AIRTEL LIMITED"),
    _stock("KOTAKBANK", "INE237A01028", "1922", 10, "Kotak Bank", "KOTAK MAHINDRA BANK LTD"),
    _stock("LT", "INE018A01030", "11483", 10, "Larsen & Toubro", "LARSEN & TOUBRO LTD."),
    _stock("ASIANPAINT", "INE021A01026", "236", 10, "Asian Paints", "ASIAN PAINTS LIMITED"),
    _stock("MARUTI", "INE585B01010", "10999", 100, "Maruti Suzuki", "MARUTI SUZUKI INDIA LTD."),
    _stock("BAJFINANCE", "INE296A01032", "317", 5, "Bajaj Finance", "BAJAJ FINANCE LIMITED"),
    _stock("HCLTECH", "INE860A01027", "7229", 10, "HCL Tech", "HCL TECHNOLOGIES LTD"),
)

NIFTY_BASE: Final = 2_589_250
BANK_BASE: Final = 5_812_340
VIX_BASE: Final = 1_342

INDICES: Final = (
    _index("NIFTY", "Nifty 50", "26000"),
    _index("BANKNIFTY", "Nifty Bank", "26009"),
    _index("INDIA VIX", "India VIX", "26017"),
)

LISTINGS: Final = STOCKS + INDICES

TEMPERS: Final = (
    Temper(141_250, Sector.OTHER, 2.0, 60, 0.7, 1.0, nifty=9.0),
    Temper(302_400, Sector.IT, 1.0, 20, 0.5, 1.0, nifty=3.5),
    Temper(151_360, Sector.IT, 1.6, 45, 0.6, 1.1, nifty=5.5),
    Temper(98_540, Sector.BANK, 2.4, 110, 0.75, 0.9, nifty=12.5, bank=28.0),
    Temper(136_820, Sector.BANK, 2.0, 75, 0.7, 0.9, nifty=8.5, bank=25.0),
    Temper(238_150, Sector.OTHER, 0.8, 18, 0.45, 0.8, nifty=2.0),
    Temper(40_235, Sector.OTHER, 1.6, 160, 0.6, 0.8, nifty=3.2),
    Temper(97_815, Sector.BANK, 2.0, 95, 0.7, 1.1, nifty=3.3, bank=9.0),
    Temper(208_570, Sector.OTHER, 1.2, 35, 0.55, 1.0, nifty=4.8),
    Temper(212_980, Sector.BANK, 1.0, 28, 0.5, 1.0, nifty=2.6, bank=8.5),
    Temper(402_310, Sector.OTHER, 1.0, 16, 0.5, 1.1, nifty=4.0),
    Temper(281_640, Sector.OTHER, 0.6, 14, 0.4, 1.0, nifty=1.2),
    Temper(1_621_700, Sector.OTHER, 0.5, 4, 0.4, 1.1, nifty=1.6),
    Temper(101_465, Sector.BANK, 1.4, 70, 0.55, 1.3, nifty=2.2),
    Temper(164_390, Sector.IT, 0.9, 26, 0.5, 1.2, nifty=1.4),
)
