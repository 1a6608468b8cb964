# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Frames of the feed straight from the wire into rows of the slot table.

It reads what the broker's feed really sends, each part once, in the order of the schema, and skips
and counts fields that the schema does not know. Whatever is odd about a frame (a part told twice
or out of order, a value that cannot be, an instrument nobody asked for, damage) makes it hand the
whole frame back with the table untouched, and the clear decoder judges it. Of the frames it takes
it tells exactly what the clear one would; so nothing here has to know what to do with a bad frame,
only to notice it.
"""

from libc.math cimport NAN, fabs, isfinite
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport qsort
from libc.string cimport memcpy, memset

from ticktick.brokers.upstox.wire_format cimport (
    Place,
    is_ascii,
    part,
    real,
    signed,
    unknown_fields,
    whole,
)

import sys

import numpy as np

from ticktick.domain.slots import ALL_LEVELS, DEEP_LEVELS, DEEP_WORD_OF, DEPTH_LEVELS, WORD_OF

if sys.byteorder != "little":
    raise ImportError("the compiled decoder reads numbers as they lie in the memory of this machine")

cdef extern from "<math.h>" nogil:
    long long llrint(double x)  # half to even

cdef enum:
    SHORTEST_KEY = 8
    MOST_WORDS = 64  # segments whose state one frame tells

cdef double MOST = 2.0**53  # beyond it a double no longer counts in ones
cdef int64_t NS_PER_MS = 1_000_000
cdef int64_t LATEST_MS = 2**63 // 1_000_000 - 1
cdef int64_t MINUTE_MS = 60_000
cdef double NOTHING = 0.5  # price units that round to none
cdef double OFF_GRID = 0.001  # price units from a whole one: more than a double's error
cdef int USUAL = DEPTH_LEVELS
cdef int ALL = ALL_LEVELS

cdef int LAST_PRICE = WORD_OF["last_price"]
cdef int LAST_TRADE = WORD_OF["last_trade_ns"]
cdef int LAST_QUANTITY = WORD_OF["last_quantity"]
cdef int PREVIOUS_CLOSE = WORD_OF["previous_close"]
cdef int BID_PRICE = WORD_OF["bid_price"]
cdef int BID_QUANTITY = WORD_OF["bid_quantity"]
cdef int ASK_PRICE = WORD_OF["ask_price"]
cdef int ASK_QUANTITY = WORD_OF["ask_quantity"]
cdef int DEEP_BID_PRICE = DEEP_WORD_OF["bid_price"]
cdef int DEEP_BID_QUANTITY = DEEP_WORD_OF["bid_quantity"]
cdef int DEEP_ASK_PRICE = DEEP_WORD_OF["ask_price"]
cdef int DEEP_ASK_QUANTITY = DEEP_WORD_OF["ask_quantity"]
cdef int TOLD_LEVELS = WORD_OF["told_levels"]
cdef int TOTAL_BID = WORD_OF["total_bid_quantity"]
cdef int TOTAL_ASK = WORD_OF["total_ask_quantity"]
cdef int AVERAGE = WORD_OF["average_price"]
cdef int VOLUME = WORD_OF["volume"]
cdef int INTEREST = WORD_OF["open_interest"]
cdef int DAY_OPEN = WORD_OF["day_open"]
cdef int MINUTE = WORD_OF["minute_start_ns"]
cdef int MINUTE_OPEN = WORD_OF["minute_open"]
cdef int MINUTE_VOLUME = WORD_OF["minute_volume"]
cdef int AUCTION_PRICE = WORD_OF["auction_price"]
cdef int REFERENCE_PRICE = WORD_OF["reference_price"]
cdef int AUCTION_QUANTITY = WORD_OF["auction_quantity"]
cdef int IMBALANCE = WORD_OF["auction_imbalance"]
cdef int IMBALANCE_AT_MARKET = WORD_OF["auction_imbalance_at_market"]
cdef int CLOSES_BY_AUCTION = WORD_OF["closes_by_auction"]
cdef int VOLATILITY = WORD_OF["implied_volatility"]
cdef int DELTA = WORD_OF["delta"]
cdef int WIDTH = max(WORD_OF.values()) + 1
cdef int DEEP_WIDTH = 4 * DEEP_LEVELS


cdef struct Slot:
    int64_t* words
    int64_t* deep
    double scale
    int64_t sent_ms
    int unknown
    int off_grid
    bint wrote
    bint whole


# --- values --------------------------------------------------------------------------------------

cdef inline bint price_units(Slot* s, double rupees, int64_t* units) noexcept nogil:
    """Whole price units, half to even; false for what no market sends."""
    cdef double found = rupees * s.scale
    if not 0.0 <= found <= MOST:  # true for what is not a number
        return False
    units[0] = llrint(found)
    if fabs(found - <double>units[0]) > OFF_GRID:
        s.off_grid += 1
    return True


cdef inline bint put_price(Slot* s, int word, double rupees) noexcept nogil:
    return price_units(s, rupees, &s.words[word])


cdef inline bint put_whole(Slot* s, int word, int64_t count) noexcept nogil:
    s.words[word] = count
    return count <= <int64_t>MOST


cdef inline bint put_time(Slot* s, int word, int64_t at_ms) noexcept nogil:
    if at_ms > LATEST_MS:
        return False
    s.words[word] = at_ms * NS_PER_MS
    return True


cdef inline void put_statistic(Slot* s, int word, double value) noexcept nogil:
    (<double*>&s.words[word])[0] = value if isfinite(value) else NAN


cdef inline void tell(Slot* s, int word, int64_t value) noexcept nogil:
    """A number of the whole day; in a partial packet 0 is not told."""
    if s.whole or value:
        s.wrote = True
        s.words[word] = value


cdef inline bint tell_whole(Slot* s, int word, int64_t count) noexcept nogil:
    tell(s, word, count)
    return count <= <int64_t>MOST


cdef inline bint tell_real(Slot* s, int word, double count) noexcept nogil:
    if not 0.0 <= count <= MOST:
        return False
    tell(s, word, <int64_t>count)
    return True


cdef inline bint tell_surplus(Slot* s, int word, int64_t count) noexcept nogil:
    tell(s, word, count)
    return -<int64_t>MOST <= count <= <int64_t>MOST


cdef inline bint tell_price(Slot* s, int word, double rupees) noexcept nogil:
    cdef int64_t units
    if not price_units(s, rupees, &units):
        return False
    tell(s, word, units)
    return True


cdef inline bint over(Slot* s, Place p, Place end, int last_known) noexcept nogil:
    """Whether nothing is left but fields behind the last one known, which are counted."""
    cdef int left
    if p == end:
        return True
    left = unknown_fields(p, end, last_known)
    s.unknown += left
    return left > 0


# --- packets -------------------------------------------------------------------------------------

cdef bint read_trade(Slot* s, Place p, Place end) noexcept nogil:
    """The last trade; one without price and time tells only what stands beside it."""
    cdef double price = 0.0, close = 0.0, auction = 0.0
    cdef int64_t at_ms = 0, quantity = 0, units, auction_units
    cdef Place wrapped
    p = real(p, end, 0x09, &price)
    p = whole(p, end, 0x10, &at_ms)
    p = whole(p, end, 0x18, &quantity)
    p = real(p, end, 0x21, &close)
    p = part(p, end, 0x2A, &wrapped)
    if wrapped != NULL and not over(s, real(wrapped, p, 0x09, &auction), p, 1):
        return False
    if not over(s, p, end, 5):
        return False
    if not price_units(s, close, &units) or not price_units(s, auction, &auction_units):
        return False
    if price != 0.0 or at_ms != 0:
        if price * s.scale <= NOTHING:  # the clear decoder says why
            return False
        s.whole = True
    tell(s, PREVIOUS_CLOSE, units)
    tell(s, AUCTION_PRICE, auction_units)
    return not s.whole or (
        put_price(s, LAST_PRICE, price)
        and (at_ms == 0 or put_time(s, LAST_TRADE, at_ms))
        and put_whole(s, LAST_QUANTITY, quantity)
    )


cdef struct Level:
    double bid
    double ask
    int64_t bids
    int64_t asks


cdef inline bint read_quote(Slot* s, Place p, Place end, Level* level) noexcept nogil:
    level.bid = level.ask = 0.0
    level.bids = level.asks = 0
    p = whole(p, end, 0x08, &level.bids)
    p = real(p, end, 0x11, &level.bid)
    p = whole(p, end, 0x18, &level.asks)
    p = real(p, end, 0x21, &level.ask)
    return over(s, p, end, 4)


cdef inline bint put_usual(Slot* s, int place, Level* level) noexcept nogil:
    return (
        put_price(s, BID_PRICE + place, level.bid)
        and put_price(s, ASK_PRICE + place, level.ask)
        and put_whole(s, BID_QUANTITY + place, level.bids)
        and put_whole(s, ASK_QUANTITY + place, level.asks)
    )


cdef inline bint put_deep(Slot* s, int place, Level* level) noexcept nogil:
    s.deep[DEEP_BID_QUANTITY + place] = level.bids
    s.deep[DEEP_ASK_QUANTITY + place] = level.asks
    return (
        level.bids <= <int64_t>MOST
        and level.asks <= <int64_t>MOST
        and price_units(s, level.bid, &s.deep[DEEP_BID_PRICE + place])
        and price_units(s, level.ask, &s.deep[DEEP_ASK_PRICE + place])
    )


cdef void empty_levels(Slot* s, int told) noexcept nogil:
    """The levels behind those told are empty, also those that were told before."""
    cdef int level = told
    while level < USUAL:
        s.words[BID_PRICE + level] = s.words[BID_QUANTITY + level] = 0
        s.words[ASK_PRICE + level] = s.words[ASK_QUANTITY + level] = 0
        level += 1
    if s.words[TOLD_LEVELS] > USUAL and told <= USUAL:
        memset(s.deep, 0, DEEP_WIDTH * sizeof(int64_t))
    elif told > USUAL:
        level = told - USUAL
        while level < ALL - USUAL:
            s.deep[DEEP_BID_PRICE + level] = s.deep[DEEP_BID_QUANTITY + level] = 0
            s.deep[DEEP_ASK_PRICE + level] = s.deep[DEEP_ASK_QUANTITY + level] = 0
            level += 1
    s.words[TOLD_LEVELS] = told


cdef bint read_depth(Slot* s, Place p, Place end) noexcept nogil:
    """Both sides of the book, best level first; behind the last level kept only their form."""
    cdef Place quote
    cdef Level level
    cdef int told = 0
    s.wrote = True
    p = part(p, end, 0x0A, &quote)
    while quote != NULL:
        if not read_quote(s, quote, p, &level):
            return False
        if told < USUAL:
            if not put_usual(s, told, &level):
                return False
        elif told < ALL:
            if not put_deep(s, told - USUAL, &level):
                return False
        told += told < ALL
        p = part(p, end, 0x0A, &quote)
    empty_levels(s, told)
    return over(s, p, end, 1)


cdef bint read_greeks(Slot* s, Place p, Place end) noexcept nogil:
    """Delta, theta, gamma, vega, rho, in the order of the fields and of the slot."""
    cdef double value
    cdef int i
    for i in range(5):
        value = 0.0
        p = real(p, end, <uint8_t>((i + 1) << 3 | 1), &value)
        put_statistic(s, DELTA + i, value)
    s.wrote = True
    return over(s, p, end, 5)


cdef struct Bar:
    double prices[4]
    int64_t volume
    int64_t start_ms
    bint found


cdef bint read_bar(Slot* s, Place p, Place end, Bar* bar, uint8_t* kind) noexcept nogil:
    """One candle; `kind` is its interval: D for a day, M for a minute, 0 for any other."""
    cdef Place text
    cdef int i
    kind[0] = 0
    bar.volume = bar.start_ms = 0
    p = part(p, end, 0x0A, &text)
    if text != NULL:
        if p - text == 2 and text[0] == b"1" and text[1] == b"d":
            kind[0] = b"D"
        elif p - text == 2 and text[0] == b"I" and text[1] == b"1":
            kind[0] = b"M"
        elif not is_ascii(text, p):
            return False
    for i in range(4):
        bar.prices[i] = 0.0
        p = real(p, end, <uint8_t>((i + 2) << 3 | 1), &bar.prices[i])
    p = whole(p, end, 0x30, &bar.volume)
    p = whole(p, end, 0x38, &bar.start_ms)
    return over(s, p, end, 7)


cdef bint is_candle(Bar* bar, double scale) noexcept nogil:
    cdef double opened = bar.prices[0], high = bar.prices[1]
    cdef double low = bar.prices[2], close = bar.prices[3]
    return (
        bar.start_ms > 0
        and bar.start_ms % MINUTE_MS == 0
        and low * scale > NOTHING
        and low <= opened <= high
        and low <= close <= high
    )


cdef bint put_bar(Slot* s, int word, Bar* bar) noexcept nogil:
    cdef int i
    s.wrote = True
    for i in range(4):
        if not put_price(s, word + i, bar.prices[i]):
            return False
    return True


cdef bint read_bars(Slot* s, Place p, Place end) noexcept nogil:
    """The newest day and the newest minute that is over; the list may hold more of each."""
    cdef Bar bar, day, minute
    cdef Place inside
    cdef uint8_t kind
    day.found = minute.found = False
    day.start_ms = minute.start_ms = day.volume = minute.volume = 0
    bar.found = True
    p = part(p, end, 0x0A, &inside)
    while inside != NULL:
        if not read_bar(s, inside, p, &bar, &kind):
            return False
        if kind == b"D":
            if not day.found or bar.start_ms > day.start_ms:
                day = bar
        elif kind == b"M" and bar.start_ms <= s.sent_ms - MINUTE_MS:
            if not minute.found or bar.start_ms > minute.start_ms:
                minute = bar
        p = part(p, end, 0x0A, &inside)
    if not over(s, p, end, 1) or (day.found and not put_bar(s, DAY_OPEN, &day)):
        return False
    return not minute.found or (
        is_candle(&minute, s.scale)
        and put_bar(s, MINUTE_OPEN, &minute)
        and put_whole(s, MINUTE_VOLUME, minute.volume)
        and put_time(s, MINUTE, minute.start_ms)
    )


cdef inline bint tell_volatility(Slot* s, double volatility) noexcept nogil:
    if s.whole or volatility != 0.0:
        s.wrote = True
        put_statistic(s, VOLATILITY, volatility)
    return True


cdef bint read_auction(Slot* s, Place p, Place end) noexcept nogil:
    """The fields of an auction, the last ones of a share's packet."""
    cdef double price = 0.0, reference = 0.0
    cdef int64_t quantity = 0, surplus = 0, at_market = 0, eligible = 0, units = 0
    p = real(p, end, 0x59, &price)
    p = real(p, end, 0x61, &reference)
    p = whole(p, end, 0x68, &quantity)
    p = signed(p, end, 0x70, &surplus)
    p = signed(p, end, 0x78, &at_market)
    if end - p > 2 and p[0] == 0x80 and p[1] == 0x01:  # its tag has two bytes
        p = whole(p + 1, end, 0x01, &eligible)
    if not over(s, p, end, 16) or not price_units(s, price, &units):
        return False
    if units:  # else it is the one of the last trade
        tell(s, AUCTION_PRICE, units)
    tell(s, CLOSES_BY_AUCTION, eligible != 0)
    return (
        tell_price(s, REFERENCE_PRICE, reference)
        and tell_whole(s, AUCTION_QUANTITY, quantity)
        and tell_surplus(s, IMBALANCE, surplus)
        and tell_surplus(s, IMBALANCE_AT_MARKET, at_market)
    )


