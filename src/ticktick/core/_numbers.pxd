# What numbers.py does, for compiled steps.
from libc.math cimport rint


cdef inline long long nearest(double value) noexcept nogil:
    return <long long>rint(value)
