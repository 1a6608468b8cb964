# The types of leaps.py where it is compiled; what is not named here follows from these.
cimport cython

cdef double LIMIT
cdef long long BARS_NEEDED

cdef class Leaps:
    cdef long long _close
    cdef long long _since
    cdef str _why

    @cython.locals(close=cython.longlong, opened=cython.longlong)
    cpdef update(self, bar)
    @cython.locals(other=Leaps)
    cpdef peek(self, bar)


cpdef bint is_leap(long long close, long long opened)
cdef str _why(bar, long long close)