cdef bint read_market(Slot* s, Place p, Place end) noexcept nogil:
    cdef double average = 0.0, interest = 0.0, volatility = 0.0, bids = 0.0, asks = 0.0
    cdef int64_t volume = 0, units
    cdef int off_grid
    cdef Place inside
    p = part(p, end, 0x0A, &inside)
    if inside != NULL and not read_trade(s, inside, p):
        return False
    p = part(p, end, 0x12, &inside)
    if inside != NULL and not read_depth(s, inside, p):
        return False
    p = part(p, end, 0x1A, &inside)
    if inside != NULL and not read_greeks(s, inside, p):
        return False
    p = part(p, end, 0x22, &inside)
    if inside != NULL and not read_bars(s, inside, p):
        return False
    p = real(p, end, 0x29, &average)
    p = whole(p, end, 0x30, &volume)
    p = real(p, end, 0x39, &interest)
    p = real(p, end, 0x41, &volatility)
    p = real(p, end, 0x49, &bids)
    p = real(p, end, 0x51, &asks)
    off_grid = s.off_grid  # an average has no grid to be off
    if not price_units(s, average, &units):
        return False
    s.off_grid = off_grid
    tell(s, AVERAGE, units)
    return (
        tell_whole(s, VOLUME, volume)
        and tell_real(s, INTEREST, interest)
        and tell_volatility(s, volatility)
        and tell_real(s, TOTAL_BID, bids)
        and tell_real(s, TOTAL_ASK, asks)
        and read_auction(s, p, end)
    )


