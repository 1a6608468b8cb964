# Reads protobuf's wire format in place. A field that comes next and is whole is read, and where it
# ends is returned; else the place stays as it was. So a reader names the fields of a message in
# the order of the schema, absent ones included, and looks at the end whether nothing is left.
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

ctypedef const uint8_t* Place


cdef struct Number:
    Place next  # NULL: there is none
    int64_t value


cdef inline Number long_varint(Place p, Place end) noexcept nogil:
    """A varint of up to nine bytes, one byte after the other."""
    cdef Number found
    cdef uint64_t value = 0
    cdef int shift = 0
    found.next = NULL
    found.value = 0
    while p < end and shift < 63:
        value |= (<uint64_t>(p[0] & 127)) << shift
        p += 1
        if (p - 1)[0] < 128:
            found.next = p
            found.value = <int64_t>value
            return found
        shift += 7
    return found


cdef inline Number varint(Place p, Place end) noexcept nogil:
    """A varint below 2**63; none for a greater one, which only a negative number has."""
    cdef Number found
    cdef uint64_t bits, ends
    if end - p < 8:
        return long_varint(p, end)
    if p[0] < 128:
        found.next = p + 1
        found.value = p[0]
        return found
    if p[1] < 128:
        found.next = p + 2
        found.value = (p[0] & 127) | <int64_t>p[1] << 7
        return found
    memcpy(&bits, p, 8)
    ends = ~bits & <uint64_t>0x8080808080808080
    if ends == 0:
        return long_varint(p, end)
    found.next = p + ((lowest_bit(ends) + 1) >> 3)
    bits &= ends ^ (ends - 1)  # up to the first byte without a high bit
    # groups of seven bits move together: by twos, by fours, by eights
    bits = (bits & <uint64_t>0x007F007F007F007F) | (bits & <uint64_t>0x7F007F007F007F00) >> 1
    bits = (bits & <uint64_t>0x00003FFF00003FFF) | (bits & <uint64_t>0x3FFF00003FFF0000) >> 2
    found.value = <int64_t>(
        (bits & <uint64_t>0x000000000FFFFFFF) | (bits & <uint64_t>0x0FFFFFFF00000000) >> 4
    )
    return found


cdef inline Place whole(Place p, Place end, uint8_t tag, int64_t* out) noexcept nogil:
    """A number that is not negative."""
    cdef Number found
    if p < end and p[0] == tag:
        found = varint(p + 1, end)
        if found.next != NULL:
            out[0] = found.value
            return found.next
    return p


cdef inline Place signed(Place p, Place end, uint8_t tag, int64_t* out) noexcept nogil:
    """A number that may be negative: then it has ten bytes, and the last is 1."""
    cdef uint64_t value = <uint64_t>1 << 63
    cdef int i
    if end - p < 11 or p[0] != tag or p[10] != 1:
        return whole(p, end, tag, out)
    for i in range(9):
        if p[1 + i] < 128:
            return whole(p, end, tag, out)
        value |= (<uint64_t>(p[1 + i] & 127)) << (7 * i)
    out[0] = <int64_t>value
    return p + 11


cdef inline Place real(Place p, Place end, uint8_t tag, double* out) noexcept nogil:
    """A number with a fraction."""
    if end - p > 8 and p[0] == tag:
        memcpy(out, p + 1, 8)
        return p + 9
    return p


cdef inline Place part(Place p, Place end, uint8_t tag, Place* inside) noexcept nogil:
    """A message or text: from `inside`, which is NULL without one, to what is returned."""
    cdef Number size
    inside[0] = NULL
    if p < end and p[0] == tag:
        size = varint(p + 1, end)
        # protobuf refuses a length of more than five bytes
        if size.next != NULL and size.value <= end - size.next and size.next - p <= 6:
            inside[0] = size.next
            return size.next + size.value
    return p


cdef inline bint is_ascii(Place p, Place end) noexcept nogil:
    """Whether a text is sure to be Unicode."""
    while p < end:
        if p[0] >= 128:
            return False
        p += 1
    return True


cdef inline int unknown_fields(Place p, Place end, int last_known) noexcept nogil:
    """How many fields with numbers above the last one known are left; -1 for anything else."""
    cdef int count = 0
    cdef Number tag, value
    while p < end:
        tag = varint(p, end)
        if tag.next == NULL or tag.next - p > 3 or (tag.next - p > 1 and (tag.next - 1)[0] == 0):
            return -1  # not in its shortest form
        p = tag.next
        if tag.value >> 3 <= last_known:
            return -1
        if tag.value & 7 == 1:
            p += 8
        elif tag.value & 7 == 5:
            p += 4
        elif tag.value & 7 == 0 or tag.value & 7 == 2:
            value = varint(p, end)
            if value.next == NULL:
                return -1
            if tag.value & 7 == 2:
                if value.next - p > 5 or value.value > end - value.next:
                    return -1
                value.next += value.value
            p = value.next
        else:
            return -1
        count += 1
    return count if p == end else -1
