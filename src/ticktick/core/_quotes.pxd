# The types of quotes.py where it is compiled; what is not named here follows from these.
cimport cython
from libc cimport math

from ticktick.core cimport _numbers as numbers

cdef double NAN, FADE
cdef Py_ssize_t HALVES
cdef Py_ssize_t BID, BID_QUANTITY, ASK, ASK_QUANTITY, TOTAL_BID, TOTAL_ASK, TOLD_LEVELS, NEAR
cdef Py_ssize_t DEEP_BID, DEEP_BID_QUANTITY, DEEP_ASK, DEEP_ASK_QUANTITY, DEEP
cdef Py_ssize_t MID, SPREAD, SPREAD_BPS, SPREAD_TICKS, MICROPRICE
cdef Py_ssize_t IMBALANCE, IMBALANCE_1, IMBALANCE_W, IMBALANCE_30, TBQ_TSQ

@cython.locals(stands=bint)
cpdef void measure_quotes(
    const int[:] rows,
    const unsigned char[:] continuous,
    const long long[:] tick_size,
    const long long[:, :] words,
    const long long[:, :] deep,
    const double[:] weights,
    double[:, :] values,
) noexcept nogil

@cython.locals(bids=double, asks=double, both=double, tick=double, weight=double)
cdef inline void _measure_standing(
    Py_ssize_t row,
    long long bid,
    long long ask,
    long long tick_size,
    const long long[:, :] words,
    const double[:] weights,
    double[:, :] values,
) noexcept nogil

@cython.locals(halves=double, place=Py_ssize_t, weight=double)
cdef inline double _weight(double ticks, const double[:] weights) noexcept nogil

cpdef object fading_weights()

@cython.locals(bids=double, asks=double)
cdef inline void _measure_book(
    Py_ssize_t row, const long long[:, :] words, const long long[:, :] deep, double[:, :] values
) noexcept nogil

cdef inline double _quantity(
    Py_ssize_t row, Py_ssize_t price, Py_ssize_t quantity, const long long[:, :] words
) noexcept nogil

cdef inline double _balance(double bids, double asks) noexcept nogil