cdef bint read_index(Slot* s, Place p, Place end) noexcept nogil:
    cdef Place inside
    p = part(p, end, 0x0A, &inside)
    if inside != NULL and not read_trade(s, inside, p):
        return False
    p = part(p, end, 0x12, &inside)
    if inside != NULL and not read_bars(s, inside, p):
        return False
    return over(s, p, end, 2)


cdef bint read_full(Slot* s, Place p, Place end) noexcept nogil:
    """Of a share or contract, or of an index; told once."""
    cdef Place market, index = NULL
    p = part(p, end, 0x0A, &market)
    if market != NULL:
        return read_market(s, market, p) and over(s, p, end, 2)
    p = part(p, end, 0x12, &index)
    return (index == NULL or read_index(s, index, p)) and over(s, p, end, 2)


cdef bint read_first_level(Slot* s, Place p, Place end) noexcept nogil:
    cdef double interest = 0.0, volatility = 0.0
    cdef int64_t volume = 0
    cdef Place inside
    cdef Level level
    p = part(p, end, 0x0A, &inside)
    if inside != NULL and not read_trade(s, inside, p):
        return False
    p = part(p, end, 0x12, &inside)
    if inside != NULL:
        s.wrote = True
        if not read_quote(s, inside, p, &level) or not put_usual(s, 0, &level):
            return False
        empty_levels(s, 1)
    p = part(p, end, 0x1A, &inside)
    if inside != NULL and not read_greeks(s, inside, p):
        return False
    p = whole(p, end, 0x20, &volume)
    p = real(p, end, 0x29, &interest)
    p = real(p, end, 0x31, &volatility)
    return (
        over(s, p, end, 6)
        and tell_whole(s, VOLUME, volume)
        and tell_real(s, INTEREST, interest)
        and tell_volatility(s, volatility)
    )


