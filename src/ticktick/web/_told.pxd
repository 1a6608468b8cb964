# The types of told.py where it is compiled; what is not named here follows from these.
cimport cython

cdef long long IST_OFFSET_NS, NS_PER_DAY, NS_PER_MS
cdef double NAN
cdef Py_ssize_t EXCHANGE, RECEIVED, SEQ, TRADED, VOLUME
cdef Py_ssize_t LAST_PRICE, PREVIOUS_CLOSE, BID, ASK, DAY_HIGH, DAY_LOW

@cython.locals(
    exchange_ns=cython.longlong, traded_ns=cython.longlong, day=cython.longlong,
    volume=cython.longlong, is_today=bint,
)
cpdef void tell(
    const int[:] rows,
    const long long[:, ::1] words,
    const unsigned char[:] codes,
    const unsigned char[:] warm,
    const unsigned char[:] has_volume,
    double[:, :] out,
) noexcept nogil

cdef double _known(long long value) noexcept nogil
