# The types of flat.py where it is compiled; what is not named here follows from these.
cimport cython

cdef class _Average:
    cdef int _period
    cdef double _weight
    cdef int _count
    cdef public double value
    cdef public bint is_ready

    cpdef update(self, double value)


cdef class Flatness:
    cdef long long _close
    cdef long long _typical
    cdef long long _one_price
    cdef long long _unmoved
    cdef long long _unpaid
    cdef long long _since_flat_range
    cdef _Average _wilder
    cdef _Average _first
    cdef _Average _second

    @cython.locals(close=cython.longlong, move=cython.longlong)
    cpdef update(self, bar)
    @cython.locals(high=cython.longlong)
    cdef _take_range(self, bar)
    @cython.locals(typical=cython.longlong, moved=bint)
    cdef _take_money(self, bar)
    cdef int _bits(self)
    @cython.locals(other=Flatness)
    cpdef fork(self)
