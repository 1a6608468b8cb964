# The types of fold.py where it is compiled; what is not named here follows from these.
cimport cython

cdef long long NS_PER_MINUTE
cdef Py_ssize_t START, OPEN, HIGH, LOW, CLOSE, VOLUME, INTEREST
cdef Py_ssize_t WIDTH

@cython.locals(inside=bint)
cpdef (Py_ssize_t, Py_ssize_t) fold(
    const int[:] rows,
    const unsigned char[:] traded,
    const long long[:] volume_delta,
    const long long[:] last_price,
    const long long[:] last_trade_ns,
    const long long[:] open_interest,
    const long long[:, :] opens_ns,
    const long long[:, :] closes_ns,
    long long[:] frontier_ns,
    long long[:, :] forming,
    int[:] closed_rows,
    long long[:, :] closed,
) noexcept nogil

cpdef Py_ssize_t changed_minutes(
    const int[:] rows,
    const long long[:] known_ns,
    const long long[:] start_ns,
    const long long[:] open_price,
    const long long[:] high,
    const long long[:] low,
    const long long[:] close,
    const long long[:] volume,
    long long[:, :] seen,
    int[:] news,
) noexcept nogil
