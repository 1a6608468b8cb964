# Reads protobuf's wire format in place. Every function takes exactly what a usual sender writes,
# moves the cursor behind it and says true; at anything else it says false.
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #include <intrin.h>
    static int ticktick_lowest_bit(unsigned long long x) {
        unsigned long at; _BitScanForward64(&at, x); return (int)at;
    }
    #else
    static inline int ticktick_lowest_bit(unsigned long long x) { return __builtin_ctzll(x); }
    #endif
    """
    int lowest_bit "ticktick_lowest_bit"(uint64_t bits) nogil


cdef struct Cursor:
    const uint8_t* p
    const uint8_t* end


cdef inline bint is_next(Cursor* c, uint8_t tag) noexcept nogil:
    """Whether the field of this one-byte tag comes next; then the cursor is behind the tag."""
    if c.p < c.end and c.p[0] == tag:
        c.p += 1
        return True
    return False


cdef inline bint long_varint(Cursor* c, int64_t* out) noexcept nogil:
    """A varint of up to nine bytes."""
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


cdef inline bint varint(Cursor* c, int64_t* out) noexcept nogil:
    """A varint below 2**63; false for a greater one, which only a negative number has."""
    cdef uint64_t bits, ends
    if c.p < c.end and c.p[0] < 128:
        out[0] = c.p[0]
        c.p += 1
        return True
    if c.end - c.p < 8:
        return long_varint(c, out)
    memcpy(&bits, c.p, 8)
    ends = ~bits & <uint64_t>0x8080808080808080
    if ends == 0:
        return long_varint(c, out)
    c.p += (lowest_bit(ends) + 1) >> 3
    bits &= ends ^ (ends - 1)  # up to the first byte without a high bit
    # groups of seven bits move together: by twos, by fours, by eights
    bits = (bits & <uint64_t>0x007F007F007F007F) | (bits & <uint64_t>0x7F007F007F007F00) >> 1
    bits = (bits & <uint64_t>0x00003FFF00003FFF) | (bits & <uint64_t>0x3FFF00003FFF0000) >> 2
    out[0] = <int64_t>(
        (bits & <uint64_t>0x000000000FFFFFFF) | (bits & <uint64_t>0x0FFFFFFF00000000) >> 4
    )
    return True


cdef inline bint signed_varint(Cursor* c, int64_t* out) noexcept nogil:
    """A varint that may be negative: then it has ten bytes, and the last is 1."""
    cdef uint64_t value = 0
    cdef int i
    if c.end - c.p < 10 or c.p[9] != 1:
        return varint(c, out)
    for i in range(9):
        if c.p[i] < 128:
            return varint(c, out)
        value |= (<uint64_t>(c.p[i] & 127)) << (7 * i)
    out[0] = <int64_t>(value | (<uint64_t>1 << 63))
    c.p += 10
    return True


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


cdef inline bint is_ascii(Cursor c) noexcept nogil:
    """Whether a text is sure to be Unicode."""
    while c.p < c.end:
        if c.p[0] >= 128:
            return False
        c.p += 1
    return True


cdef inline bint unknown_field(Cursor* c, int last_known) noexcept nogil:
    """A field with a number above the last one known, in the shortest form of its tag."""
    cdef int64_t tag, ignored
    cdef const uint8_t* start = c.p
    cdef Cursor inner
    if not varint(c, &tag) or c.p - start > 3 or (c.p - start > 1 and (c.p - 1)[0] == 0):
        return False
    if tag >> 3 <= last_known:
        return False
    if tag & 7 == 0:
        return varint(c, &ignored)
    if tag & 7 == 2:
        return part(c, &inner)
    if tag & 7 == 1 or tag & 7 == 5:
        c.p += 8 if tag & 7 == 1 else 4
        return c.p <= c.end
    return False