cdef bint read_packet(Slot* s, Place p, Place end) noexcept nogil:
    """One instrument's packet: one kind of feed, before or behind the mode it was asked for in."""
    cdef int64_t mode = -1
    cdef Place full, trade = NULL, first = NULL
    p = whole(p, end, 0x20, &mode)
    p = part(p, end, 0x12, &full)
    if full != NULL:
        if not read_full(s, full, p):
            return False
    else:
        p = part(p, end, 0x0A, &trade)
        if trade != NULL:
            if not read_trade(s, trade, p):
                return False
        else:
            p = part(p, end, 0x1A, &first)
            if first != NULL and not read_first_level(s, first, p):
                return False
    if mode < 0:
        p = whole(p, end, 0x20, &mode)
    return over(s, p, end, 4)


# --- frames --------------------------------------------------------------------------------------

cdef struct Word:
    Place name
    Place name_end
    Place status
    Place status_end
    int64_t number
    int kind  # the number of its field: 1 segment, 2 closing auction, 3 pre-open session


cdef inline bint read_status(Place p, Place end, Word* word) noexcept nogil:
    """A word and the time of its last change, which the frame's own replaces."""
    cdef int64_t ignored
    p = part(p, end, 0x0A, &word.status)
    word.status_end = p
    if word.status == NULL:
        word.status = p
    return is_ascii(word.status, word.status_end) and signed(p, end, 0x10, &ignored) == end


