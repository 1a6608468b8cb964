# The types of crossing.py where it is compiled; what is not named here follows from these.
cimport cython

cdef double NAN
cdef long long UPDATES, LEAST_TRADES, UNSUMMED, QUIET_NS

@cython.locals(
    is_known=bint, is_flip=bint, is_quiet=bint,
    after=cython.longlong, before=cython.longlong, margin=cython.double, distance=cython.double,
)
cpdef Py_ssize_t find_crossings(
    const int[:] rows,
    long long now_ns,
    const long long[:, :] prices,
    const long long[:] head,
    const long long[:] count,
    const long long[:] trades,
    const long long[:] tick_size,
    const double[:] spread,
    const double[:] vwap,
    long long[:] side,
    long long[:] told_ns,
    double[:] shown,
    double[:] average,
    long long[:, :] last,
    long long[:] total,
    long long[:] summed,
    int[:] crossed,
) noexcept nogil

@cython.locals(
    depth=cython.longlong, newest=cython.longlong, left=cython.longlong, place=cython.longlong,
    moved=cython.longlong, summed=cython.longlong,
)
cdef inline long long _sum(
    Py_ssize_t row,
    long long head,
    long long before,
    long long total,
    long long[:, :] last,
    const long long[:, :] prices,
) noexcept nogil


@cython.final
cdef class CrossingSearch:
    cdef const long long[:, :] _prices
    cdef long long[:, :] _last
    cdef const long long[:] _head, _count, _trades, _tick_size
    cdef const double[:] _spread, _vwap
    cdef long long[:] _side, _told_ns, _total, _summed
    cdef double[:] _shown, _average
    cdef int[:] _crossed

    cpdef Py_ssize_t find(self, const int[:] rows, long long now_ns) noexcept nogil
