# The types of ticks.py where it is compiled; what is not named here follows from these.
cimport cython
from libc cimport math

cdef long long NEVER_NS
cdef Py_ssize_t EXCHANGE, LAST_TRADE, LAST_PRICE, TOTAL, AVERAGE
cdef Py_ssize_t BID, BID_QUANTITY, ASK, ASK_QUANTITY, NEAR, MID, TICK_WIDTH

@cython.locals(depth="long long", place="long long")
cpdef void push_ticks(
    const int[:] rows,
    const long long[:] volume_delta,
    const long long[:, :] words,
    const double[:, :] values,
    long long[:] head,
    long long[:] count,
    long long[:] started_ns,
    long long[:, :, :] window,
) noexcept nogil

@cython.locals(total="long long")
cdef inline long long _sum(
    Py_ssize_t row, Py_ssize_t price, Py_ssize_t quantity, const long long[:, :] words
) noexcept nogil
