# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Frames of the feed straight from the wire into rows of the slot table.

It reads what the broker's feed really sends, each part once and in its known form. Whatever is odd
about a frame (an unknown part, a part told twice, a value that cannot be, an instrument nobody
asked for, damage) makes it hand the whole frame back with the table untouched, and the clear
decoder judges it. Of the frames it takes it tells exactly what the clear one would; so nothing
here has to know what to do with a bad frame, only to notice it.
"""

from libc.math cimport NAN, isfinite, rint
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

import numpy as np

from ticktick.domain.slots import DEPTH_LEVELS, WORD_OF

cdef enum:
    SHORTEST_KEY = 8

cdef double MOST = 2.0**53  # beyond it a double no longer counts in ones
cdef int64_t NS_PER_MS = 1_000_000
cdef int64_t LATEST_MS = 2**63 // 1_000_000 - 1
cdef int64_t MINUTE_MS = 60_000
cdef double NOTHING = 0.5  # price units that round to none
cdef int LEVELS = DEPTH_LEVELS

cdef int LAST_PRICE = WORD_OF["last_price"]
cdef int LAST_TRADE = WORD_OF["last_trade_ns"]
cdef int LAST_QUANTITY = WORD_OF["last_quantity"]
cdef int PREVIOUS_CLOSE = WORD_OF["previous_close"]
cdef int BID_PRICE = WORD_OF["bid_price"]
cdef int BID_QUANTITY = WORD_OF["bid_quantity"]
cdef int ASK_PRICE = WORD_OF["ask_price"]
cdef int ASK_QUANTITY = WORD_OF["ask_quantity"]
cdef int TOTAL_BID = WORD_OF["total_bid_quantity"]
cdef int TOTAL_ASK = WORD_OF["total_ask_quantity"]
cdef int AVERAGE = WORD_OF["average_price"]
cdef int VOLUME = WORD_OF["volume"]
cdef int INTEREST = WORD_OF["open_interest"]
cdef int DAY_OPEN = WORD_OF["day_open"]
cdef int MINUTE = WORD_OF["minute_start_ns"]
cdef int VOLATILITY = WORD_OF["implied_volatility"]
cdef int DELTA = WORD_OF["delta"]
cdef int WIDTH = max(WORD_OF.values()) + 1


cdef struct Cursor:
    const uint8_t* p
    const uint8_t* end


cdef struct Slot:
    int64_t* words
    double scale
    int64_t sent_ms
    bint wrote
    bint whole


# --- the wire ------------------------------------------------------------------------------------

cdef inline bint varint(Cursor* c, int64_t* out) noexcept nogil:
    """A varint below 2**63; false for a greater one, which no field of the feed has, or the end."""
    cdef uint64_t value = 0
    cdef int shift = 0
    cdef uint8_t byte
    while c.p < c.end and shift < 63:
        byte = c.p[0]
        c.p += 1
        value |= (<uint64_t>(byte & 127)) << shift
        if byte < 128:
            out[0] = <int64_t>value
            return True
        shift += 7
    return False


cdef inline bint real(Cursor* c, double* out) noexcept nogil:
    if c.end - c.p < 8:
        return False
    memcpy(out, c.p, 8)
    c.p += 8
    return True


cdef inline bint part(Cursor* c, Cursor* inner) noexcept nogil:
    """A message within the message; protobuf refuses a length of more than five bytes."""
    cdef int64_t size
    cdef const uint8_t* start = c.p
    if not varint(c, &size) or size > c.end - c.p or c.p - start > 5:
        return False
    inner.p = c.p
    inner.end = c.p + size
    c.p = inner.end
    return True


cdef inline bint first_of(uint8_t tag, uint32_t* seen) noexcept nogil:
    """Whether the field of a one-byte tag is told for the first time."""
    cdef uint32_t bit = (<uint32_t>1) << (tag >> 3)
    if tag >= 128 or seen[0] & bit:
        return False
    seen[0] |= bit
    return True


# --- values --------------------------------------------------------------------------------------

cdef inline bint price_units(double rupees, double scale, int64_t* units) noexcept nogil:
    """Whole price units, half to even; false for what no market sends."""
    cdef double found = rupees * scale
    if not 0.0 <= found <= MOST:  # true for what is not a number
        return False
    units[0] = <int64_t>rint(found)
    return True


cdef inline bint put_price(Slot* s, int word, double rupees) noexcept nogil:
    return price_units(rupees, s.scale, &s.words[word])


cdef inline bint put_whole(Slot* s, int word, int64_t count) noexcept nogil:
    if count > <int64_t>MOST:
        return False
    s.words[word] = count
    return True


cdef inline bint put_time(Slot* s, int word, int64_t at_ms) noexcept nogil:
    if at_ms > LATEST_MS:
        return False
    s.words[word] = at_ms * NS_PER_MS
    return True


cdef inline void put_statistic(Slot* s, int word, double value) noexcept nogil:
    (<double*>&s.words[word])[0] = value if isfinite(value) else NAN


# --- packets -------------------------------------------------------------------------------------

cdef bint read_trade(Slot* s, Cursor c) noexcept nogil:
    """The last trade; one without price and time tells nothing but the close."""
    cdef double price = 0.0, close = 0.0
    cdef int64_t at_ms = 0, quantity = 0, units
    cdef uint32_t seen = 0
    cdef uint8_t tag
    cdef Cursor inner
    while c.p < c.end:
        tag = c.p[0]
        c.p += 1
        if not first_of(tag, &seen):
            return False
        if tag == 0x09:
            if not real(&c, &price):
                return False
        elif tag == 0x10:
            if not varint(&c, &at_ms):
                return False
        elif tag == 0x18:
            if not varint(&c, &quantity):
                return False
        elif tag == 0x21:
            if not real(&c, &close):
                return False
        elif tag == 0x2A:  # the auction's price, wrapped
            if not part(&c, &inner):
                return False
            if inner.p != inner.end and (inner.end - inner.p != 9 or inner.p[0] != 0x09):
                return False
        else:
            return False
    if not price_units(close, s.scale, &units):
        return False
    if price == 0.0 and at_ms == 0:
        if units:
            s.words[PREVIOUS_CLOSE] = units
            s.wrote = True
        return True
    if price * s.scale <= NOTHING:  # the clear decoder says why
        return False
    s.words[PREVIOUS_CLOSE] = units
    s.wrote = s.whole = True
    return (
        put_price(s, LAST_PRICE, price)
        and (at_ms == 0 or put_time(s, LAST_TRADE, at_ms))
        and put_whole(s, LAST_QUANTITY, quantity)
    )


cdef bint read_quote(Slot* s, Cursor c, int level) noexcept nogil:
    """One level of both sides; behind the last level kept it is only checked for its form."""
    cdef double bid = 0.0, ask = 0.0
    cdef int64_t bids = 0, asks = 0
    cdef uint32_t seen = 0
    cdef uint8_t tag
    while c.p < c.end:
        tag = c.p[0]
        c.p += 1
        if not first_of(tag, &seen):
            return False
        if tag == 0x08:
            if not varint(&c, &bids):
                return False
        elif tag == 0x11:
            if not real(&c, &bid):
                return False
        elif tag == 0x18:
            if not varint(&c, &asks):
                return False
        elif tag == 0x21:
            if not real(&c, &ask):
                return False
        else:
            return False
    if level >= LEVELS:
        return True
    return (
        put_price(s, BID_PRICE + level, bid)
        and put_price(s, ASK_PRICE + level, ask)
        and put_whole(s, BID_QUANTITY + level, bids)
        and put_whole(s, ASK_QUANTITY + level, asks)
    )


cdef void empty_levels(Slot* s, int level) noexcept nogil:
    """The levels from here on are empty."""
    while level < LEVELS:
        s.words[BID_PRICE + level] = s.words[BID_QUANTITY + level] = 0
        s.words[ASK_PRICE + level] = s.words[ASK_QUANTITY + level] = 0
        level += 1


cdef bint read_depth(Slot* s, Cursor c) noexcept nogil:
    cdef Cursor quote
    cdef int level = 0
    s.wrote = True
    while c.p < c.end:
        if c.p[0] != 0x0A:
            return False
        c.p += 1
        if not part(&c, &quote) or not read_quote(s, quote, level):
            return False
        level += 1
    empty_levels(s, level)
    return True


cdef bint read_greeks(Slot* s, Cursor c) noexcept nogil:
    """Delta, theta, gamma, vega, rho, in the order of the fields and of the slot."""
    cdef double values[5]
    cdef uint32_t seen = 0
    cdef uint8_t tag
    cdef int i
    for i in range(5):
        values[i] = 0.0
    while c.p < c.end:
        tag = c.p[0]
        c.p += 1
        if not first_of(tag, &seen) or tag & 7 != 1 or not 1 <= tag >> 3 <= 5:
            return False
        if not real(&c, &values[(tag >> 3) - 1]):
            return False
    for i in range(5):
        put_statistic(s, DELTA + i, values[i])
    s.wrote = True
    return True


cdef struct Bar:
    double prices[4]
    int64_t volume
    int64_t start_ms
    bint found


cdef bint read_bar(Cursor c, Bar* bar, uint8_t* kind) noexcept nogil:
    """One candle; `kind` is its interval: D for a day, M for a minute, else anything known."""
    cdef uint32_t seen = 0
    cdef uint8_t tag
    cdef Cursor text
    cdef int64_t size
    cdef int i
    kind[0] = 0
    bar.volume = bar.start_ms = 0
    for i in range(4):
        bar.prices[i] = 0.0
    while c.p < c.end:
        tag = c.p[0]
        c.p += 1
        if not first_of(tag, &seen):
            return False
        if tag == 0x0A:
            if not part(&c, &text):
                return False
            size = text.end - text.p
            if size == 2 and text.p[0] == b"1" and text.p[1] == b"d":
                kind[0] = b"D"
            elif size == 2 and text.p[0] == b"I" and text.p[1] == b"1":
                kind[0] = b"M"
            elif not (size == 3 and memcmp(text.p, b"I30", 3) == 0):
                return False
        elif tag & 7 == 1 and 2 <= tag >> 3 <= 5:
            if not real(&c, &bar.prices[(tag >> 3) - 2]):
                return False
        elif tag == 0x30:
            if not varint(&c, &bar.volume):
                return False
        elif tag == 0x38:
            if not varint(&c, &bar.start_ms):
                return False
        else:
            return False
    return True


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


cdef bint read_bars(Slot* s, Cursor c) noexcept nogil:
    """The newest day and the newest minute that is over; the list may hold more of each."""
    cdef Bar bar, day, minute
    cdef Cursor inner
    cdef uint8_t kind
    cdef int i
    day.found = minute.found = False
    day.start_ms = minute.start_ms = day.volume = minute.volume = 0
    while c.p < c.end:
        if c.p[0] != 0x0A:
            return False
        c.p += 1
        if not part(&c, &inner) or not read_bar(inner, &bar, &kind):
            return False
        bar.found = True
        if kind == b"D":
            if not day.found or bar.start_ms > day.start_ms:
                day = bar
        elif kind == b"M" and bar.start_ms <= s.sent_ms - MINUTE_MS:
            if not minute.found or bar.start_ms > minute.start_ms:
                minute = bar
    if day.found:
        s.wrote = True
        for i in range(4):
            if not put_price(s, DAY_OPEN + i, day.prices[i]):
                return False
    if minute.found:
        if not is_candle(&minute, s.scale):
            return False
        s.wrote = True
        for i in range(4):
            if not put_price(s, MINUTE + 1 + i, minute.prices[i]):
                return False
        if not put_whole(s, MINUTE + 5, minute.volume):
            return False
        return put_time(s, MINUTE, minute.start_ms)
    return True


cdef bint put_totals(
    Slot* s, int64_t volume, double interest, double volatility
) noexcept nogil:
    """What every packet of a derivative tells of the day; 0 is not told in a partial packet."""
    if s.whole or volume:
        s.wrote = True
        if not put_whole(s, VOLUME, volume):
            return False
    if not put_told(s, INTEREST, interest):
        return False
    if s.whole or volatility != 0.0:
        s.wrote = True
        put_statistic(s, VOLATILITY, volatility)
    return True


cdef inline bint put_told(Slot* s, int word, double count) noexcept nogil:
    """A count of the day; one that rounds to 0 is not told in a partial packet."""
    if not 0.0 <= count <= MOST:
        return False
    if s.whole or <int64_t>count:
        s.wrote = True
        s.words[word] = <int64_t>count
    return True


cdef bint read_market(Slot* s, Cursor c) noexcept nogil:
    cdef double average = 0.0, interest = 0.0, volatility = 0.0, bids = 0.0, asks = 0.0, other
    cdef int64_t volume = 0, ignored, units
    cdef uint32_t seen = 0
    cdef uint8_t tag
    cdef Cursor inner, depth, greeks, bars, trade
    depth.p = greeks.p = bars.p = trade.p = NULL
    depth.end = greeks.end = bars.end = trade.end = NULL
    while c.p < c.end:
        tag = c.p[0]
        c.p += 1
        if tag >= 128:  # the last field of the message has a number above 15
            if tag != 0x80 or c.p >= c.end or c.p[0] != 0x01 or seen & 1:
                return False
            seen |= 1
            c.p += 1
            if not varint(&c, &ignored):
                return False
            continue
        if not first_of(tag, &seen):
            return False
        if tag == 0x0A:
            if not part(&c, &trade):
                return False
        elif tag == 0x12:
            if not part(&c, &depth):
                return False
        elif tag == 0x1A:
            if not part(&c, &greeks):
                return False
        elif tag == 0x22:
            if not part(&c, &bars):
                return False
        elif tag == 0x29:
            if not real(&c, &average):
                return False
        elif tag == 0x30:
            if not varint(&c, &volume):
                return False
        elif tag == 0x39:
            if not real(&c, &interest):
                return False
        elif tag == 0x41:
            if not real(&c, &volatility):
                return False
        elif tag == 0x49:
            if not real(&c, &bids):
                return False
        elif tag == 0x51:
            if not real(&c, &asks):
                return False
        elif tag == 0x59 or tag == 0x61:  # the auction's prices
            if not real(&c, &other):
                return False
        elif tag == 0x68 or tag == 0x70 or tag == 0x78:  # and its quantities
            if not varint(&c, &ignored):
                return False
        else:
            return False
    if trade.p != NULL and not read_trade(s, trade):
        return False
    if depth.p != NULL and not read_depth(s, depth):
        return False
    if greeks.p != NULL and not read_greeks(s, greeks):
        return False
    if not price_units(average, s.scale, &units):
        return False
    if s.whole or units:
        s.wrote = True
        s.words[AVERAGE] = units
    if not put_told(s, TOTAL_BID, bids) or not put_told(s, TOTAL_ASK, asks):
        return False
    if not put_totals(s, volume, interest, volatility):
        return False
    return bars.p == NULL or read_bars(s, bars)


cdef bint read_index(Slot* s, Cursor c) noexcept nogil:
    cdef uint32_t seen = 0
    cdef uint8_t tag
    cdef Cursor inner
    while c.p < c.end:
        tag = c.p[0]
        c.p += 1
        if not first_of(tag, &seen) or (tag != 0x0A and tag != 0x12) or not part(&c, &inner):
            return False
        if not (read_trade(s, inner) if tag == 0x0A else read_bars(s, inner)):
            return False
    return True


cdef bint read_full(Slot* s, Cursor c) noexcept nogil:
    """Of a share or contract, or of an index; told once."""
    cdef uint8_t tag
    cdef Cursor inner
    if c.p == c.end:
        return True
    tag = c.p[0]
    c.p += 1
    if not part(&c, &inner) or c.p != c.end:
        return False
    if tag == 0x0A:
        return read_market(s, inner)
    return tag == 0x12 and read_index(s, inner)


cdef bint read_first_level(Slot* s, Cursor c) noexcept nogil:
    cdef double interest = 0.0, volatility = 0.0
    cdef int64_t volume = 0
    cdef uint32_t seen = 0
    cdef uint8_t tag
    cdef Cursor trade, depth, greeks
    depth.p = greeks.p = trade.p = NULL
    depth.end = greeks.end = trade.end = NULL
    while c.p < c.end:
        tag = c.p[0]
        c.p += 1
        if not first_of(tag, &seen):
            return False
        if tag == 0x0A:
            if not part(&c, &trade):
                return False
        elif tag == 0x12:
            if not part(&c, &depth):
                return False
        elif tag == 0x1A:
            if not part(&c, &greeks):
                return False
        elif tag == 0x20:
            if not varint(&c, &volume):
                return False
        elif tag == 0x29:
            if not real(&c, &interest):
                return False
        elif tag == 0x31:
            if not real(&c, &volatility):
                return False
        else:
            return False
    if trade.p != NULL and not read_trade(s, trade):
        return False
    if depth.p != NULL:
        s.wrote = True
        if not read_quote(s, depth, 0):
            return False
        empty_levels(s, 1)
    if greeks.p != NULL and not read_greeks(s, greeks):
        return False
    return put_totals(s, volume, interest, volatility)


cdef bint read_packet(Slot* s, Cursor c) noexcept nogil:
    """One instrument's packet: one kind of feed, and the mode in which it was asked for."""
    cdef bint has_mode = False, has_feed = False
    cdef uint8_t tag
    cdef int64_t mode
    cdef Cursor inner
    while c.p < c.end:
        tag = c.p[0]
        c.p += 1
        if tag == 0x20:
            if has_mode or not varint(&c, &mode):
                return False
            has_mode = True
            continue
        if has_feed or not part(&c, &inner):
            return False
        has_feed = True
        if tag == 0x12:
            if not read_full(s, inner):
                return False
        elif tag == 0x0A:
            if not read_trade(s, inner):
                return False
        elif tag == 0x1A:
            if not read_first_level(s, inner):
                return False
        else:
            return False
    return True