cdef inline bint read_word(Place p, Place end, Word* word) noexcept nogil:
    """A segment's name and its state."""
    cdef Place inside
    word.number = 0
    p = part(p, end, 0x0A, &word.name)
    word.name_end = p
    if word.name == NULL or not is_ascii(word.name, p):
        return False
    if word.kind == 1:
        return whole(p, end, 0x10, &word.number) == end and word.number < 128
    p = part(p, end, 0x12, &inside)
    return inside != NULL and p == end and read_status(inside, p, word)


cdef int ascending(const void* one, const void* other) noexcept nogil:
    return (<int32_t*>one)[0] - (<int32_t*>other)[0]


cdef void sort(int32_t* rows, int count) noexcept nogil:
    """Ascending; usually they are."""
    cdef int i
    for i in range(1, count):
        if rows[i] < rows[i - 1]:
            qsort(rows, count, sizeof(int32_t), ascending)
            return


cdef inline uint64_t mixed(const uint8_t* key, int64_t size) noexcept nogil:
    """A hash of the last eight bytes, which tell instruments apart, and of the length."""
    cdef uint64_t tail
    memcpy(&tail, key + size - SHORTEST_KEY, SHORTEST_KEY)
    tail = (tail ^ <uint64_t>size) * <uint64_t>0x9E3779B97F4A7C15
    return tail ^ (tail >> 32)


