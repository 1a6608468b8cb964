# The types of vwap.py where it is compiled; what is not named here follows from these.
cimport cython

from ticktick.core cimport _numbers as numbers

cdef double NAN, AVERAGE_ERROR, LARGEST_ERROR_TICKS
cdef long long NEVER_NS, UNTOLD, LARGEST_VALUE
cdef Py_ssize_t EXCHANGE, LAST_PRICE, LAST_TRADE, AVERAGE, TOTAL
cdef Py_ssize_t VWAP, VWAP_EXACT
cdef Py_ssize_t HEAD, COUNT, OLDEST_NS, VALUE, VOLUME
cdef Py_ssize_t NOW_VALUE, NOW_VOLUME, THEN_VALUE, ODD, STATE_WIDTH
cdef Py_ssize_t AT, TRADE_VALUE, TRADE_VOLUME, DAY_VALUE, TRADE_WIDTH

@cython.locals(is_covered=bint)
cpdef void take_trades(
    const int[:] rows,
    long long now_ns,
    long long window_ns,
    const long long[:] started_ns,
    const long long[:] tick_size,
    const long long[:] price_scale,
    const unsigned char[:] traded,
    const long long[:] volume_delta,
    const long long[:, :] words,
    long long[:, :] state,
    long long[:, :, :] window,
    double[:, :] values,
) noexcept nogil

@cython.locals(is_covered=bint)
cpdef void expire_trades(
    const int[:] rows,
    long long now_ns,
    long long window_ns,
    const long long[:] started_ns,
    const long long[:] tick_size,
    const long long[:] price_scale,
    long long[:, :] state,
    long long[:, :, :] window,
    double[:, :] values,
) noexcept nogil

@cython.locals(is_today=bint)
cdef inline void _begin(
    Py_ssize_t row, const long long[:, :] words, long long[:, :] state
) noexcept nogil

@cython.locals(
    depth="long long",
    place="long long",
    newest="long long",
    moment_ns="long long",
    kept="long long",
    is_joined=bint,
    is_odd=bint,
)
cdef inline void _push(
    Py_ssize_t row,
    long long window_ns,
    long long volume,
    const long long[:, :] words,
    long long[:, :] state,
    long long[:, :, :] window,
) noexcept nogil

@cython.locals(depth="long long", place="long long", oldest="long long")
cdef inline void _expire(
    Py_ssize_t row, long long after_ns, long long[:, :] state, long long[:, :, :] window
) noexcept nogil

@cython.locals(is_told=bint)
cdef inline void _write(
    Py_ssize_t row,
    bint is_covered,
    long long tick_size,
    long long price_scale,
    long long[:, :] state,
    double[:, :] values,
) noexcept nogil

cdef inline long long _told_value(Py_ssize_t row, const long long[:, :] words) noexcept nogil
