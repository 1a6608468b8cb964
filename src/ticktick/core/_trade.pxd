# The types of trade.py where it is compiled; what is not named here follows from these.
cimport cython

from ticktick.core cimport _numbers as numbers

cdef long long UNKNOWN
cdef long long LARGEST_VALUE
cdef Py_ssize_t LAST_PRICE, LAST_TRADE, TOTAL

@cython.locals(moved=bint, in_order=bint)
cpdef Py_ssize_t detect_trades(
    const int[:] rows,
    const unsigned char[:] has_volume,
    const long long[:, :] words,
    long long[:] base_price,
    long long[:] base_trade_ns,
    long long[:] base_volume,
    long long[:] suspect_volume,
    unsigned char[:] traded,
    long long[:] previous_price,
    long long[:] volume_delta,
) noexcept nogil
