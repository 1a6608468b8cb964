# What numbers.py does, for compiled steps.
from libc.math cimport llrint


cdef inline long long nearest(double value) noexcept nogil:
    return llrint(value)  # to the even one, as long as nobody tells the processor otherwise


cdef inline long long ist_day(long long at_ns) noexcept nogil:
    return (at_ns + 19_800_000_000_000LL) // 86_400_000_000_000LL


cdef inline long long milliseconds(long long at_ns) noexcept nogil:
    return at_ns // 1_000_000