# --- frames --------------------------------------------------------------------------------------

cdef inline uint64_t mixed(const uint8_t* key, int64_t size) noexcept nogil:
    """A hash of the last eight bytes, which tell instruments apart, and of the length."""
    cdef uint64_t tail
    memcpy(&tail, key + size - SHORTEST_KEY, SHORTEST_KEY)
    tail = (tail ^ <uint64_t>size) * <uint64_t>0x9E3779B97F4A7C15
    return tail ^ (tail >> 32)


cdef class Scanner:
    """Finds instruments by their key and writes their packets into one table.

    `words`, `known`: int64[capacity, WIDTH], the table as it is told and as it was believed.
    """

    cdef int64_t[:, ::1] words
    cdef const int64_t[:, ::1] known
    cdef double[::1] scales
    cdef int32_t[::1] buckets
    cdef const uint8_t[::1] text
    cdef int32_t[::1] begins
    cdef int32_t[::1] rows_of
    cdef int64_t[::1] stamps
    cdef int32_t[::1] touched
    cdef int32_t[::1] whole
    cdef int64_t generation
    cdef uint64_t mask
    cdef readonly int n_touched
    cdef readonly int n_whole
    cdef readonly int64_t sent_ms

    def __init__(self, words, known, keys, rows, scales):
        """`keys` are the encoded instrument keys of `rows`, `scales` price units by row."""
        capacity = words.shape[0]
        size = 8
        while size < 4 * len(keys):
            size *= 2
        ends = np.cumsum([0, *map(len, keys)])
        self.words = words
        self.known = known
        self.scales = scales
        self.text = np.frombuffer(b"".join(keys) or b"\0", np.uint8)
        self.begins = ends.astype(np.int32)
        self.rows_of = np.array(rows, np.int32).reshape(-1)
        self.buckets = np.zeros(size, np.int32)
        self.mask = size - 1
        self.stamps = np.zeros(capacity, np.int64)
        self.touched = np.zeros(capacity, np.int32)
        self.whole = np.zeros(capacity, np.int32)
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

    cdef inline int row_of(self, Cursor key) noexcept nogil:
        """The row of a key; -1 if nobody asked for it."""
        cdef int64_t size = key.end - key.p
        cdef uint64_t place
        cdef int number, begin
        if size < SHORTEST_KEY:
            return -1
        place = mixed(key.p, size) & self.mask
        while self.buckets[place]:
            number = self.buckets[place] - 1
            begin = self.begins[number]
            if self.begins[number + 1] - begin == size:
                if memcmp(&self.text[begin], key.p, size) == 0:
                    return self.rows_of[number]
            place = (place + 1) & self.mask
        return -1

    def scan(self, const uint8_t[::1] data, int64_t received_ns, int64_t seq):
        """Write the frame's packets; false, and nothing written, if the clear decoder must judge.

        Afterwards `n_touched` rows and `n_whole` of them with their last trade are in
        `take_rows`, and `sent_ms` is the frame's time.
        """
        cdef bint fine
        cdef Cursor c
        self.n_touched = self.n_whole = 0
        self.generation += 1
        if data.shape[0] == 0:
            return False
        c.p = &data[0]
        c.end = c.p + data.shape[0]
        with nogil:
            fine = self._find_time(c) and self._read(c, received_ns, seq)
            if not fine:
                self._restore()
        return fine

    def take_rows(self):
        """The touched rows and those with their last trade, int32, ascending; copies."""
        touched = np.sort(self.touched.base[: self.n_touched])
        if self.n_whole == self.n_touched:
            return touched, touched
        return touched, np.sort(self.whole.base[: self.n_whole])

    cdef bint _find_time(self, Cursor c) noexcept nogil:
        """Check the outermost fields and find the frame's own time, which comes last."""
        cdef bint has_type = False
        cdef int64_t kind = 0
        cdef uint8_t tag
        cdef Cursor inner
        self.sent_ms = 0
        while c.p < c.end:
            tag = c.p[0]
            c.p += 1
            if tag == 0x12:
                if not part(&c, &inner):
                    return False
            elif tag == 0x18:
                if self.sent_ms or not varint(&c, &self.sent_ms):
                    return False
            elif tag == 0x08:
                if has_type or not varint(&c, &kind) or kind > 2:
                    return False
                has_type = True
            else:
                return False
        return 0 < self.sent_ms <= LATEST_MS

    cdef bint _read(self, Cursor c, int64_t received_ns, int64_t seq) noexcept nogil:
        cdef uint8_t tag
        cdef int64_t ignored
        cdef Cursor entry
        while c.p < c.end:
            tag = c.p[0]
            c.p += 1
            if tag != 0x12:
                if not varint(&c, &ignored):
                    return False
                continue
            if not part(&c, &entry) or not self._read_entry(entry, received_ns, seq):
                return False
        return True

    cdef bint _read_entry(self, Cursor c, int64_t received_ns, int64_t seq) noexcept nogil:
        """Key and packet, in this order."""
        cdef Cursor key, packet
        cdef Slot s
        cdef int row
        if c.p >= c.end or c.p[0] != 0x0A:
            return False
        c.p += 1
        if not part(&c, &key) or c.p >= c.end or c.p[0] != 0x12:
            return False
        c.p += 1
        if not part(&c, &packet) or c.p != c.end:
            return False
        row = self.row_of(key)
        if row < 0 or self.stamps[row] == self.generation:
            return False
        self.stamps[row] = self.generation
        self.touched[self.n_touched] = row
        self.n_touched += 1
        s.words = &self.words[row, 0]
        s.scale = self.scales[row]
        s.sent_ms = self.sent_ms
        s.wrote = s.whole = False
        if not read_packet(&s, packet):
            return False
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
            memcpy(&self.words[row, 0], &self.known[row, 0], WIDTH * sizeof(int64_t))
        self.n_touched = self.n_whole = 0
