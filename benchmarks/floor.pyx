# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The least that any reader of a frame does: visit every tag, and skip what stands behind it."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

# the fields that hold messages, as bits, and what message each holds
cdef enum:
    FRAME, ENTRY, FEED, FULL, MARKET, INDEX, FIRST, TRADE, BOOK, BARS, LEAF, LAST

cdef uint32_t holds[LAST]
cdef uint8_t inside[LAST][8]


def _say(int message, dict fields):
    for number, kind in fields.items():
        holds[message] |= <uint32_t>1 << <int>number
        inside[message][<int>number] = kind


_say(FRAME, {2: ENTRY})
_say(ENTRY, {2: FEED})
_say(FEED, {1: TRADE, 2: FULL, 3: FIRST})
_say(FULL, {1: MARKET, 2: INDEX})
_say(MARKET, {1: TRADE, 2: BOOK, 3: LEAF, 4: BARS})
_say(INDEX, {1: TRADE, 2: BARS})
_say(FIRST, {1: TRADE, 2: LEAF, 3: LEAF})
_say(TRADE, {5: LEAF})
_say(BOOK, {1: LEAF})
_say(BARS, {1: LEAF})


cdef inline bint varint(const uint8_t** p, const uint8_t* end, uint64_t* out) noexcept nogil:
    cdef uint64_t value = 0
    cdef int shift = 0
    cdef uint8_t byte
    while p[0] < end and shift < 64:
        byte = p[0][0]
        p[0] += 1
        value |= (<uint64_t>(byte & 127)) << shift
        if byte < 128:
            out[0] = value
            return True
        shift += 7
    return False


cdef int64_t visit(const uint8_t* p, const uint8_t* end, int message) noexcept nogil:
    """How many tags there are to the end; -1 if this is no message."""
    cdef int64_t count = 0, below
    cdef uint64_t tag, size
    while p < end:
        if not varint(&p, end, &tag):
            return -1
        count += 1
        if tag & 7 == 0:
            if not varint(&p, end, &size):
                return -1
        elif tag & 7 == 1:
            p += 8
        elif tag & 7 == 5:
            p += 4
        elif tag & 7 == 2:
            if not varint(&p, end, &size) or size > <uint64_t>(end - p):
                return -1
            if tag < 64 and holds[message] >> (tag >> 3) & 1:
                below = visit(p, p + size, inside[message][tag >> 3])
                if below < 0:
                    return -1
                count += below
            p += size
        else:
            return -1
    return count if p == end else -1


def tags(const uint8_t[::1] data):
    """How many tags a frame has, those of the messages within included; -1 if it is none."""
    return visit(&data[0], &data[0] + data.shape[0], FRAME)
