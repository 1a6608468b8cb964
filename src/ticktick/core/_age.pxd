# The types of age.py where it is compiled; what is not named here follows from these.
cimport cython

cdef unsigned char UNKNOWN, STALE, GAP, CLOSED, FRESH, QUIET
cdef long long BEHIND_NS
cdef Py_ssize_t EXCHANGE, RECEIVED, LAST_TRADE

@cython.locals(
    code=cython.uchar, is_healthy=bint, is_proved=bint, is_behind=bint,
    told_ns=cython.longlong, newest_ns=cython.longlong, began=cython.longlong,
)
cpdef Py_ssize_t age(
    const int[:] rows,
    long long now_ns,
    long long life_ns,
    bint link_up,
    long long fresh_ns,
    const long long[:, :] words,
    const unsigned char[:] heard,
    const long long[:] gap_until_ns,
    const unsigned char[:] continuous,
    const unsigned char[:] closed,
    const long long[:] began_ns,
    const long long[:] proved_ns,
    const long long[:] newer_trade_ns,
    const long long[:] quiet_ns,
    unsigned char[:] codes,
    int[:] changed,
) noexcept nogil


@cython.final
cdef class Ageing:
    cdef long long _fresh_ns
    cdef const long long[:, :] _words
    cdef const unsigned char[:] _heard, _continuous, _closed
    cdef const long long[:] _gap_until_ns, _began_ns, _proved_ns, _newer_trade_ns, _quiet_ns
    cdef unsigned char[:] _codes
    cdef int[:] _changed

    cpdef Py_ssize_t judge(
        self, const int[:] rows, long long now_ns, long long life_ns, bint link_up
    ) noexcept nogil
