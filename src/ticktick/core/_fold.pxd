# The types of fold.py where it is compiled; what is not named here follows from these.
cimport cython

cdef long long NS_PER_MINUTE
cdef Py_ssize_t EXCHANGE, LAST_PRICE, LAST_TRADE, OPEN_INTEREST, MINUTE
cdef Py_ssize_t START, OPEN, HIGH, LOW, CLOSE, VOLUME, INTEREST
cdef Py_ssize_t WIDTH

@cython.locals(inside=bint)
cpdef (Py_ssize_t, Py_ssize_t) fold(
    const int[:] rows,
    const unsigned char[:] traded,
    const long long[:] volume_delta,
    const long long[:, :] words,
    const long long[:, :] opens_ns,
    const long long[:, :] closes_ns,
    long long[:] frontier_ns,
    long long[:, :] forming,
    int[:] closed_rows,
    long long[:, :] closed,
) noexcept nogil

@cython.locals(differs=bint, known_ns=cython.longlong, column=Py_ssize_t)
cpdef Py_ssize_t changed_minutes(
    const int[:] rows, const long long[:, :] words, long long[:, :] seen, int[:] news
) noexcept nogil


@cython.final
cdef class Folding:
    cdef const unsigned char[:] _traded
    cdef const long long[:] _volume_delta
    cdef const long long[:, :] _words, _opens_ns, _closes_ns
    cdef long long[:] _frontier_ns
    cdef long long[:, :] _forming, _closed, _seen
    cdef int[:] _closed_rows, _news

    cpdef (Py_ssize_t, Py_ssize_t) fold(self, const int[:] rows) noexcept nogil
    cpdef Py_ssize_t notice(self, const int[:] rows) noexcept nogil
