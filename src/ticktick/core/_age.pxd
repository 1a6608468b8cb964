# The types of age.py where it is compiled; what is not named here follows from these.
cimport cython

cdef unsigned char UNKNOWN, STALE, GAP, CLOSED, FRESH, QUIET
cdef long long BEHIND_NS

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
    const long long[:] exchange_ns,
    const long long[:] received_ns,
    const long long[:] last_trade_ns,
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