cdef inline bint is_same(const uint8_t* one, const uint8_t* other, int64_t size) noexcept nogil:
    """Whether two keys of the same size, at least eight bytes, are equal: the last eight first."""
    cdef uint64_t a, b
    cdef int64_t at = size - SHORTEST_KEY
    while True:
        memcpy(&a, one + at, SHORTEST_KEY)
        memcpy(&b, other + at, SHORTEST_KEY)
        if a != b:
            return False
        if at == 0:
            return True
        at = at - SHORTEST_KEY if at > SHORTEST_KEY else 0


cdef class Scanner:
    """Finds instruments by their key and writes their packets into one table.

    `incoming`, `known`: int64[capacity, words], the table as it is told and as it was believed;
    `_deep` its deep levels.
    """

    cdef int64_t[:, ::1] incoming
    cdef int64_t[:, ::1] incoming_deep
    cdef const int64_t[:, ::1] known
    cdef const int64_t[:, ::1] known_deep
    cdef double[::1] scales
    cdef int32_t[::1] buckets
    cdef const uint8_t[::1] text
    cdef int32_t[::1] begins
    cdef int32_t[::1] rows_of
    cdef int64_t[::1] stamps
    cdef object touched_rows
    cdef object whole_rows
    cdef int32_t[::1] touched
    cdef int32_t[::1] whole
    cdef Word words[MOST_WORDS]
    cdef int n_words  # -1: the frame does not tell the market's state
    cdef int64_t generation
    cdef uint64_t mask
    cdef int n_touched
    cdef int n_whole
    cdef readonly int64_t sent_ms
    cdef readonly int unknown_parts
    cdef readonly int off_grid

    def __init__(self, incoming, known, incoming_deep, known_deep, keys, rows, scales):
        """`keys` are the encoded instrument keys of `rows`, `scales` price units by row."""
        capacity = incoming.shape[0]
        size = 8
        while size < 4 * len(keys):
            size *= 2
        ends = np.cumsum([0, *map(len, keys)])
        self.incoming = incoming
        self.known = known
        self.incoming_deep = incoming_deep
        self.known_deep = known_deep
        self.scales = scales
        self.text = np.frombuffer(b"".join(keys) or b"\0", np.uint8)
        self.begins = ends.astype(np.int32)
        self.rows_of = np.array(rows, np.int32).reshape(-1)
        self.buckets = np.zeros(size, np.int32)
        self.mask = size - 1
        self.stamps = np.zeros(capacity, np.int64)
        self.touched_rows = np.zeros(capacity, np.int32)
        self.whole_rows = np.zeros(capacity, np.int32)
        self.touched = self.touched_rows
        self.whole = self.whole_rows
        self.generation = 0
        for number in range(len(keys)):
            if len(keys[number]) >= SHORTEST_KEY:
                self._file(number)

    cdef void _file(self, int number):
        cdef int begin = self.begins[number]
        cdef uint64_t place = mixed(&self.text[begin], self.begins[number + 1] - begin) & self.mask
        while self.buckets[place]:
            place = (place + 1) & self.mask
        self.buckets[place] = number + 1

    cdef inline int row_of(self, Place key, int64_t size) noexcept nogil:
        """The row of a key; -1 if nobody asked for it."""
        cdef uint64_t place
        cdef int number, begin
        if size < SHORTEST_KEY:
            return -1
        place = mixed(key, size) & self.mask
        while self.buckets[place]:
            number = self.buckets[place] - 1
            begin = self.begins[number]
            if self.begins[number + 1] - begin == size:
                if is_same(&self.text[begin], key, size):
                    return self.rows_of[number]
            place = (place + 1) & self.mask
        return -1

    def scan(self, bytes data not None, int64_t received_ns, int64_t seq):
        """Write the frame's packets; return None, and write nothing, if the clear decoder must judge.

        Else returns the touched rows and those told with their last trade, int32, ascending, and
        the state of the market as `_words` tells it. `sent_ms` is the frame's time then,
        `unknown_parts` and `off_grid` count fields skipped and prices rounded.
        """
        cdef Place p = data, end = p + len(data), packets_end
        self.n_touched = self.n_whole = 0
        self.unknown_parts = self.off_grid = 0
        self.n_words = -1
        self.generation += 1
        packets_end = self._find_time(p, end)
        if packets_end == NULL or not self._read(p, packets_end, received_ns, seq):
            self._restore()
            return None
        sort(&self.touched[0], self.n_touched)
        touched = whole = self.touched_rows[: self.n_touched].copy()
        if self.n_whole != self.n_touched:
            sort(&self.whole[0], self.n_whole)
            whole = self.whole_rows[: self.n_whole].copy()
        return touched, whole, None if self.n_words < 0 else self._words(data)

    cdef _words(self, bytes data):
        """The state of the market as the frame tells it.

        By segment: numbers of all its instruments, words of those that close by auction, words of
        the pre-open session.
        """
        cdef int i
        cdef Place start = data
        cdef Word* word
        told = {}, {}, {}
        for i in range(self.n_words):
            word = &self.words[i]
            name = data[word.name - start : word.name_end - start].decode()
            if word.kind == 1:
                told[0][name] = word.number
            else:
                status = data[word.status - start : word.status_end - start].decode()
                told[word.kind - 1][name] = status
        return told

    cdef Place _find_time(self, Place p, Place end) noexcept nogil:
        """Find the frame's own time, and what comes behind it; return where the packets end.

        A usual frame ends with its time, in six bytes. NULL: it has none, or is odd.
        """
        cdef int64_t kind
        cdef int left
        cdef Place inside, packets_end = end - 7
        self.sent_ms = 0
        if end - p > 7 and whole(packets_end, end, 0x18, &self.sent_ms) == end:
            return packets_end if self.sent_ms else NULL
        p = whole(p, end, 0x08, &kind)
        p = part(p, end, 0x12, &inside)
        while inside != NULL:
            p = part(p, end, 0x12, &inside)
        packets_end = p
        p = whole(p, end, 0x18, &self.sent_ms)
        p = part(p, end, 0x22, &inside)
        if inside != NULL and not self._read_state(inside, p):
            return NULL
        left = unknown_fields(p, end, 4)
        self.unknown_parts += left
        return packets_end if left >= 0 and 0 < self.sent_ms <= LATEST_MS else NULL

    cdef bint _read_state(self, Place p, Place end) noexcept nogil:
        """The state of the market's segments."""
        cdef Place inside
        cdef int kind
        self.n_words = 0
        for kind in range(1, 4):
            p = part(p, end, <uint8_t>(kind << 3 | 2), &inside)
            while inside != NULL:
                if self.n_words == MOST_WORDS:
                    return False
                self.words[self.n_words].kind = kind
                if not read_word(inside, p, &self.words[self.n_words]):
                    return False
                self.n_words += 1
                p = part(p, end, <uint8_t>(kind << 3 | 2), &inside)
        return p == end

    cdef bint _read(self, Place p, Place end, int64_t received_ns, int64_t seq) noexcept nogil:
        """The kind of the frame, and the packets, up to where its time begins."""
        cdef int64_t kind = 0
        cdef Place entry
        p = whole(p, end, 0x08, &kind)
        p = part(p, end, 0x12, &entry)
        while entry != NULL:
            if not self._read_entry(entry, p, received_ns, seq):
                return False
            p = part(p, end, 0x12, &entry)
        return p == end and kind <= 2

    cdef bint _read_entry(
        self, Place p, Place end, int64_t received_ns, int64_t seq
    ) noexcept nogil:
        """Key and packet, in this order."""
        cdef Place key, packet
        cdef Slot s
        cdef int row
        p = part(p, end, 0x0A, &key)
        if key == NULL:
            return False
        row = self.row_of(key, p - key)
        p = part(p, end, 0x12, &packet)
        if packet == NULL or p != end:
            return False
        if row < 0 or self.stamps[row] == self.generation:
            return False
        self.stamps[row] = self.generation
        self.touched[self.n_touched] = row
        self.n_touched += 1
        s.words = &self.incoming[row, 0]
        s.deep = &self.incoming_deep[row, 0]
        s.scale = self.scales[row]
        s.sent_ms = self.sent_ms
        s.unknown = s.off_grid = 0
        s.wrote = s.whole = False
        if not read_packet(&s, packet, end):
            return False
        self.unknown_parts += s.unknown
        self.off_grid += s.off_grid
        if not s.wrote:
            self.n_touched -= 1
            return True
        s.words[0] = self.sent_ms * NS_PER_MS
        s.words[1] = received_ns
        s.words[2] = seq
        if s.whole:
            self.whole[self.n_whole] = row
            self.n_whole += 1
        return True

    cdef void _restore(self) noexcept nogil:
        """Take back what was written of a frame that is handed back."""
        cdef int i, row
        for i in range(self.n_touched):
            row = self.touched[i]
            memcpy(&self.incoming[row, 0], &self.known[row, 0], WIDTH * sizeof(int64_t))
            memcpy(
                &self.incoming_deep[row, 0], &self.known_deep[row, 0], DEEP_WIDTH * sizeof(int64_t)
            )
        self.n_touched = self.n_whole = 0
