# The types of flow.py where it is compiled; what is not named here follows from these.
cimport cython
from libc cimport math

cdef double NAN
cdef long long NEVER_NS
cdef Py_ssize_t EXCHANGE, BID, BID_QUANTITY, ASK, ASK_QUANTITY, MID, OFI, SPANS
cdef Py_ssize_t LAST_BID, LAST_BIDS, LAST_ASK, LAST_ASKS, SINCE_NS, HEAD, DUE_NS
cdef Py_ssize_t COUNT, NET, DEPTH, CHANGES, STATE_WIDTH
cdef Py_ssize_t AT, CHANGE_NET, CHANGE_DEPTH, JOINED, CHANGE_WIDTH

cpdef void take_flow(
    const int[:] rows,
    long long now_ns,
    const unsigned char[:] continuous,
    const long long[:] spans_ns,
    const long long[:, :] words,
    long long[:, :] state,
    long long[:, :, :] window,
    double[:, :] values,
) noexcept nogil

cpdef void expire_flow(
    const int[:] rows,
    long long now_ns,
    const long long[:] spans_ns,
    long long[:, :] state,
    long long[:, :, :] window,
    double[:, :] values,
) noexcept nogil

cdef inline void _forget(Py_ssize_t row, long long[:, :] state) noexcept nogil

@cython.locals(net="long long", is_same=bint)
cdef inline void _compare(
    Py_ssize_t row,
    long long span_ns,
    const long long[:, :] words,
    long long[:, :] state,
    long long[:, :, :] window,
) noexcept nogil

@cython.locals(
    room="long long", place="long long", newest="long long", moment_ns="long long", is_joined=bint
)
cdef inline void _push(
    Py_ssize_t row,
    long long at_ns,
    long long net,
    long long depth,
    long long span_ns,
    long long[:, :] state,
    long long[:, :, :] window,
) noexcept nogil

@cython.locals(
    room="long long",
    place="long long",
    stands=bint,
    since_ns="long long",
    due_ns="long long",
    after_ns="long long",
    depth="long long",
    mean_depth=double,
)
cdef inline void _expire(
    Py_ssize_t row,
    long long now_ns,
    const long long[:] spans_ns,
    long long[:, :] state,
    long long[:, :, :] window,
    double[:, :] values,
) noexcept nogil
