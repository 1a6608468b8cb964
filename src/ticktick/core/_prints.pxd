# The types of prints.py where it is compiled; what is not named here follows from these.
cimport cython
from libc cimport math

from ticktick.core cimport _numbers as numbers

cdef double NAN
cdef Py_ssize_t EXCHANGE, LAST_PRICE, LAST_TRADE, AVERAGE, BID, ASK
cdef Py_ssize_t MID, TICK_RETURN, LOG_RETURN, TRADE_SIGN, EFFECTIVE_SPREAD
cdef Py_ssize_t VWAP_SESSION, VWAP_DISTANCE

@cython.locals(is_today=bint)
cpdef void measure_prints(
    const int[:] rows,
    const unsigned char[:] has_volume,
    const unsigned char[:] traded,
    const long long[:] previous_price,
    const long long[:, :] words,
    long long[:] direction,
    double[:, :] values,
) noexcept nogil

cdef inline void _measure_return(
    Py_ssize_t row, long long price, long long before, long long[:] direction, double[:, :] values
) noexcept nogil

@cython.locals(stands=bint, sign="long long")
cdef inline void _measure_side(
    Py_ssize_t row,
    long long price,
    long long direction,
    const long long[:, :] words,
    double[:, :] values,
) noexcept nogil
