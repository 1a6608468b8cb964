# The types of doubt.py where it is compiled; what is not named here follows from these.
cimport cython


@cython.final
cdef class Doubt:
    cdef const double[:] _judged, _spread_bps
    cdef const unsigned char[:] _codes, _is_timely, _is_withheld

    @cython.locals(has_flag=bint, has_quote=bint)
    cpdef bint is_any(self, const int[:] rows) noexcept nogil
