# The types of told.py where it is compiled; what is not named here follows from these.
cimport cython

from ticktick.core cimport _numbers as numbers

cdef long long NS_PER_MS
cdef double NAN, _END
cdef long long MISSING
cdef Py_ssize_t COUNT, EXCHANGE, RECEIVED, SEQ, TRADED, VOLUME
cdef Py_ssize_t LAST_PRICE, PREVIOUS_CLOSE, BID, ASK, DAY_HIGH, DAY_LOW


@cython.final
cdef class Plate:
    cdef const long long[:, ::1] _words
    cdef const unsigned char[:] _codes, _warm, _has_volume
    cdef const double[:, :] _metrics
    cdef const int[:] _sources
    cdef Py_ssize_t _wides, _wholes
    cdef double[::1] _wide
    cdef int[::1] _whole
    cdef float[::1] _narrow
    cdef double[:, :] _told
    cdef double[::1] _column

    @cython.locals(
        count=Py_ssize_t, at=Py_ssize_t, column=Py_ssize_t, source=Py_ssize_t, i=Py_ssize_t,
        told=cython.double[:, :], size=Py_ssize_t,
    )
    cpdef Py_ssize_t print(self, const int[:] rows) noexcept nogil


cdef void _gather(const int[:] rows, const double[:] metric, double[::1] column) noexcept nogil
cdef void _copy(const double[:] column, double[::1] printed) noexcept nogil

@cython.locals(value=double)
cdef void _round(const double[::1] column, int[::1] printed) noexcept nogil
cdef void _narrow(const double[::1] column, float[::1] printed) noexcept nogil


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
