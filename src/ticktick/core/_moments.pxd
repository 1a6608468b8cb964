# The types of moments.py where it is compiled; what is not named here follows from these.
cimport cython
from libc cimport math

cdef double NAN, SCALE
cdef long long NEVER_NS, NS_PER_S, STEP_NS, LATER_NS, RETURNS
cdef Py_ssize_t EXCHANGE, LAST_PRICE, BID, ASK, MID, TRADE_SIGN, RV, REALISED_SPREAD
cdef Py_ssize_t NEXT_NS, COUNT, TRADE_HEAD, WAITING, DUE_NS, STATE_WIDTH
cdef Py_ssize_t LAST_MID, READ_MID, SQUARES, MIDS_WIDTH
cdef Py_ssize_t AT, SIGN, PRICE, BOTH, TRADE_WIDTH

cpdef void settle_before(
    const int[:] rows,
    const long long[:, :] words,
    long long[:, :] state,
    double[:, :] mids,
    double[:, :] squares,
    long long[:, :, :] trades,
    double[:, :] values,
) noexcept nogil

cpdef void settle_until(
    const int[:] rows,
    long long until_ns,
    long long[:, :] state,
    double[:, :] mids,
    double[:, :] squares,
    long long[:, :, :] trades,
    double[:, :] values,
) noexcept nogil

cpdef void note_mids(
    const int[:] rows,
    long long now_ns,
    const unsigned char[:] continuous,
    const unsigned char[:] traded,
    const long long[:, :] words,
    long long[:, :] state,
    double[:, :] mids,
    long long[:, :, :] trades,
    double[:, :] values,
) noexcept nogil

@cython.locals(room="long long", place="long long")
cdef inline void _wait(
    Py_ssize_t row,
    const long long[:, :] words,
    long long[:, :] state,
    long long[:, :, :] trades,
    double[:, :] values,
) noexcept nogil

@cython.locals(room="long long", place="long long")
cdef inline void _settle(
    Py_ssize_t row,
    long long until_ns,
    long long[:, :] state,
    double[:, :] mids,
    double[:, :] squares,
    long long[:, :, :] trades,
    double[:, :] values,
) noexcept nogil

@cython.locals(moments="long long", first="long long", later="long long", total=double, place=Py_ssize_t)
cdef inline void _read(
    Py_ssize_t row,
    long long until_ns,
    long long[:, :] state,
    double[:, :] mids,
    double[:, :] squares,
) noexcept nogil

cdef inline void _keep(
    Py_ssize_t row,
    long long moment,
    double square,
    long long[:, :] state,
    double[:, :] squares,
) noexcept nogil

@cython.locals(is_known=bint, due_ns="long long", room="long long", place="long long")
cdef inline void _write(
    Py_ssize_t row,
    long long[:, :] state,
    double[:, :] mids,
    long long[:, :, :] trades,
    double[:, :] values,
) noexcept nogil
