# The types of roll.py where it is compiled; what is not named here follows from these.
cimport cython

cdef long long NEVER_NS
cdef Py_ssize_t EXCHANGE


@cython.final
cdef class Roll:
    cdef const long long[:, :] _words
    cdef unsigned char[:] _heard
    cdef const unsigned char[:] _seen
    cdef const long long[:] _doubt_from_ns
    cdef long long[:] _last_ns

    @cython.locals(oldest_ns=cython.longlong, told_ns=cython.longlong)
    cpdef long long oldest_ns(self, const int[:] rows) noexcept nogil
    cpdef bint is_usual(self, const int[:] rows) noexcept nogil
    @cython.locals(newest_ns=cython.longlong, told_ns=cython.longlong)
    cpdef long long note(self, const int[:] rows, long long received_ns) noexcept nogil
